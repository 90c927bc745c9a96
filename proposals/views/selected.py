"""Several proposals at once: assign them, or look at them together and approve them."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from people.requests import PersonRequest
from proposals import queue
from proposals.actions import assignments, together
from proposals.actions.attention import look
from proposals.diffs import Diff
from proposals.exceptions import ReviewError
from proposals.forms.proposals import MAX_NOTE
from proposals.forms.queue import AssignForm
from proposals.models import Proposal
from proposals.reviewing import shown
from proposals.reviewing.shown import Line

MOST = 50
_OUTCOMES = "decided_together"
may_assign = permission_required("proposals.propose_change", raise_exception=True)
may_decide = permission_required("proposals.decide_proposal", raise_exception=True)


@require_http_methods(["GET", "HEAD", "POST"])
@may_assign
def selected(request: PersonRequest) -> HttpResponseBase:
    """What was pressed under the rows that are ticked."""
    if request.method != "POST":
        return redirect("queue")
    keys = _keys(request.POST.getlist("id"))
    if not keys:
        messages.error(request, "Tick at least one proposal first.")
    elif request.POST.get("act") == "assign":
        _assign(request, keys)
    else:
        carried = [("queue", request.GET.get("queue", ""))] if request.GET.get("queue") else []
        return _see(f"{reverse('together')}?{urlencode([*(('id', key) for key in keys), *carried])}")
    return _see(reverse("queue") + queue.Place.carried(request.GET).query)


def _assign(request: PersonRequest, keys: list[int]) -> None:
    form = AssignForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Choose somebody who decides.")
        return
    done = 0
    for proposal in Proposal.objects.for_person(request.user).filter(pk__in=keys).order_by("pk"):
        try:
            assignments.assign(proposal.pk, user=request.user, to=form.to)
            done += 1
        except ReviewError as refusal:
            messages.error(request, f"“{proposal}”: {refusal}")
    if done:
        messages.success(request, f"{done} assigned." if done > 1 else "Assigned.")


@dataclass(frozen=True, slots=True)
class Shown:
    """One proposal with its difference laid out; `others` asks for the same page without it."""

    proposal: Proposal
    lines: list[Line]
    code: bool
    others: str


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@may_decide
def page(request: PersonRequest) -> HttpResponseBase:
    """Every difference one under another, and one Approve for all of them."""
    if request.method == "POST":
        return _decide(request)
    keys = _keys(request.GET.getlist("id"))
    sorted_out = together.sort_out(together.asked_for(keys, user=request.user), user=request.user)
    carried = [("queue", request.GET["queue"])] if request.GET.get("queue") else []
    items = [_laid_out(proposal, sorted_out.fit, carried) for proposal in sorted_out.fit]
    look(sorted_out.fit, user=request.user)
    context = {
        "place": "review",
        "position": queue.Place.carried(request.GET),
        "items": items,
        "left_out": sorted_out.left_out,
        "canary": sorted_out.canary,
    }
    return render(request, "proposals/together.html", context)


def _laid_out(proposal: Proposal, fit: list[Proposal], carried: list[tuple[str, str]]) -> Shown:
    rows = Diff.from_json(proposal.revision.diff).rows if proposal.revision else []
    others = [*(("id", str(other.pk)) for other in fit if other != proposal), *carried]
    return Shown(proposal, shown.inline(rows), shown.is_code(proposal.document), urlencode(others))


def _decide(request: PersonRequest) -> HttpResponse:
    wanted = list(_pairs(request.POST.getlist("shown")))
    note = request.POST.get("note", "").replace("\0", "")[:MAX_NOTE]
    outcomes = together.approve_together(wanted, user=request.user, note=note)
    request.session[_OUTCOMES] = [asdict(outcome) for outcome in outcomes]
    suffix = queue.Place.carried(request.GET).suffix
    return _see(reverse("together_done") + suffix)


@never_cache
@require_safe
@may_decide
def done(request: PersonRequest) -> HttpResponse:
    """What came of the last decision on several: each with what happened to it."""
    outcomes = [together.Outcome(**one) for one in request.session.get(_OUTCOMES, [])]
    context = {
        "place": "review",
        "position": queue.Place.carried(request.GET),
        "outcomes": outcomes,
        "approved": sum(outcome.done for outcome in outcomes),
    }
    return render(request, "proposals/together_done.html", context)


def _keys(values: list[str]) -> list[int]:
    """Distinct keys in the order sent, at most MOST."""
    return list(dict.fromkeys(int(value) for value in values if _is_key(value)))[:MOST]


def _pairs(values: list[str]) -> Iterator[tuple[int, str]]:
    """“17:digest” as the page showed it."""
    for value in values[: together.MOST]:
        key, _, digest = value.partition(":")
        if _is_key(key):
            yield int(key), digest[:64]


def _is_key(value: str) -> bool:
    return value.isascii() and value.isdigit() and len(value) < 19


def _see(address: str) -> HttpResponse:
    answer = redirect(address)
    answer.status_code = 303
    return answer
