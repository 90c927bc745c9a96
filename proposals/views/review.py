"""The page of one proposal, and what is done there."""

import sys
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.db.models import QuerySet
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe
from django.views.decorators.vary import vary_on_headers

from agents.models import whole_of
from feedback.charts import spark
from feedback.trends import trends
from people.models import User
from people.requests import PersonRequest
from proposals import queue
from proposals.actions import decisions, drafting, proposals, redrafts
from proposals.actions.attention import Looked, open_evidence
from proposals.actions.stepping import step
from proposals.authority import policies
from proposals.checking.checks import CheckResult
from proposals.diffs import Diff
from proposals.exceptions import ReviewError
from proposals.forms.proposals import DecisionForm
from proposals.forms.queue import AssignForm
from proposals.grounds import evidence, memory
from proposals.models import Check, Decision, Drift, Proposal, Revision, Rollout
from proposals.queue import Place
from proposals.reviewing import interdiff, review, shown, talks, trials
from proposals.reviewing.beside import beside
from proposals.reviewing.lag import lag, outdated_by
from proposals.reviewing.parts import LARGEST, Part
from proposals.rollouts import page as rollout_page
from proposals.rollouts.page import rollout_of
from proposals.status import came_of
from proposals.status.holdings import Holdings, holdings
from proposals.status.resting import resting
from proposals.views.attention import and_next, around
from proposals.views.confirming import before_deciding, form_again, keep_note, typed_beside
from proposals.views.refusals import show_in, status_of

VIEWS = {"inline": "Inline", "side": "Side by side", "full": "Full text"}
may_see = permission_required("proposals.view_proposal", raise_exception=True)


@require_safe
@may_see
@vary_on_headers("HX-Request", "HX-Target")
def page(request: PersonRequest, pk: int) -> HttpResponse:
    """The change, its reason, evidence, checks and consequence; and the decision."""
    kept = None if request.htmx.target == "change" else form_again(request, pk)
    proposal = review.find(pk)
    if request.method == "GET" and evidence.OPENS in request.GET:
        open_evidence(user=request.user, proposal=pk)
    return show(request, proposal, kept)


@require_http_methods(["GET", "HEAD", "POST"])
@may_see
def decide(request: PersonRequest, pk: int) -> HttpResponseBase:
    """Approve, request changes or reject; a refusal shows the present state with the words typed."""
    if request.method != "POST":
        return redirect("proposal", pk)
    form = DecisionForm(request.POST)
    if not form.is_valid():
        return show(request, review.find(pk), form, status=422)
    get_object_or_404(Proposal, pk=pk)
    if detour := before_deciding(request, pk, form):
        return detour
    try:
        said = _carry_out(pk, request.user, form)
    except ReviewError as refusal:
        status = show_in(form, refusal)
        return show(request, review.find(pk), form, status=status)
    messages.success(request, and_next(request, said, pk))
    return _see(pk, Place.carried(request.GET).suffix)


def _carry_out(pk: int, user: User, form: DecisionForm) -> str:
    """Call the action that was pressed; what to say afterwards."""
    word = form.cleaned_data
    match word["verdict"]:
        case Decision.Verdict.APPROVE:
            start, shares = form.start_of
            decisions.approve(
                pk,
                user=user,
                digest=word["digest"],
                note=word["note"],
                start=start,
                shares=shares,
                answers=form.answers,
            )
            return _approved(Proposal.objects.select_related("published", "rollout__split").get(pk=pk))
        case Decision.Verdict.REQUEST_CHANGES:
            decisions.request_changes(pk, user=user, digest=word["digest"], note=word["note"])
            return f"Changes requested. {_sent_back(Proposal.objects.get(pk=pk))}"
        case _:
            decisions.reject(pk, user=user, digest=word["digest"], reason=word["reason"], note=word["note"])
            undone = Rollout.objects.filter(proposal=pk, started_by=None).exists()
            said = "Rejected, and taken from everybody again." if undone else "Rejected."
            return f"{said} Nothing like it is drafted again before there is new evidence."


