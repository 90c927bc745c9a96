"""A signed POST to one address, as Standard Webhooks has it, for programs that pass it on or act."""

import json
from collections.abc import Iterable

from django.conf import settings
from django.utils import timezone

from notices import door
from notices.channels import Never, NotNow, Target
from notices.models import Notice
from notices.signature import signature


class Webhook:
    """To COUNTERSIGN_WEBHOOK_URL, signed with COUNTERSIGN_WEBHOOK_SECRET; silent without them."""

    name = "webhook"

    def targets(self, notice: Notice) -> Iterable[Target]:
        url = settings.COUNTERSIGN_WEBHOOK_URL
        return [Target("", door.parse(url).host)] if url else []

    def send(self, notice: Notice, target: str) -> None:
        url = settings.COUNTERSIGN_WEBHOOK_URL
        if not url:
            raise Never("There is no webhook any more.")
        body = event(notice)
        try:
            answer = door.send("POST", url, body=body, headers=_headers(notice, body))
        except door.Refused as refusal:
            raise Never(str(refusal)) from None
        except door.Failed as failure:
            raise NotNow(str(failure)) from None
        if answer.status == 410:
            raise Never("The receiver wants nothing any more (410).")
        if not 200 <= answer.status < 300:
            raise NotNow(f"The receiver answered {answer.status}.")


def event(notice: Notice) -> bytes:
    """The body: a CloudEvent. The same notice has the same `id`, however often it is sent."""
    board = settings.COUNTERSIGN_ADDRESS.rstrip("/")
    data = {"title": notice.title, "text": notice.text, "url": f"{board}{notice.path}", **notice.facts}
    if notice.link:
        data["link"] = f"{board}{notice.link}"
    told = {
        "specversion": "1.0",
        "id": message_id(notice),
        "type": f"countersign.{notice.kind}",
        "source": board,
        "time": notice.at.isoformat(),
        "datacontenttype": "application/json",
        "data": data,
    }
    return json.dumps(told, ensure_ascii=False).encode()


def message_id(notice: Notice) -> str:
    return f"notice_{notice.pk}"


def _headers(notice: Notice, body: bytes) -> dict[str, str]:
    at = int(timezone.now().timestamp())
    return {
        "Content-Type": "application/cloudevents+json",
        "webhook-id": message_id(notice),
        "webhook-timestamp": str(at),
        "webhook-signature": signature(settings.COUNTERSIGN_WEBHOOK_SECRET or "", message_id(notice), at, body),
    }
