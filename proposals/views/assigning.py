"""Asking somebody to decide a proposal, on its page."""

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from people.requests import PersonRequest
from proposals import queue
from proposals.actions import assignments
from proposals.exceptions import ReviewError
from proposals.forms.queue import AssignForm
from proposals.models import Proposal
from proposals.reviewing import review
from proposals.views.refusals import show_in, status_of
from proposals.views.review import show

may_assign = permission_required("proposals.propose_change", raise_exception=True)


@require_http_methods(["GET", "HEAD", "POST"])
@may_assign
def assign(request: PersonRequest, pk: int) -> HttpResponseBase:
    """Ask a person, a role or a team to decide this one."""
    if request.method != "POST":
        return redirect("proposal", pk)
    get_object_or_404(Proposal, pk=pk)
    form = AssignForm(request.POST)
    try:
        if not form.is_valid():
            return _again(request, pk, form, 422)
        made = assignments.assign(pk, user=request.user, to=form.to)
    except ReviewError as refusal:
        return _again(request, pk, form, show_in(form, refusal))
    whom = form.asked
    messages.success(request, f"Assigned to {whom}." if made else f"It was assigned to {whom} already.")
    return _see(request, pk)


@require_http_methods(["GET", "HEAD", "POST"])
@may_assign
def unassign(request: PersonRequest, pk: int) -> HttpResponseBase:
    """Take an assignment back."""
    if request.method != "POST":
        return redirect("proposal", pk)
    get_object_or_404(Proposal, pk=pk)
    number = request.POST.get("assignment", "")
    known = int(number) if number.isascii() and number.isdigit() and len(number) < 19 else 0
    try:
        done = assignments.unassign(pk, user=request.user, assignment_id=known)
    except ReviewError as refusal:
        form = AssignForm({})
        form.refuse("", str(refusal))
        return _again(request, pk, form, status_of(refusal))
    messages.success(request, "Not assigned any more." if done else "That assignment was taken back already.")
    return _see(request, pk)


def _again(request: PersonRequest, pk: int, form: AssignForm, status: int) -> HttpResponse:
    return show(request, review.find(pk), assign_form=form, status=status)


def _see(request: PersonRequest, pk: int) -> HttpResponse:
    answer = redirect(reverse("proposal", args=[pk]) + queue.Place.carried(request.GET).suffix)
    answer.status_code = 303
    return answer
