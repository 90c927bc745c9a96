"""Notices on their way: told once, sent until they are taken, given up in the open."""

import json
import smtplib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from audit import checkpoints
from audit.handing_out import hand_out
from audit.models import AuditEntry, Checkpoint
from audit.record import COMMAND_LINE
from notices import delivering
from notices.models import Delivery, Notice
from notices.outbox import tell, tell_of_account
from notices.signature import signature
from people.accounts import deactivate
from people.models import User
from people.teams import create_team
from reviewapp.celery import app
from tests.stub import Stub, stub

pytestmark = pytest.mark.django_db
SECRET = "whsec_" + "c2VjcmV0IHNlY3JldCBzZWNyZXQgc2VjcmV0"


@pytest.fixture
def listening(settings: Settings) -> Iterator[Stub]:
    """A receiver of webhooks."""
    settings.COUNTERSIGN_PRIVATE_TARGETS = ["127.0.0.1"]
    settings.COUNTERSIGN_WEBHOOK_SECRET = SECRET
    with stub() as there:
        settings.COUNTERSIGN_WEBHOOK_URL = there.url
        yield there


@pytest.fixture
def mailing(settings: Settings, mara: User) -> User:
    """Mara wants to hear of what waits at the gate."""
    settings.COUNTERSIGN_MAIL = True
    User.objects.filter(pk=mara.pk).update(email="mara@example.org", mails=[Notice.Kind.GATE])
    return mara


def one(kind: Notice.Kind = Notice.Kind.GATE, key: str = "one") -> Notice:
    return tell(
        kind, key=key, title="Version 2 waits\r\nBcc: evil@example.org \u202e", text="Numbers.", path="/rollouts/1/",
        link="/rollouts/link/1:x/", facts={"rollout": 1},
    )  # fmt: skip


def later() -> None:
    Delivery.objects.filter(state="due").update(due_at=timezone.now() - timedelta(seconds=1))


def test_what_is_told_twice_is_sent_once(listening: Stub) -> None:
    one()
    one()
    assert delivering.deliver_all() == 1
    later()
    assert delivering.deliver_all() == 0
    assert len(listening.got) == 1


def test_a_webhook_is_signed_and_says_what_to_look_at(listening: Stub, settings: Settings) -> None:
    notice = one()
    delivering.deliver_all()
    ((_, headers, body),) = listening.got
    told = json.loads(body)
    assert (told["type"], told["id"]) == ("countersign.rollout.gate", f"notice_{notice.pk}")
    assert told["data"]["rollout"] == 1
    assert told["data"]["url"] == f"{settings.COUNTERSIGN_ADDRESS.rstrip('/')}/rollouts/1/"
    at = int(headers["webhook-timestamp"])
    assert headers["webhook-signature"] == signature(SECRET, headers["webhook-id"], at, body)


def test_the_signature_is_that_of_standard_webhooks() -> None:
    """The example of their reference libraries."""
    signed = signature(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
    )
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_what_is_not_taken_is_sent_again_later_and_given_up_in_the_end(listening: Stub) -> None:
    notice, listening.status = one(), 500
    delivering.deliver_all()
    found = notice.deliveries.get()
    assert (found.state, found.attempts, found.problem) == ("due", 1, "The receiver answered 500.")
    assert found.due_at > timezone.now()
    assert delivering.deliver_all() == 0
    assert len(listening.got) == 1
    for _ in range(delivering.MOST_ATTEMPTS):
        later()
        delivering.deliver_all()
    found.refresh_from_db()
    assert (found.state, found.attempts) == ("dead", delivering.MOST_ATTEMPTS)
    assert len(listening.got) == delivering.MOST_ATTEMPTS
    assert {headers["webhook-id"] for _, headers, _ in listening.got} == {f"notice_{notice.pk}"}


@pytest.mark.parametrize("status", [302, 410])
def test_a_redirect_is_not_taken_and_gone_is_for_good(listening: Stub, status: int) -> None:
    notice, listening.status = one(), status
    delivering.deliver_all()
    assert notice.deliveries.get().state == ("dead" if status == 410 else "due")
    assert len(listening.got) == 1


def test_a_private_address_gets_nothing_and_is_not_tried_again(listening: Stub, settings: Settings) -> None:
    settings.COUNTERSIGN_PRIVATE_TARGETS = []
    notice = one()
    delivering.deliver_all()
    found = notice.deliveries.get()
    assert (found.state, "private network" in found.problem, listening.got) == ("dead", True, [])


def test_a_mail_goes_to_those_who_want_it_on_one_line_and_with_both_links(
    mailing: User, jonas: User, settings: Settings
) -> None:
    one()
    one(Notice.Kind.CHECKPOINT, key="two")
    assert delivering.deliver_all() == 1
    (sent,) = mail.outbox
    assert sent.to == ["mara@example.org"]
    assert sent.subject == "Version 2 waits Bcc: evil@example.org"
    board = settings.COUNTERSIGN_ADDRESS.rstrip("/")
    assert f"{board}/rollouts/1/\n" in sent.body
    assert f"{board}/rollouts/link/1:x/" in sent.body
    assert sent.extra_headers["Message-ID"].startswith("<notice-")


def test_who_left_meanwhile_gets_nothing(mailing: User, ada: User) -> None:
    notice = one()
    delivering.spread(notice.pk)
    deactivate(mailing.pk, actor=COMMAND_LINE)
    delivering.deliver_all()
    assert (notice.deliveries.get().state, mail.outbox) == ("dead", [])


