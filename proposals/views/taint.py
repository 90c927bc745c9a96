"""What rests on the reports of one API key, putting them in quarantine, and what to do about what falls."""

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from agents.models import ApiKey
from audit.paging import LARGEST_CURSOR
from audit.record import Actor
from feedback.actions import quarantine as actions
from feedback.exceptions import QuarantineError
from feedback.models import Quarantine
from people import fresh
from people.requests import PersonRequest
from proposals.actions import decisions
from proposals.exceptions import ReviewError
from proposals.forms.taint import QuarantineForm
from proposals.grounds.taint import Shaken, resting_on, shaken
from proposals.models import Proposal

may_see = permission_required("proposals.view_proposal", raise_exception=True)
may_manage = permission_required("agents.manage_key", raise_exception=True)
may_decide = permission_required("proposals.decide_proposal", raise_exception=True)
may_roll_back = permission_required("proposals.roll_back", raise_exception=True)


@require_safe
@may_see
def taint(request: PersonRequest, prefix: str) -> HttpResponse:
    """What is open or live and has evidence from this key, and its quarantine."""
    return _page(request, _find(prefix), QuarantineForm())


@require_POST
@may_manage
def quarantine_key(request: PersonRequest, prefix: str) -> HttpResponseBase:
    """Have the reports of a key count no more."""
    key, form = _find(prefix), QuarantineForm(request.POST)
    if not form.is_valid():
        return _page(request, key, form, status=422)
    try:
        actions.quarantine(prefix, actor=Actor.person(request.user), by=request.user, **form.cleaned_data)
    except QuarantineError as refusal:
        form.refuse(refusal.field, str(refusal))
        return _page(request, key, form, status=422 if refusal.field else 409)
    messages.success(request, "Its reports count no more. The patterns are recounted in the background.")
    return _see(prefix)


@require_POST
@may_manage
def lift_quarantine(request: PersonRequest, prefix: str) -> HttpResponseBase:
    """Have them count again."""
    key = _find(prefix)
    try:
        actions.lift(prefix, actor=Actor.person(request.user), by=request.user)
    except QuarantineError as refusal:
        form = QuarantineForm({})
        form.refuse("", str(refusal))
        return _page(request, key, form, status=409)
    messages.success(request, "Its reports count again. The patterns are recounted in the background.")
    return _see(prefix)


@require_POST
@may_decide
def send_back_shaken(request: PersonRequest, prefix: str, pk: int) -> HttpResponseBase:
    """Request changes to a proposal that would not stand without this key; `digest` is the text that was seen."""
    key = _find(prefix)
    found = _one(request, key, pk)
    try:
        decisions.request_changes(pk, user=request.user, digest=request.POST.get("digest", ""), note=found.why)
    except ReviewError as refusal:
        messages.error(request, str(refusal))
        return _see(prefix)
    messages.success(request, f"Sent back: {found.proposal.title}.")
    return _see(prefix)


@require_POST
@may_roll_back
def prepare_rollback(request: PersonRequest, prefix: str, pk: int) -> HttpResponseBase:
    """Lead to where the version is taken back, with the reason filled in; nothing is done yet."""
    found = _one(request, _find(prefix), pk)
    document, place = found.proposal.document, [found.proposal.document.agent.slug, found.proposal.document.slug]
    if found.rollout:
        return _lead(reverse("rollout", args=[found.rollout.pk]))
    if not found.is_current or document.current is None:
        return _lead(f"{reverse('propose', args=place)}?undo={pk}")
    back = f"{reverse('roll_back', args=place)}?to={found.proposal.base_version.number}"
    fresh.keep_words(request, back=back, words={"current": document.current.number, "reason": found.why})
    return _lead(back)


def _find(prefix: str) -> ApiKey:
    return get_object_or_404(ApiKey.objects.select_related("agent", "owner"), prefix=prefix)


def _one(request: PersonRequest, key: ApiKey, pk: int) -> Shaken:
    proposal = get_object_or_404(Proposal.objects.for_person(request.user), pk=pk)
    found = shaken(key, _in_force(key), [pk])
    return found[0] if found else Shaken(proposal, 0, 0, 0, 0)


def _in_force(key: ApiKey) -> Quarantine | None:
    return Quarantine.objects.in_force().filter(key=key).first()


def _page(request: PersonRequest, key: ApiKey, form: QuarantineForm, *, status: int = 200) -> HttpResponse:
    found = _in_force(key)
    before = _cursor(request.GET.get("before", ""))
    context = {
        "place": "agents",
        "key": key,
        "agent": key.agent,
        "quarantine": found,
        "working": key.quarantines.filter(done_at=None).first(),
        "resting": resting_on(key, found, request.user, before=before),
        "is_first": before is None,
        "past": key.quarantines.exclude(lifted_at=None)[:20],
        "form": form,
    }
    return render(request, "proposals/taint.html", context, status=status)


def _cursor(written: str) -> int | None:
    """Where the page begins; None for at the first."""
    return int(written) if written.isascii() and written.isdigit() and int(written[:20]) <= LARGEST_CURSOR else None


def _see(prefix: str) -> HttpResponseBase:
    return _lead(reverse("taint", args=[prefix]))


def _lead(to: str) -> HttpResponseBase:
    answer = redirect(to)
    answer.status_code = 303
    return answer
