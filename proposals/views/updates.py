"""What changed since a page was loaded: a few numbers, asked for every ten seconds, so as little work as can be."""

import json
from datetime import datetime
from hashlib import sha256
from typing import Final

from django.contrib.auth.decorators import permission_required
from django.db.models import Max
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.cache import get_conditional_response, patch_cache_control
from django.views.decorators.http import require_safe

from agents.models import Release
from agents.reach import within
from audit.models import AuditEntry
from people.models import User
from people.requests import PersonRequest
from proposals.models import Proposal, Revision
from proposals.queue import desk_of

DEEDS: Final = {
    "proposal.approved": "approved this",
    "proposal.changes_requested": "requested changes",
    "proposal.request_taken_back": "took back the request for changes",
    "proposal.rejected": "rejected this",
    "proposal.withdrawn": "withdrew this",
    "proposal.expired": "withdrew this, as nothing came of it",
    "proposal.superseded": "withdrew this, as another was chosen",
    "proposal.bypassed": "published this without the approvals needed",
    "proposal.started_itself": "started a canary of this by itself",
    "proposal.undone": "undid what had started by itself",
}


@require_safe
@permission_required("proposals.view_proposal", raise_exception=True)
def updates(request: PersonRequest) -> HttpResponseBase:
    """JSON, with a strong ETag: `turn`, how much waits for this person; `newest`, what to ask with as `since`;
    `fresh`, how many open proposals others opened or amended since; `proposal` and `document`, those asked about.
    """
    since, proposal, document = (_number(request, name) for name in ("since", "proposal", "document"))
    news = {
        "turn": len(desk_of(request)),
        "newest": Revision.objects.aggregate(newest=Max("pk"))["newest"] or 0,
        "fresh": _fresh(request.user, since) if since else 0,
        "proposal": _proposal(request.user, proposal) if proposal else None,
        "document": _document(request.user, document) if document else None,
    }
    return _answer(request, json.dumps(news).encode())


def _answer(request: HttpRequest, body: bytes) -> HttpResponseBase:
    etag = f'"{sha256(body).hexdigest()[:32]}"'
    answer = HttpResponse(body, content_type="application/json", headers={"ETag": etag})
    found = get_conditional_response(request, etag=etag, response=answer) or answer
    patch_cache_control(found, private=True, no_cache=True)
    return found


def _number(request: HttpRequest, name: str) -> int:
    given = request.GET.get(name, "")
    return int(given) if given.isascii() and given.isdigit() and len(given) < 16 else 0


def _fresh(user: User, since: int) -> int:
    newer = Proposal.objects.for_person(user).open().filter(revision__gt=since)
    return newer.exclude(revision__author=user).count()


def _proposal(user: User, pk: int) -> dict[str, object] | None:
    found = (
        Proposal.objects.for_person(user)
        .select_related("revision__author", "revision__author_key")
        .defer("revision__text", "revision__diff")
    )
    proposal = found.filter(pk=pk).first()
    if proposal is None or proposal.revision is None:
        return None
    said, at = _last_deed(proposal, proposal.revision)
    return {"revision": proposal.revision.number, "status": proposal.status, "said": said, "at": at.isoformat()}


def _last_deed(proposal: Proposal, revision: Revision) -> tuple[str, datetime]:
    """The decision or, where none came after it, the newest wording."""
    deeds = AuditEntry.objects.filter(proposal=proposal.pk, verb__in=DEEDS, at__gt=revision.created_at)
    last = deeds.newest_first().first()
    if last:
        return f"{last.actor_label} {DEEDS[last.verb]}", last.at
    if proposal.decided_at and not proposal.is_open:
        return f"This is {proposal.get_status_display().lower()} now", proposal.decided_at
    return f"{revision.author_label} changed this to revision {revision.number}", revision.created_at


def _document(user: User, pk: int) -> dict[str, object] | None:
    last = within(Release.objects.filter(document=pk), user, "document__agent").values("version__number", "at").first()
    return {"version": last["version__number"], "at": last["at"].isoformat()} if last else None
