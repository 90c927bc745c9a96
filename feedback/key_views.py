"""Ending the probation of a key on its page."""

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from agents.models import ApiKey
from audit.record import Actor
from feedback.actions import probation
from people.requests import PersonRequest


@require_POST
@permission_required("agents.manage_key", raise_exception=True)
def end_probation(request: PersonRequest, prefix: str) -> HttpResponse:
    """Let the reports of a key count like any."""
    key = get_object_or_404(ApiKey, prefix=prefix)
    done = probation.end(prefix, actor=Actor.person(request.user), by=request.user)
    messages.success(request, f"{key} is {'no longer' if done else 'not'} on probation.")
    answer = redirect("key", prefix)
    answer.status_code = 303
    return answer
