"""Acts of consequence: who does one proved not long ago who they are."""

from django.http import HttpResponse
from django.urls import reverse

from people import fresh
from people.requests import PersonRequest
from proposals import policies, review
from proposals.forms import DecisionForm
from proposals.models import Decision


def before_deciding(request: PersonRequest, pk: int, form: DecisionForm) -> HttpResponse | None:
    """The way to a fresh proof, where approving this needs one; None where it does not.

    Asked of the newest revision: a decision on another is refused anyway.
    """
    word = form.cleaned_data
    if word["verdict"] != Decision.Verdict.APPROVE or fresh.is_fresh(request):
        return None
    proposal = review.find(pk)
    if not policies.touched_protected(review.newest(proposal), proposal.document.sections.all()):
        return None
    return fresh.ask_again(request, back=reverse("proposal", args=[pk]), words=word)


def form_again(request: PersonRequest, pk: int) -> DecisionForm | None:
    """The decision form as it was before the detour, if there was one."""
    words = fresh.take_words(request, reverse("proposal", args=[pk]))
    return DecisionForm(words) if words else None