@pytest.mark.parametrize(
    ("raised", "state"),
    [(smtplib.SMTPRecipientsRefused({}), "dead"), (smtplib.SMTPServerDisconnected(), "due"), (OSError(), "due")],
)
def test_a_mail_server_that_is_away_is_asked_again(
    mailing: User, monkeypatch: pytest.MonkeyPatch, raised: Exception, state: str
) -> None:
    def fail(*_: object) -> int:
        raise raised

    monkeypatch.setattr(EmailBackend, "send_messages", fail)
    notice = one()
    delivering.deliver_all()
    assert notice.deliveries.get().state == state


def test_one_that_nobody_wants_to_hear_of_is_done_with(settings: Settings, mara: User) -> None:
    notice = one()
    assert delivering.deliver_all() == 0
    notice.refresh_from_db()
    assert (notice.spread_at is None, notice.deliveries.count()) == (False, 0)


def test_every_checkpoint_is_told_once(listening: Stub, mara: User, settings: Settings, tmp_path: Path) -> None:
    settings.COUNTERSIGN_CHECKPOINT_DIR = tmp_path
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    made = checkpoints.make(COMMAND_LINE)
    hand_out()
    Checkpoint.objects.update(notified_at=None)
    hand_out()
    delivering.deliver_all()
    ((_, _, body),) = listening.got
    assert json.loads(body)["data"]["note"] == made.note


def test_what_was_given_up_is_on_a_page_and_can_be_tried_again(client: Client, listening: Stub, aiko: User) -> None:
    notice, listening.status = one(), 410
    delivering.deliver_all()
    client.force_login(aiko)
    shown = client.get(reverse("notices")).text
    assert "To 127.0.0.1 by webhook: The receiver wants nothing any more (410). Tried 1 time" in shown
    listening.status = 204
    again = reverse("send_again", args=[notice.deliveries.get().pk])
    assert client.post(again, follow=True).redirect_chain[0][1] == 303
    delivering.deliver_all()
    assert notice.deliveries.get().state == "sent"
    assert "on its way already" in client.post(again, follow=True).text
    entry = AuditEntry.objects.get(verb="notice.sent_again")
    assert entry.fact["before"]["attempts"] == 1


def test_people_choose_what_is_mailed_to_them(client: Client, mara: User) -> None:
    client.force_login(mara)
    sent = {"address": "mara@example.org", "kind": [Notice.Kind.GATE]}
    assert "Saved." in client.post(reverse("set_mails"), sent, follow=True).text
    mara.refresh_from_db()
    assert (mara.email, mara.mails) == ("mara@example.org", ["rollout.gate"])
    assert "1 kind mailed to mara@example.org" in client.get(reverse("settings")).text
    refused = client.post(reverse("set_mails"), {"address": "mara", "kind": [Notice.Kind.DRIFT]})
    assert (refused.status_code, "This is not an e-mail address." in refused.text) == (422, True)
    assert 'value="mara"' in refused.text
    assert refused.text.count(" checked") == 1
    assert client.post(reverse("set_mails"), {"kind": ["nonsense"]}).status_code == 422
    client.post(reverse("set_mails"), {"address": "", "kind": [Notice.Kind.GATE]})
    mara.refresh_from_db()
    assert (mara.email, mara.mails) == ("", [])


def test_what_was_told_long_ago_is_forgotten_unless_it_waits(listening: Stub) -> None:
    old, waiting = one(), one(key="waits")
    delivering.spread(old.pk)
    delivering.spread(waiting.pk)
    Delivery.objects.filter(notice=old).update(state="sent", sent_at=timezone.now())
    Notice.objects.update(at=timezone.now() - delivering.KEPT - timedelta(days=1))
    delivering.tidy()
    assert list(Notice.objects.all()) == [waiting]


def test_the_worker_knows_every_task_of_the_schedule() -> None:
    app.loader.import_default_modules()
    assert {entry["task"] for entry in app.conf.beat_schedule.values()} <= set(app.tasks)


def test_what_is_about_a_team_is_told_to_those_who_see_it(mailing: User, ada: User, aiko: User, client: Client) -> None:
    team = create_team("Night shift", members=[aiko], actor=COMMAND_LINE)
    for person in (ada, aiko):
        User.objects.filter(pk=person.pk).update(email=f"{person.username}@example.org", mails=[Notice.Kind.GATE])
    about = one()
    Notice.objects.filter(pk=about.pk).update(team=team)
    delivering.deliver_all()
    assert {sent.to[0] for sent in mail.outbox} == {"ada@example.org", "aiko@example.org"}
    Delivery.objects.update(state=Delivery.State.DEAD, sent_at=None)
    for person, sees in ((mailing, False), (aiko, True), (ada, True)):
        client.force_login(person)
        assert (about.title in client.get(reverse("notices")).text) is sees
    client.force_login(mailing)
    assert client.post(reverse("send_again", args=[about.deliveries.earliest("pk").pk])).status_code in (403, 404)


def test_what_happens_to_an_account_is_mailed_to_its_person_alone(mailing: User, ada: User, client: Client) -> None:
    everybody = {"mails": [Notice.Kind.ACCOUNT]}
    User.objects.filter(pk=mailing.pk).update(**everybody)
    User.objects.filter(pk=ada.pk).update(email="ada@example.org", **everybody)
    tell_of_account(mailing, "Passkey “Laptop” added", "by Mara Okafor")
    delivering.deliver_all()
    (sent,) = mail.outbox
    assert (sent.to, sent.subject) == (["mara@example.org"], "Mara Okafor: Passkey “Laptop” added")
    assert "sign out everywhere at http" in sent.body
    for person, sees in ((mailing, True), (ada, False)):
        client.force_login(person)
        assert ("Laptop" in client.get(reverse("notices")).text) is sees
