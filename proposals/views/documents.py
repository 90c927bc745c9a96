"""A document: its text, its history, any two versions side by side, and the ways to change it."""

from typing import Any, Final

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from agents.compiled import Compiled, keys
from agents.models import Document, Release, Version, whole_of
from people import fresh
from people.requests import PersonRequest
from proposals.actions import proposals, rollbacks
from proposals.diffs import Diff, compute
from proposals.exceptions import ReviewError
from proposals.forms.proposals import CompareForm, ProposeForm, RollBackForm
from proposals.grounds import growth
from proposals.models import Proposal
from proposals.provenance import blame
from proposals.reviewing import carrying, shown
from proposals.reviewing.carrying import Carried
from proposals.reviewing.parts import LARGEST, Part
from proposals.rollouts import page as rollout_page
from proposals.status.resting import resting
from proposals.status.undone import dropped_by
from proposals.views import answering, reversing
from proposals.views.attention import to_decision
from proposals.views.editing import editor, template
from proposals.views.refusals import show_in

VERSIONS_PER_PAGE = 30
VIEWS = {"inline": "Inline", "side": "Side by side"}
may_see = permission_required("agents.view_agent", raise_exception=True)
may_propose = permission_required("proposals.propose_change", raise_exception=True)
may_roll_back = permission_required("proposals.roll_back", raise_exception=True)


def _find(slug: str, name: str) -> Document:
    found = Document.objects.named(slug, name).select_related("agent", "current")
    found = found.prefetch_related("sections__owners", "sections__owner_teams")
    return get_object_or_404(found)


def _newest(document: Document) -> int:
    """The number of its last version; numbers have no gaps."""
    return document.versions.values_list("number", flat=True).order_by("-number")[:1].get()


@require_safe
@may_see
def document(request: PersonRequest, slug: str, name: str) -> HttpResponse:
    """The current text, what was current when, and what is proposed."""
    found = _find(slug, name)
    context = {
        "place": "agents",
        "document": found,
        "code": shown.is_code(found),
        "sections": [section for section in found.sections.all() if section.is_protected],
        "part": _part(request, found, found.current),
        "page": _releases(found, request.GET.get("page")),
        "may_roll_back": request.user.has_perm("proposals.roll_back"),
        "size": growth.size_of(found.current) if found.current else None,
        "growth": growth.of_document(found.pk, last=found.current.number) if found.current else None,
        "rollouts": rollout_page.of_document(found, request.user),
        "open_proposals": found.proposals.open().order_by("-pk")[:20],
    }
    return render(request, "proposals/document.html", context)


def _joined() -> "QuerySet[Release]":
    joined = Release.objects.select_related(
        "version__restores", "version__proposal__bypass", "version__proposal__self_start"
    )
    texts = [*whole_of("version"), *whole_of("version__restores"), "version__proposal__rationale"]
    return joined.defer(*texts).filter(**{"pk__any_of": keys("wanted")}).order_by("-at", "-pk")


_RELEASES: Final = Compiled(_joined)


def _releases(found: Document, number: str | None) -> "Page[Any]":
    """What was current when, a page of it, with the versions and what became of them."""
    page: Page[Any] = Paginator(found.releases.values_list("pk", flat=True), VERSIONS_PER_PAGE).get_page(number)
    page.object_list = _RELEASES.ask(wanted=list(page.object_list))
    return page


@require_safe
@may_see
def version(request: PersonRequest, slug: str, name: str, number: int) -> HttpResponse:
    """One immutable version: text, digest, where it came from, when it was current."""
    found = _find(slug, name)
    joined = found.versions.select_related(
        "parent", "restores", "proposal__bypass", "proposal__self_start", "proposal__outcome"
    )
    this = get_object_or_404(joined, number=number)
    if request.GET.get("view") == "blame":
        return render(request, "proposals/blame.html", _blamed(request, found, this))
    context = {
        "place": "agents",
        "document": found,
        "code": shown.is_code(found),
        "version": this,
        "part": _part(request, found, this),
        "releases": list(this.releases.all()[:20]),
        "rollout": rollout_page.of_version(this, request.user),
    }
    return render(request, "proposals/version.html", context)


