"""What is done in the talks about a change. Each answers with its thread to htmx, else with the page."""

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from people.requests import PersonRequest
from proposals.actions import comments
from proposals.exceptions import ReviewError
from proposals.forms.proposals import CommentForm, ReplyForm
from proposals.models import Comment, Proposal, Thread
from proposals.reviewing import review
from proposals.reviewing.talks import Typed, spot_of, talk_of, talks_of, widened
from proposals.views.refusals import show_in, status_of
from proposals.views.review import may_see, show, view_query


@require_http_methods(["GET", "HEAD", "POST"])
@may_see
def comment(request: PersonRequest, pk: int) -> HttpResponseBase:
    """Comment on lines; a refusal shows the form again with all that was typed."""
    if request.method != "POST":
        return redirect("proposal", pk)
    proposal = review.find(pk)
    form = CommentForm(request.POST)
    spot = spot_of(form)
    if "more" in request.POST and spot:
        return _form(request, proposal, widened(form, review.seen(proposal, spot.revision), spot), status=200)
    if not form.is_valid() or spot is None:
        return _form(request, proposal, form, status=422)
    try:
        made = comments.open_thread(
            pk, user=request.user, spot=spot, text=form.cleaned_data["text"], wording=form.wording
        )
    except ReviewError as refusal:
        return _form(request, proposal, form, status=show_in(form, refusal))
    return _thread(request, made)


@require_http_methods(["GET", "HEAD", "POST"])
@may_see
def reply(request: PersonRequest, pk: int) -> HttpResponseBase:
    """Add to a thread."""
    thread = get_object_or_404(Thread, pk=pk)
    if request.method != "POST":
        return redirect("proposal", thread.proposal_id)
    form = ReplyForm(request.POST, auto_id=f"t{pk}_%s")
    if not form.is_valid():
        return _thread(request, thread, Typed(form, pk), status=422)
    try:
        comments.reply(pk, user=request.user, text=form.cleaned_data["text"], wording=form.wording)
    except ReviewError as refusal:
        status = show_in(form, refusal)
        return _thread(request, thread, Typed(form, pk), status=status)
    return _thread(request, thread)


@require_http_methods(["GET", "HEAD", "POST"])
@may_see
def resolve(request: PersonRequest, pk: int) -> HttpResponseBase:
    """Settle a thread."""
    return _settle(request, pk, comments.resolve)


@require_http_methods(["GET", "HEAD", "POST"])
@may_see
def reopen(request: PersonRequest, pk: int) -> HttpResponseBase:
    """Take up a settled thread again."""
    return _settle(request, pk, comments.reopen)


def _settle(request: PersonRequest, pk: int, act: Callable[..., Thread]) -> HttpResponseBase:
    thread = get_object_or_404(Thread, pk=pk)
    if request.method != "POST":
        return redirect("proposal", thread.proposal_id)
    try:
        act(pk, user=request.user)
    except ReviewError as refusal:
        return _thread(request, thread, Typed(thread=pk, refusal=str(refusal)), status=status_of(refusal))
    return _thread(request, thread)


@require_http_methods(["GET", "HEAD", "POST"])
@may_see
def apply(request: PersonRequest, pk: int) -> HttpResponseBase:
    """Take over a suggested wording: the text changes, so the whole page is new."""
    thread = get_object_or_404(Comment.objects.select_related("thread"), pk=pk).thread
    if request.method != "POST":
        return redirect("proposal", thread.proposal_id)
    try:
        made = comments.apply_suggestion(pk, user=request.user, digest=request.POST.get("digest", ""))
    except ReviewError as refusal:
        proposal = review.find(thread.proposal_id)
        return show(request, proposal, refusal=str(refusal), status=status_of(refusal))
    messages.success(request, f"Applied. Revision {made.number} is what people decide on now.")
    return _see(request, thread)


def _form(request: PersonRequest, proposal: Proposal, form: CommentForm, *, status: int) -> HttpResponse:
    typed = Typed(form)
    if not request.htmx:
        return show(request, proposal, typed=typed, status=status)
    talks = talks_of(proposal, review.newest(proposal), request.user, query=view_query(request), typed=typed)
    context = {"proposal": proposal, "revision": review.newest(proposal), "talks": talks}
    return render(request, "includes/comment_form.html", context, status=status)


def _thread(
    request: PersonRequest, thread: Thread, typed: Typed | None = None, *, status: int = 200
) -> HttpResponseBase:
    """The thread as it is now; without htmx, the page with it, or the way there when nothing went wrong."""
    if not request.htmx and not typed:
        return _see(request, thread)
    proposal = review.find(thread.proposal_id)
    if not request.htmx:
        return show(request, proposal, typed=typed, status=status)
    thread = Thread.objects.for_page().get(pk=thread.pk)
    unresolved = list(proposal.threads.unresolved().order_by("pk").values_list("pk", flat=True))
    context = {
        "talk": talk_of(thread, proposal, review.newest(proposal), request.user, typed),
        "unresolved": len(unresolved),
        "first_unresolved": next(iter(unresolved), None),
        "query": _query(request),
        "answer": True,
    }
    return render(request, "includes/thread.html", context, status=status)


def _query(request: PersonRequest) -> str:
    query = view_query(request)
    return f"?{query}" if query else ""


def _see(request: PersonRequest, thread: Thread) -> HttpResponse:
    answer = redirect(f"{reverse('proposal', args=[thread.proposal_id])}{_query(request)}#thread-{thread.pk}")
    answer.status_code = 303
    return answer
