"""One pattern: what recurs, its evidence, and what is made of it."""

from collections.abc import Callable
from typing import Final

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.db.models import BigIntegerField, Prefetch, QuerySet
from django.http import Http404, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from agents.compiled import Compiled, key
from agents.models import WHOLE, Version
from feedback.actions import patterns, regrouping
from feedback.exceptions import PatternError
from feedback.models import Pattern
from people.models import User
from people.requests import PersonRequest
from proposals.actions import drafting
from proposals.actions.attention import open_evidence
from proposals.forms.patterns import DismissForm, MergeForm, RenameForm, SplitForm
from proposals.forms.proposals import TypedForm
from proposals.grounds.pattern_page import PatternPage
from proposals.models import Proposal


def _rows() -> "QuerySet[Pattern]":
    known = Pattern.objects.defer("centroid", "meaning")
    links = [Prefetch(name, known) for name in ("duplicate_of", "split_from")]
    answers = Prefetch("answered_by", Version.objects.select_related("document").defer(*WHOLE))
    return known.select_related("agent").prefetch_related(answers, *links).filter(pk=key("key"))


_SHOWN: Final = Compiled(_rows)
may_see = permission_required("feedback.view_pattern", raise_exception=True)
may_curate = permission_required("feedback.curate_pattern", raise_exception=True)


@require_safe
@may_see
def pattern(request: PersonRequest, pk: int) -> HttpResponseBase:
    """Label, trend, evidence and the proposals that came of it; a merged one leads to where its reports are."""
    found = _shown(pk)
    if found.pk != pk:
        return redirect("pattern", found.pk)
    if found.status in (Pattern.Status.PROPOSED, Pattern.Status.WATCHING):
        open_evidence(user=request.user, pattern=pk)
    return _page(request, pk, found=found)


@require_http_methods(["GET", "HEAD", "POST"])
@may_curate
def draft(request: PersonRequest, pk: int) -> HttpResponseBase:
    """Draft from the pattern now; where that cannot be, say why."""
    get_object_or_404(Pattern, pk=pk)
    if request.method != "POST":
        return redirect("pattern", pk)
    outcome = drafting.draft(pk, requested_by=request.user)
    if isinstance(outcome, Proposal):
        messages.success(request, "Drafted. You asked for it, so somebody else decides.")
        return _see("proposal", outcome.pk)
    return _page(request, pk, refusal=f"Nothing was drafted: {outcome}", status=409)


@require_http_methods(["GET", "HEAD", "POST"])
@may_curate
def dismiss(request: PersonRequest, pk: int) -> HttpResponseBase:
    """Say that the pattern is wrongly found."""
    form = DismissForm(request.POST, others=_others(request.user, pk), auto_id="dismiss_%s")

    def act() -> Pattern:
        return patterns.dismiss(pk, user=request.user, **form.cleaned_data)

    return _act(request, pk, form, act, "Dismissed. Nothing is drafted from it, and nothing like it opens.")


@require_http_methods(["GET", "HEAD", "POST"])
@may_curate
def reopen(request: PersonRequest, pk: int) -> HttpResponseBase:
    """Take a dismissal back."""
    return _act(
        request,
        pk,
        TypedForm(request.POST),
        lambda: patterns.reopen(pk, user=request.user),
        "Reopened. It is looked at again.",
    )


@require_http_methods(["GET", "HEAD", "POST"])
@may_curate
def rename(request: PersonRequest, pk: int) -> HttpResponseBase:
    """Give it a label by hand, or let it be named by what is reported again."""
    form = RenameForm(request.POST, auto_id="rename_%s")

    def act() -> Pattern:
        return patterns.rename(pk, user=request.user, label=form.cleaned_data["label"])

    return _act(request, pk, form, act, "Renamed.")


