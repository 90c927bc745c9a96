"""Acts of consequence: who does one proved not long ago who they are."""

from django.http import HttpResponse
from django.urls import reverse

from people import fresh
from people.requests import PersonRequest
from proposals.authority import policies
from proposals.forms.proposals import MAX_NOTE, DecisionForm
from proposals.models import Decision
from proposals.reviewing import review


def before_deciding(request: PersonRequest, pk: int, form: DecisionForm) -> HttpResponse | None:
    """The way to a fresh proof, where approving this needs one; None where it does not.

    Asked of the newest revision: a decision on
    another is refused anyway.
    """
    word = form.cleaned_data
    if word["verdict"] != Decision.Verdict.APPROVE or fresh.is_fresh(request):
        return None
    proposal = review.find(pk)
    if not policies.needs_proof(proposal, review.newest(proposal)):
        return None
    typed = word | {"shares": ", ".join(map(str, word["shares"]))}
    return fresh.ask_again(request, back=reverse("proposal", args=[pk]), words=typed)


def form_again(request: PersonRequest, pk: int) -> DecisionForm | None:
    """The decision form as it was before the detour, or before the proposal was brought up to date; None otherwise."""
    words = fresh.take_words(request, reverse("proposal", args=[pk]))
    if not words:
        return None
    return DecisionForm(words) if "verdict" in words else DecisionForm(initial=words)


def keep_note(request: PersonRequest, pk: int) -> None:
    """Hand what was typed beside the decision to the page that is shown next."""
    if words := typed_beside(request):
        fresh.keep_words(request, back=reverse("proposal", args=[pk]), words=words)


def typed_beside(request: PersonRequest) -> dict[str, str]:
    """The note and reason of a decision form that was sent for something else than deciding."""
    typed = {"note": request.POST.get("note", "")[:MAX_NOTE], "reason": request.POST.get("reason", "")}
    is_known = typed["reason"] in Decision.Reason.values
    return typed if typed["note"].strip() or is_known else {}