def _part(
    request: PersonRequest, found: Document, this: Version | None, largest: int = LARGEST
) -> Part[shown.TextLine]:
    lines = shown.text_lines(found, this.text) if this else []
    return shown.part(lines, request.GET, largest=largest)


def _blamed(request: PersonRequest, found: Document, this: Version) -> dict[str, object]:
    part = _part(request, found, this, LARGEST // 3)  # much stands beside each line
    return {
        "place": "agents",
        "document": found,
        "code": shown.is_code(found),
        "version": this,
        "part": part,
        "stretches": blame.stretches(this, part.lines),
    }


@require_safe
@may_see
def download(request: PersonRequest, slug: str, name: str, number: int) -> HttpResponse:
    """The text of one version, byte for byte as agents get it, as a file."""
    found = _find(slug, name)
    this = get_object_or_404(found.versions, number=number)
    ending = "txt" if shown.is_code(found) else "md"
    answer = HttpResponse(this.text, content_type="text/plain; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{slug}-{name}-v{number}.{ending}"'
    return answer


@require_safe
@may_see
def compare(request: PersonRequest, slug: str, name: str) -> HttpResponse:
    """Any two versions; without a choice, the current one and the one before it."""
    found = _find(slug, name)
    newest = _newest(found)
    form = CompareForm(_chosen(request, found, newest), newest=newest)
    context = {"place": "agents", "document": found, "code": shown.is_code(found), "form": form, "views": VIEWS.items()}
    if not form.is_valid():
        return render(request, "proposals/compare.html", context, status=422)
    texts = {v.number: v for v in found.versions.filter(number__in=form.cleaned_data.values())}
    before, after = texts[form.cleaned_data["from"]], texts[form.cleaned_data["to"]]
    difference = compute(before.text, after.text, _protected(found))
    context |= {"before": before, "after": after, "difference": difference, **_laid_out(request, difference)}
    return render(request, "proposals/compare.html", context)


def _chosen(request: PersonRequest, found: Document, newest: int) -> dict[str, str]:
    current = found.current.number if found.current else newest
    defaults = {"from": str(max(1, current - 1)), "to": str(current)}
    return {name: request.GET.get(name, default) for name, default in defaults.items()}


def _laid_out(request: PersonRequest, difference: Diff) -> dict[str, object]:
    view = "side" if request.GET.get("view") == "side" else "inline"
    whole = request.GET.get("lines") == "all"
    lay_out = shown.beside if view == "side" else shown.inline
    part = shown.part(lay_out(difference.rows, whole=whole, opened=shown.opened(request.GET)), request.GET)
    return {"view": view, "whole": whole, "lines": part.lines, "part": part}


def _protected(found: Document) -> list[str]:
    return [section.heading for section in found.sections.all() if section.is_protected]


@require_http_methods(["GET", "HEAD", "POST"])
@may_propose
def propose(request: PersonRequest, slug: str, name: str) -> HttpResponseBase:
    """An editor with the current text; sent, a proposal for somebody else to decide. “Preview” sends nothing."""
    found = _find(slug, name)
    pattern = answering.asked_for(request, found)
    if request.method != "POST":
        start = {"text": found.current.text, "base": found.current.number} if found.current else {}
        start |= answering.begun(request, found, pattern) or reversing.reverse(request, found)
        return _propose(request, found, ProposeForm(initial=start))
    form = ProposeForm(request.POST)
    if "preview" in request.POST:
        return _propose(request, found, form)
    if "merge" in request.POST:
        return _merge(request, found, form)
    if not form.is_valid():
        return _propose(request, found, form, status=422)
    typed = {name: form.cleaned_data[name] for name in ("text", "title", "rationale", "again")}
    try:
        made = proposals.submit(
            document=found,
            base_number=form.cleaned_data["base"],
            user=request.user,
            pattern_id=pattern.pk if pattern else None,
            **typed,
        )
    except ReviewError as refusal:
        return _propose(request, found, form, status=show_in(form, refusal))
    messages.success(request, to_decision(_proposed()))
    return _see(made)


def _proposed() -> str:
    if settings.COUNTERSIGN_SINGLE_OPERATOR:
        return "Proposed. It waits for a decision, which on this board may be yours."
    return "Proposed. It waits for somebody else to decide."


def _merge(request: PersonRequest, found: Document, form: ProposeForm) -> HttpResponse:
    """What was typed for an older version, carried over to the current one; nothing is sent."""
    base, text = form["base"].value(), str(form["text"].value() or "")
    try:
        carried = carrying.typed_onto_current(found, text, base=_number(base))
    except ReviewError as refusal:
        return _propose(request, found, form, status=show_in(form, refusal))
    typed = {name: form[name].value() for name in form.fields}
    merged = ProposeForm(typed | {"text": carried.text, "base": carried.base})
    return _propose(request, found, merged, carried)


def _propose(
    request: PersonRequest, found: Document, form: ProposeForm, carried: Carried | None = None, *, status: int = 200
) -> HttpResponse:
    is_behind = found.current and str(form["base"].value()) != str(found.current.number)
    context = {
        "carried": carried,
        "behind": str(found.current) if is_behind else "",
        "again": reverse("propose", args=[found.agent.slug, found.slug]),
        "place": "agents",
        "document": found,
        "form": form,
        "pattern": answering.asked_for(request, found),
        "resting": resting(found),
    } | editor(request, found, form)
    return render(request, template(request, "proposals/propose.html"), context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@may_roll_back
def roll_back(request: PersonRequest, slug: str, name: str) -> HttpResponseBase:
    """Preview what going back to an older text changes; with a reason, do it at once."""
    found = _find(slug, name)
    target = get_object_or_404(found.versions, number=_number(request.GET.get("to")))
    here = f"{reverse('roll_back', args=[slug, name])}?to={target.number}"
    if request.method != "POST":
        words = fresh.take_words(request, here)
        return _roll_back(request, found, target, RollBackForm(initial=words), is_back=bool(words))
    form = RollBackForm(request.POST)
    if not form.is_valid():
        return _roll_back(request, found, target, form, status=422)
    if not fresh.is_fresh(request):
        return fresh.ask_again(request, back=here, words=form.cleaned_data)
    seen, reason = form.cleaned_data["current"], form.cleaned_data["reason"]
    try:
        made = rollbacks.roll_back(
            found.pk, user=request.user, to_number=target.number, current_number=seen, reason=reason
        )
    except ReviewError as refusal:
        return _roll_back(request, _find(slug, name), target, form, status=show_in(form, refusal))
    messages.success(request, f"Rolled back. The text of version {target.number} is current again.")
    return _see(made)


def _number(given: str | None) -> int:
    return int(given) if given and given.isascii() and given.isdigit() and len(given) < 10 else 0


def _roll_back(
    request: PersonRequest,
    found: Document,
    target: Version,
    form: RollBackForm,
    *,
    is_back: bool = False,
    status: int = 200,
) -> HttpResponse:
    difference = compute(found.current.text if found.current else "", target.text, _protected(found))
    whole = request.GET.get("lines") == "all"
    lines = shown.inline(difference.rows, whole=whole, opened=shown.opened(request.GET))
    part = shown.part(lines, request.GET)
    context = {
        "place": "agents",
        "document": found,
        "code": shown.is_code(found),
        "target": target,
        "form": form,
        "is_back": is_back,
        "difference": difference,
        "dropped": dropped_by(found.pk, target.number),
        "lines": part.lines,
        "part": part,
        "here": reverse("roll_back", args=[found.agent.slug, found.slug]),
    }
    return render(request, "proposals/roll_back.html", context, status=status)


def _see(proposal: Proposal) -> HttpResponse:
    answer = redirect("proposal", proposal.pk)
    answer.status_code = 303
    return answer