def _sent_back(proposal: Proposal) -> str:
    """Who writes the next text, if anybody does."""
    worded = policies.last_worded(proposal)
    if worded and worded.author:
        return f"It is {worded.author}’s to amend; anybody who may propose can, too."
    if worded:
        return "An agent wrote it, and agents read no notes: amend it yourself, or assign it to somebody."
    return redrafts.NOBODY_READS


def _approved(proposal: Proposal) -> str:
    if proposal.status == Proposal.Status.IN_EFFECT:
        return "Approval recorded. It is confirmed with the last approval needed."
    if proposal.status != Proposal.Status.APPROVED or proposal.published is None:
        return "Approval recorded. The change takes effect with the last approval needed."
    if proposal.origin == Proposal.Origin.ROLLBACK or policies.bypasser_id(proposal):
        return f"Confirmed: version {proposal.published.number} was right."
    if rollout := rollout_of(proposal):
        share = f"{rollout.share}\u00a0%"
        if rollout.began_by_itself:
            return f"Confirmed. Version {proposal.published.number} goes on by its plan, at {share} of the units."
        return f"Approved. Version {proposal.published.number} is served to {share} of the units from now on."
    return f"Approved. Version {proposal.published.number} is current from now on."


@require_http_methods(["GET", "HEAD", "POST"])
@may_see
def rebase(request: PersonRequest, pk: int) -> HttpResponseBase:
    """Move the change onto the current version; what was typed beside the decision is kept."""
    if request.method != "POST":
        return redirect("proposal", pk)
    get_object_or_404(Proposal, pk=pk)
    try:
        revision = drafting.carry_over(pk, user=request.user)
    except ReviewError as refusal:
        form = DecisionForm(initial=typed_beside(request))
        return show(request, review.find(pk), form, refusal=str(refusal), status=status_of(refusal))
    keep_note(request, pk)
    messages.success(request, f"Revision {revision.number}: {revision.note} {outdated_by(revision)}".strip())
    return _see(pk)


@require_http_methods(["GET", "HEAD", "POST"])
@may_see
def withdraw(request: PersonRequest, pk: int) -> HttpResponseBase:
    """Take the proposal back."""
    if request.method != "POST":
        return redirect("proposal", pk)
    get_object_or_404(Proposal, pk=pk)
    try:
        proposals.withdraw(pk, user=request.user)
    except ReviewError as refusal:
        return show(request, review.find(pk), refusal=str(refusal), status=status_of(refusal))
    messages.success(request, "Withdrawn. Nothing was changed.")
    return _see(pk)


@require_http_methods(["GET", "HEAD", "POST"])
@may_see
def take_back(request: PersonRequest, pk: int) -> HttpResponseBase:
    """Take back one's own request for changes."""
    if request.method != "POST":
        return redirect("proposal", pk)
    get_object_or_404(Proposal, pk=pk)
    try:
        decisions.take_back_request(pk, user=request.user)
    except ReviewError as refusal:
        return show(request, review.find(pk), refusal=str(refusal), status=status_of(refusal))
    messages.success(request, "Your request is taken back. The text is up for decision as it is.")
    return _see(pk)


@require_safe
@may_see
def revision(request: PersonRequest, pk: int, number: int) -> HttpResponse:
    """One revision, compared with another of the proposal (`?from=`), or with the version it stands on (`?from=0`)."""
    proposal = review.find(pk)
    found = proposal.revisions.select_related("base_version", "author", "author_key")
    found = found.defer("text", "diff", *whole_of("base_version"))
    this = get_object_or_404(found, number=number)
    earlier = _compared_with(request, found, number)
    difference = step(earlier, this, _protected(proposal)) if earlier else Diff.from_json(this.diff)
    whole = request.GET.get("lines") == "all"
    part = shown.part(shown.inline(difference.rows, whole=whole, opened=shown.opened(request.GET)), request.GET)
    context = {
        "place": "review",
        "proposal": proposal,
        "this": this,
        "earlier": earlier,
        "from_label": str(earlier or this.base_version),
        "difference": difference,
        "lines": part.lines,
        "part": part,
        "code": shown.is_code(proposal.document),
    }
    return render(request, "proposals/revision.html", context)


