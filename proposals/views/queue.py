"""The review queue."""

from django.contrib.auth.decorators import permission_required
from django.core.paginator import Page, Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from agents.models import Agent
from people.models import Team
from people.requests import PersonRequest
from proposals import queue
from proposals.forms.queue import AssignForm, NameForm
from proposals.models import Proposal, SavedFilter
from proposals.queue import filters as narrowing
from proposals.rollouts import page as rollout_page
from proposals.rollouts.glance import glance_of
from proposals.status import came_of

PER_PAGE = 25
FEW = 8
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
may_see = permission_required("proposals.view_proposal", raise_exception=True)


@require_safe
@may_see
@vary_on_headers("HX-Request", "HX-Target")
def board(request: PersonRequest) -> HttpResponse:
    """What waits, for whom."""
    return board_page(request, queue.Place.of(request.GET))


def board_page(
    request: PersonRequest, position: queue.Place, *, name_form: NameForm | None = None, status: int = 200
) -> HttpResponse:
    """The queue at this place; with a refused name for a filter, that at its field."""
    filters = position.filters
    desk = queue.desk_of(request)
    counts = {"turn": len(desk), **queue.counts(request.user)}
    page = _page(position, desk, counts)
    agents, teams = list(Agent.objects.for_person(request.user)), list(Team.objects.filter(is_active=True))
    position = queue.Place(filters, page.number)
    saved = list(request.user.saved_filters.filter(place=SavedFilter.Place.QUEUE))
    rows = queue.rows(list(page), desk)
    context = {
        "place": "review",
        "filters": filters,
        "position": position,
        "heading": _heading(filters, counts, page.paginator.count),
        "counts": counts,
        "choices": _choices(counts),
        "narrowings": _narrowings(filters, agents, teams),
        "chosen": [*(_agent(filters, agents) if len(agents) > FEW else []), *_team(filters, teams), *filters.chosen],
        "sorts": narrowing.SORTS.items(),
        "sorted_by": narrowing.SORTS[filters.order],
        "agents": agents,
        "few_agents": 1 < len(agents) <= FEW,
        "saved": saved,
        "is_saved": filters.query in {one.query for one in saved},
        "name_form": name_form or NameForm(),
        "page": page,
        "rows": rows,
        "marks": {row.mark.kind: True for row in rows if row.mark},
        "easiest": _easiest(filters, rows),
        "rollouts_waiting": _waiting(request) if position.page == 1 else [],
        "came_of_yours": came_of.yours(request.user) if filters.show == "turn" and position.page == 1 else [],
        "never_used": not page.paginator.count and not Proposal.objects.for_person(request.user).exists(),
        "assign_form": AssignForm(teams=teams) if _can_select(request, filters) else None,
    }
    template = "includes/queue_board.html" if request.htmx.target == "board" else "proposals/queue.html"
    return render(request, template, context, status=status)


def _waiting(request: PersonRequest) -> list[dict[str, object]]:
    return rollout_page.rows(rollout_page.waiting(request.user)) if glance_of(request, request.user).waiting else []


def _page(position: queue.Place, desk: queue.Desk, counts: dict[str, int]) -> "Page[int]":
    """The keys of the page asked for, or of the last. Whole views are counted already; else that is done beside."""
    filters = position.filters
    if filters.is_of_desk:
        return Paginator(filters.all_keys(desk), PER_PAGE).get_page(position.page)
    if filters.is_plain and filters.show in counts:
        paginator = Paginator(filters.apply(desk.user, desk).values_list("pk", flat=True), PER_PAGE)
        paginator.count = counts[filters.show]
        return paginator.get_page(position.page)
    found, total = filters.keys_of_page(desk, position.page, PER_PAGE)
    page: Page[int] = Paginator(range(total), PER_PAGE).get_page(position.page)
    if page.number != position.page:
        found, _ = filters.keys_of_page(desk, page.number, PER_PAGE)
    page.object_list = found
    return page


def _can_select(request: PersonRequest, filters: queue.Filters) -> bool:
    return filters.show in ("turn", "open", "effect") and request.user.has_perm("proposals.propose_change")


def _choices(counts: dict[str, int]) -> list[tuple[str, str, int]]:
    labels = {"turn": "Your turn", "open": "Everyone’s", "effect": "To confirm", "decided": "Decided"}
    return [(name, label, counts[name]) for name, label in labels.items()]


def _easiest(filters: queue.Filters, rows: list[queue.Row]) -> Proposal | None:
    """What a beginner is led to: of those that wait for them, the one with the least risk."""
    waiting = [row for row in rows if row.is_my_turn] if filters.show == "turn" else []
    return min(waiting, key=lambda row: row.risk).proposal if waiting else None


def _agent(filters: queue.Filters, agents: list[Agent]) -> list[tuple[str, str]]:
    return [("agent", str(agent)) for agent in agents if agent.slug == filters.agent]


def _team(filters: queue.Filters, teams: list[Team]) -> list[tuple[str, str]]:
    return [("who", f"Assigned to {team}") for team in teams if team.pk == filters.team]


def _narrowings(
    filters: queue.Filters, agents: list[Agent], teams: list[Team]
) -> list[tuple[str, str, str, list[tuple[str, str]]]]:
    """Name, label, value and choices of each list in the filter form."""
    lists = {
        "agent": ("Agent", {agent.slug: str(agent) for agent in agents}),
        "origin": ("From", narrowing.ORIGINS),
        "risk": ("Risk", narrowing.RISKS),
        "who": ("Assigned", narrowing.WHO | {f"{narrowing.TEAM}{team.pk}": f"Assigned to {team}" for team in teams}),
        "checks": ("Checks", narrowing.CHECKS),
    }
    return [(name, label, getattr(filters, name), list(of.items())) for name, (label, of) in lists.items()]


def _heading(filters: queue.Filters, counts: dict[str, int], found: int) -> str:
    """A sentence that tells how much there is to do."""
    if filters.show != "all" and not filters.is_plain:
        return f"{_many(found, 'proposal')} of {counts[filters.show]:,} {'fits' if found == 1 else 'fit'} the filter"
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
