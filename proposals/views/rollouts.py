"""The pages of rollouts, and what is done there."""

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required, permission_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from people import fresh
from people.models import User
from people.requests import PersonRequest
from proposals.actions import steering
from proposals.authority import policies
from proposals.exceptions import ReviewError
from proposals.forms.rollouts import ActForm
from proposals.models import Rollout
from proposals.rollouts import links as rollout_links
from proposals.rollouts import page as rollout_page
from proposals.rollouts.pills import pill
from proposals.views.refusals import show_in

PER_PAGE = 30
may_see = permission_required("proposals.view_proposal", raise_exception=True)


@require_safe
@may_see
def rollouts(request: PersonRequest) -> HttpResponse:
    """Those that wait for a person, those that run, and past ones."""
    live = sorted(Rollout.objects.for_person(request.user).live().for_page(), key=lambda one: not one.is_waiting)
    ended = Rollout.objects.for_person(request.user).exclude(state__in=Rollout.LIVE).for_page().order_by("-ended_at")
    page = Paginator(ended, PER_PAGE).get_page(request.GET.get("page"))
    context = {"place": "rollouts", "live": rollout_page.rows(live), "page": page, "ended": rollout_page.rows(page)}
    return render(request, "proposals/rollouts.html", context)


@require_safe
@may_see
def rollout(request: PersonRequest, pk: int) -> HttpResponse:
    """One rollout: plan and position, both arms, the verdict, and what can be done."""
    found, words = _find(pk), fresh.take_words(request, reverse("rollout", args=[pk]))
    form = ActForm(initial=words) if words else None
    return show(request, found, form)


@require_http_methods(["GET", "HEAD", "POST"])
@may_see
def act(request: PersonRequest, pk: int) -> HttpResponseBase:
    """Promote, stop, roll back or set the share; a refusal shows the present state with what was typed."""
    if request.method != "POST":
        return redirect("rollout", pk)
    found, form = _find(pk), ActForm(request.POST)
    if not form.is_valid():
        return show(request, found, form, status=422)
    is_promotion = form.cleaned_data["act"] == "promote"
    if is_promotion and not fresh.is_fresh(request) and policies.needs_proof(found.proposal, found.proposal.revision):
        return fresh.ask_again(request, back=reverse("rollout", args=[pk]), words=form.cleaned_data)
    try:
        said = _carry_out(pk, request.user, form)
    except ReviewError as refusal:
        return show(request, _find(pk), form, status=show_in(form, refusal))
    messages.success(request, said)
    answer = redirect("rollout", pk)
    answer.status_code = 303
    return answer


def _carry_out(pk: int, user: User, form: ActForm) -> str:
    """Call the action that was pressed; what to say afterwards."""
    word = form.cleaned_data
    match word["act"]:
        case "promote":
            done = steering.promote(pk, user=user, epoch=word["epoch"], reason=word["reason"])
            return f"Promoted. Version {done.candidate.number} is current from now on."
        case "stop":
            done = steering.stop(pk, user=user, reason=word["reason"])
            return f"Stopped. Everybody gets version {done.baseline.number} again."
        case "roll_back":
            done = steering.roll_back(pk, user=user, reason=word["reason"])
            return f"Rolled back. Everybody gets version {done.baseline.number} again."
        case _:
            done = steering.set_share(pk, user=user, epoch=word["epoch"], share=word["share"])
            return f"Version {done.candidate.number} is served to {done.share}\u00a0% of the units from now on."


@never_cache
@login_not_required
@require_safe
def gate(request: HttpRequest, token: str) -> HttpResponse:
    """How a rollout does, for whoever got the signed link; acting takes signing in."""
    pk = rollout_links.from_link(token)
    found = rollout_page.find(pk) if pk is not None else None
    if found is None:
        raise Http404("This link is no longer valid.")
    if isinstance(request.user, User) and request.user.has_perm("proposals.view_proposal"):
        return redirect("rollout", found.pk)
    answer = render(request, "proposals/gate.html", _read(found))
    answer["Referrer-Policy"] = "no-referrer"  # the address is the key to this page
    return answer


def show(request: PersonRequest, found: Rollout, form: ActForm | None = None, *, status: int = 200) -> HttpResponse:
    """The whole page, with what was typed and refused."""
    context = _read(found) | {
        "place": "rollouts",
        "form": form or ActForm(),
        "is_back": form is not None and not form.is_bound,
        "acts": rollout_page.acts(found, request.user),
        "history": rollout_page.history(found),
        "link": request.build_absolute_uri(rollout_links.gate_path(found.pk)) if found.is_live else "",
        "link_ends": rollout_page.link_ends(),
    }
    return render(request, "proposals/rollout.html", context, status=status)


def _read(found: Rollout) -> dict[str, object]:
    drawn, said = rollout_page.verdicts(found)
    return {
        "rollout": found,
        "pill": pill(found),
        "says": rollout_page.state_line(found),
        "plan": found.plan,
        "places": rollout_page.places(found),
        "waits_for": rollout_page.waits_for(found),
        "judged": rollout_page.judged(found),
        "charts": drawn,
        "left_out": rollout_page.left_out(found),
        "verdicts": said,
    }


def _find(pk: int) -> Rollout:
    found = rollout_page.find(pk)
    if found is None:
        raise Http404("There is no such rollout.")
    return found