def _compared_with(request: PersonRequest, found: QuerySet[Revision], number: int) -> Revision | None:
    """The revision asked for, else the one before; None stands for the version it was made on, asked for as 0."""
    asked = _number(request.GET.get("from", ""))
    wanted = number - 1 if asked is None else asked
    return get_object_or_404(found, number=wanted) if wanted else None


def _number(given: str) -> int | None:
    return int(given) if given.isascii() and given.isdigit() and len(given) < 6 else None


def refused(request: PersonRequest, pk: int, status: int, **more: object) -> HttpResponse:
    """The page as it is now, with what a refused act has to say and what was typed for it."""
    return show(request, review.find(pk), status=status, more=more)


def _protected(proposal: Proposal) -> list[str]:
    return [section.heading for section in proposal.document.sections.all() if section.is_protected]


def _see(pk: int, suffix: str = "") -> HttpResponse:
    answer = redirect(reverse("proposal", args=[pk]) + suffix)
    answer.status_code = 303
    return answer


def show(
    request: PersonRequest,
    proposal: Proposal,
    form: DecisionForm | None = None,
    *,
    refusal: str = "",
    assign_form: AssignForm | None = None,
    status: int = 200,
    typed: talks.Typed | None = None,
    more: Mapping[str, object] | None = None,
) -> HttpResponse:
    """The whole page, with what was typed and could not be kept; to htmx, the part it asks for."""
    newest, has = review.newest(proposal), holdings(proposal)
    context: dict[str, Any] = {
        "place": "review",
        "proposal": proposal,
        "revision": newest,
        "written": review.written(proposal),
        "here": reverse("proposal", args=[proposal.pk]),
        **_change(request, proposal, newest, has, typed),
    }
    if part := _part(request):
        return render(request, part, context)
    context |= {
        "form": form or DecisionForm(),
        "is_back": form is not None and status == 200,
        "refusal": refusal,
        **_around(request, proposal, newest, has, form, assign_form),
        **(more or {}),
    }
    shown_form: DecisionForm = context["form"]
    context["answering"] = [(check, shown_form[f"answer_{check.name}"]) for check in context["standing"].asking]
    return render(request, "proposals/proposal.html", context, status=status)


def _part(request: PersonRequest) -> str:
    """The template of the part that htmx asks for; empty for the whole page."""
    if request.htmx.boosted and request.GET.get("comment"):
        return "includes/comment_row.html"
    return "includes/change.html" if request.htmx.target == "change" else ""


def _around(
    request: PersonRequest,
    proposal: Proposal,
    newest: Revision,
    has: Holdings,
    form: DecisionForm | None,
    assign_form: AssignForm | None,
) -> dict[str, object]:
    """All that stands around the change: its grounds, its place in the queue, and what is new since one looked."""
    position = around(request, proposal, has, assign_form)
    return {
        "interdiff": _since(request, proposal, newest, form, position["looked"]),
        **_grounds(request, proposal, newest, has, has_opened=position["has_opened"]),
        **position,
    }