@require_http_methods(["GET", "HEAD", "POST"])
@may_curate
def merge(request: PersonRequest, pk: int) -> HttpResponseBase:
    """Merge another pattern into this one."""
    form = MergeForm(request.POST, others=_others(request.user, pk), auto_id="merge_%s")

    def act() -> Pattern:
        other = form.cleaned_data["other"]
        if other is None:
            raise PatternError("Choose the pattern to merge into this one.", field="other")
        return regrouping.merge(pk, other_id=other, user=request.user)

    return _act(request, pk, form, act, "Merged. What would have joined the other counts here from now on.")


@require_http_methods(["GET", "HEAD", "POST"])
@may_curate
def part(request: PersonRequest, pk: int) -> HttpResponseBase:
    """Take a merged pattern apart again."""
    return _act(
        request,
        pk,
        TypedForm(request.POST),
        lambda: regrouping.part(pk, user=request.user),
        "Taken apart. This pattern has its reports again.",
    )


@require_http_methods(["GET", "HEAD", "POST"])
@may_curate
def split(request: PersonRequest, pk: int) -> HttpResponseBase:
    """Make a pattern of its own of the chosen reports."""
    form = SplitForm(request.POST, auto_id="split_%s")

    def act() -> Pattern:
        chosen = form.cleaned_data
        return regrouping.split(pk, evidence_ids=chosen["items"], label=chosen["label"], user=request.user)

    return _act(request, pk, form, act, "Split off. Later reports go to whichever of the two they are nearer to.")


def _act(request: PersonRequest, pk: int, form: TypedForm, act: Callable[[], Pattern], done: str) -> HttpResponseBase:
    """Do it and lead to the pattern it is about, or show the page with what was typed and why not."""
    get_object_or_404(Pattern, pk=pk)
    if request.method != "POST":
        return redirect("pattern", pk)
    if not form.is_valid():
        return _page(request, pk, form=form, status=422)
    try:
        found = act()
    except PatternError as refusal:
        if not refusal.field:
            return _page(request, pk, form=form, refusal=str(refusal), status=409)
        form.refuse(refusal.field, str(refusal))
        return _page(request, pk, form=form, status=422)
    messages.success(request, done)
    return _see("pattern", found.pk)


def _others(user: User, pk: int) -> list[tuple[int, str]]:
    return PatternPage(get_object_or_404(Pattern, pk=pk), QueryDict(), user).others


def _shown(pk: int) -> Pattern:
    """The pattern, or the one it was merged into."""
    found = next(iter(_SHOWN.ask(key=pk)), None) if pk <= BigIntegerField.MAX_BIGINT else None
    if found is None:
        raise Http404("No such pattern.")
    if found.status != Pattern.Status.MERGED:
        return found
    return _SHOWN.ask(key=Pattern.objects.filter(agent=found.agent_id).roots()[pk])[0]


def _page(
    request: PersonRequest,
    pk: int,
    *,
    found: Pattern | None = None,
    refusal: str = "",
    form: TypedForm | None = None,
    status: int = 200,
) -> HttpResponse:
    found = found or _shown(pk)
    shown = PatternPage(found, request.GET, request.user)
    forms: dict[str, TypedForm] = {}
    if request.user.has_perm("feedback.curate_pattern"):
        forms = {
            "dismissing": DismissForm(others=shown.others, auto_id="dismiss_%s"),
            "merging": MergeForm(others=shown.others, auto_id="merge_%s"),
            "renaming": RenameForm(initial={"label": found.label}, auto_id="rename_%s"),
            "splitting": SplitForm(auto_id="split_%s"),
        }
        forms |= {name: form for name, empty in forms.items() if form is not None and type(form) is type(empty)}
    context = {"place": "patterns", "pattern": found, "shown": shown, "page": shown.page, "refusal": refusal}
    context |= {"memory": shown.memory, "left_out": shown.left_out}
    return render(request, "proposals/pattern.html", context | {"form": form} | forms, status=status)


def _see(name: str, pk: int) -> HttpResponse:
    answer = redirect(name, pk)
    answer.status_code = 303
    return answer
