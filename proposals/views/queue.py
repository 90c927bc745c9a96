"""The review queue."""

from django.contrib.auth.decorators import permission_required
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from agents.models import Agent
from people.requests import PersonRequest
from proposals import queue
from proposals.models import Proposal

PER_PAGE = 50
_NUMBERS = (
    "No",
    "One",
    "Two",
    "Three",
    "Four",
    "Five",
    "Six",
    "Seven",
    "Eight",
    "Nine",
    "Ten",
    "Eleven",
    "Twelve",
)


@require_safe
@permission_required("proposals.view_proposal", raise_exception=True)
@vary_on_headers("HX-Request", "HX-Target")
def board(request: PersonRequest) -> HttpResponse:
    """What waits, for whom."""
    filters = queue.Filters.from_query(request.GET)
    counts = queue.counts(request.user)
    page = Paginator(filters.apply(request.user), PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "place": "review",
        "filters": filters,
        "heading": _heading(filters, counts, page.paginator.count),
        "counts": counts,
        "choices": _choices(counts),
        "agents": Agent.objects.all(),
        "page": page,
        "rows": queue.rows(list(page), request.user),
        "never_used": not page.paginator.count and not Proposal.objects.exists(),
    }
    part = "#board" if request.htmx.target == "board" else ""
    return render(request, f"proposals/queue.html{part}", context)


def _choices(counts: dict[str, int]) -> list[tuple[str, str, int]]:
    labels = {"turn": "Your turn", "open": "Everyone’s", "effect": "After the fact", "decided": "Decided"}
    return [(name, label, counts[name]) for name, label in labels.items()]


def _heading(filters: queue.Filters, counts: dict[str, int], found: int) -> str:
    """A sentence that tells how much there is to do."""
    match filters.show:
        case "turn":
            waiting = counts["turn"]
            return f"{_many(waiting, 'change')} {_wait(waiting)} for you" if waiting else "Nothing waits for you"
        case "open":
            return f"{_many(counts['open'], 'change')} {_wait(counts['open'])} for somebody"
        case "effect":
            return f"{_many(counts['effect'], 'change')} {_wait(counts['effect'])} to be confirmed"
        case "decided":
            return f"{_many(counts['decided'], 'change')} decided"
    return f"{_many(found, 'proposal')} found" + (f" for “{filters.q}”" if filters.q else "")


def _many(number: int, noun: str) -> str:
    said = _NUMBERS[number] if number < len(_NUMBERS) else f"{number:,}"
    return f"{said} {noun}" if number == 1 else f"{said} {noun}s"


def _wait(number: int) -> str:
    return "waits" if number == 1 else "wait"