def _grounds(
    request: PersonRequest, proposal: Proposal, newest: Revision, has: Holdings, *, has_opened: bool
) -> dict[str, object]:
    """What a decision rests on, beside the change itself."""
    said = review.decisions(proposal) if has.decisions else []
    standing = review.standing(proposal, queue.desk_of(request), said, has=has, has_opened=has_opened)
    grounds = evidence.grounds(proposal, newest, request.GET, has, shut=standing.unopened)
    effect = review.effect(proposal, has.last) if proposal.is_open else None
    return {
        "standing": standing,
        **_checks(grounds["checks"]),
        "beside": beside(proposal, standing, effect, rolling=has.rolling) if effect else None,
        **grounds,
        "decisions": said,
        "history": review.history(proposal),
        "trend": _trend(proposal),
        "lag": lag(proposal, newest),
        "memory": memory.of_proposal(proposal) if has.rejected else None,
        "rivals": has.rivals if proposal.is_open else 0,
        "cases": trials.first_cases(proposal) if has.trials else ([], False),
        "coauthors": review.coauthors(newest),
        "resting": resting(proposal.document) if proposal.status == Proposal.Status.PENDING else "",
        "drift": Drift.at_present(proposal.document_id) if has.drifts and proposal.is_open else None,
        "redraft": review.last_redraft(proposal),
        "rollout": rollout_page.line_of(proposal, request.user) if has.rollout else None,
        "came_of": came_of.of_proposal(proposal) if has.outcome else None,
        "redraftable": proposal.is_open and not redrafts.why_not(proposal),
    }


def _checks(found: Sequence[Check | CheckResult]) -> dict[str, object]:
    raised, settled, words = review.by_need(found)
    return {"raised": raised, "settled": settled, "settled_words": words}


def _change(
    request: PersonRequest, proposal: Proposal, newest: Revision, has: Holdings, typed: talks.Typed | None
) -> dict[str, object]:
    """The change card: which view of the difference, and its lines; on paper, all that changes at once."""
    view, on_paper = request.GET.get("view", "inline"), "print" in request.GET
    view = view if view in VIEWS and not on_paper else "inline"
    whole = request.GET.get("lines") == "all"
    rows = Diff.from_json(newest.diff).rows
    asked, query = request.GET.get("comment", ""), view_query(request)
    seen = review.seen(proposal, _numbered(request, "revision")) if asked else newest
    found = talks.talks_of(
        proposal, newest, request.user, asked=asked, seen=seen, query=query, typed=typed, any_yet=has.threads
    )
    found = found.without(rows) if view == "full" else found
    lay_out = shown.beside if view == "side" else shown.inline
    part: Part[shown.Line] | Part[shown.TextLine]
    if view == "full":
        part = shown.part(shown.lines_after(proposal.document, rows, found), request.GET)
    else:
        lines = lay_out(rows, whole=whole, talks=found, opened=shown.opened(request.GET))
        part = shown.part(lines, request.GET, largest=sys.maxsize if on_paper else LARGEST)
    return {
        "talks": found,
        "view": view,
        "views": VIEWS.items(),
        "first_changed": next((str(row.new) for row in rows if row.kind != "equal" and row.new), ""),
        "part": part,
        "lines": part.lines,
        "whole": whole,
        "code": shown.is_code(proposal.document),
    }


def _numbered(request: PersonRequest, name: str) -> int:
    given = request.GET.get(name, "")
    return int(given) if given.isascii() and given.isdigit() and len(given) < 6 else 0


def view_query(request: PersonRequest) -> str:
    """The part of the address that says which view of the change is open."""
    kept = {"view": request.GET.get("view", ""), "lines": request.GET.get("lines", "")}
    folds = ".".join(map(str, sorted(shown.opened(request.GET))))
    known = {"view": [*VIEWS][1:], "lines": ["all", *filter(None, [folds])]}
    return urlencode({name: value for name, value in kept.items() if value in known[name]})


def _since(
    request: PersonRequest, proposal: Proposal, newest: Revision, form: DecisionForm | None, looked: Looked | None
) -> interdiff.Interdiff | None:
    """What changed since the person looked; a form that was sent tells which revision they saw."""
    if not proposal.is_open:
        return None
    sent = str(form["digest"].value() or "")[:64] if form and form.is_bound else ""
    seen = (looked and looked.number) or 0
    asked = _number(request.GET.get("since", "")) or 0
    folds = shown.opened(request.GET, "came")
    return interdiff.since(proposal, newest, request.user, digest=sent, seen=seen, asked=asked, opened=folds)


def _trend(proposal: Proposal) -> object:
    found = trends({proposal.pattern_id} if proposal.pattern_id else set())
    return spark(found.get(proposal.pattern_id or 0, []), width=150, height=40)
