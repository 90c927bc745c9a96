"""The log, for reading. Nothing here writes."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.auth.decorators import permission_required
from django.db.models import Q, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from audit.checkpoints import covering
from audit.forms import LogFilter
from audit.models import AuditEntry, AuditEntryQuerySet, ChainHead
from audit.scope import unseen_agents
from audit.state import state

PER_PAGE = 60
SPANS = (("Today", 0), ("Last 7 days", 6), ("Last 30 days", 29))
LOOKED_THROUGH = 15_000
NOT_KEPT = "search_not_kept"
"""Where the session says why a search was not saved, for the next page of the log."""
SAME_MOMENT = timedelta(seconds=1)
_LARGEST = 2**63 - 1
may_see = permission_required("audit.view_auditentry", raise_exception=True)


@require_safe
@may_see
def log(request: HttpRequest) -> HttpResponse:
    """Who did what to what, newest first. Pages are cut by sequence, so they stay put while the log grows.

    No index helps to look for words, so that looks through LOOKED_THROUGH entries at a time.
    """
    form, head = LogFilter(request.GET, unseen=unseen_agents(request)), ChainHead.objects.first()
    newest = head.sequence if head else 0
    start = min(_before(request), newest + 1)
    stop = max(1, start - LOOKED_THROUGH) if form.reads_every_entry else 1
    entries = form.entries().filter(sequence__gte=stop, sequence__lt=start)
    rows = list(entries.defer("previous_hash", "hash")[: PER_PAGE + 1])
    more = rows[PER_PAGE - 1].sequence if len(rows) > PER_PAGE else stop if stop > 1 else None
    context = {
        "place": "audit",
        "state": state(head),
        "form": form,
        "rows": rows[:PER_PAGE],
        "same": _same_act(rows[:PER_PAGE]),
        "more": more,
        "looked_through": (stop, start - 1) if stop > 1 and len(rows) <= PER_PAGE else None,
        "head": head,
        "spans": [(name, _days_ago(days)) for name, days in SPANS],
        "filtered": any(request.GET.get(name) for name in form.fields),
        "query": form.query,
        "not_kept": request.session.pop(NOT_KEPT, ""),
    }
    return render(request, "audit/log.html", context, status=200 if form.is_valid() else 422)


def _before(request: HttpRequest) -> int:
    """The number that the page ends before."""
    before = request.GET.get("before", "")
    is_number = before.isascii() and before.isdigit() and len(before) < len(str(_LARGEST))
    return int(before) if is_number else _LARGEST


@require_safe
@may_see
def entry(request: HttpRequest, sequence: int) -> HttpResponse:
    """One entry for good: the fact as stored, and its place in the chain."""
    found = get_object_or_404(AuditEntry, sequence=min(sequence, _LARGEST))
    fact = found.fact
    context = {
        "place": "audit",
        "entry": found,
        "alone": [found],
        "fields": _fields(fact),
        "before": _spelled(fact.get("before")),
        "after": _spelled(fact.get("after")),
        "versions": _versions(found, fact),
        "request_id": fact.get("request_id", ""),
        "neighbours": _neighbours(sequence, AuditEntry.objects.apart_from(list(unseen_agents(request)))),
        "head": ChainHead.objects.first(),
        "covered": covering(sequence),
    }
    return render(request, "audit/entry.html", context)


def _neighbours(sequence: int, seen: AuditEntryQuerySet) -> AuditEntryQuerySet:
    """The entries before and after this one, of those that are seen."""
    before = seen.filter(sequence__lt=sequence).order_by("-sequence").values("sequence")[:1]
    after = seen.filter(sequence__gt=sequence).order_by("sequence").values("sequence")[:1]
    return AuditEntry.objects.filter(Q(sequence=Subquery(before)) | Q(sequence=Subquery(after))).in_order()


def _same_act(rows: list[AuditEntry]) -> set[int]:
    """The numbers of those that are of the same act as the one above: of one actor, one request, one moment."""
    acts = [(row.actor_kind, row.actor_id, row.agent, row.fact.get("request_id", "")) for row in rows]
    pairs = zip(rows, acts, rows[1:], acts[1:], strict=False)
    return {row.sequence or 0 for above, its, row, own in pairs if its == own and above.at - row.at < SAME_MOMENT}


def _fields(fact: dict[str, Any]) -> list[tuple[str, str, str]]:
    """What it was about, field by field: name, value before, value after; values as a reader takes them."""
    before, after = fact.get("before") or {}, fact.get("after") or {}
    return [(name, _said(before.get(name)), _said(after.get(name))) for name in sorted({*before, *after})]


def _said(value: object) -> str:
    match value:
        case None | "":
            return ""
        case bool():
            return "yes" if value else "no"
        case str() | int() | float():
            return str(value)
    return _spelled(value)


def _versions(found: AuditEntry, fact: dict[str, Any]) -> tuple[int, int] | None:
    """The numbers of the versions between which a text changed, where the entry is about that."""
    before, after = ((fact.get(side) or {}).get("version") for side in ("before", "after"))
    if found.target_kind == "version" and isinstance(before, int) and isinstance(after, int):
        return before, after
    return None


def _days_ago(days: int) -> str:
    return (datetime.now(UTC).date() - timedelta(days=days)).isoformat()


def _spelled(facts: object) -> str:
    return json.dumps(facts, indent=2, ensure_ascii=False, sort_keys=True) if facts else ""
