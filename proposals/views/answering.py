"""A person's own change that answers a pattern: `?pattern=` on the page to propose one says which."""

from django.contrib import messages
from django.http import Http404, HttpRequest

from agents.models import Document
from feedback.models import Pattern
from proposals.actions import drafting
from proposals.drafting import Declined

MAX_LABEL = 120


def asked_for(request: HttpRequest, document: Document) -> Pattern | None:
    """The pattern the address names, or the one it was merged into; None when it names none.

    Raises Http404 for what is no pattern of the document's agent.
    """
    given = request.GET.get("pattern", "")
    if not given:
        return None
    if not (given.isascii() and given.isdigit() and len(given) < 18):
        raise Http404("There is no such pattern.")
    patterns = Pattern.objects.filter(agent=document.agent_id)
    found = patterns.filter(pk=patterns.roots().get(int(given), int(given))).defer("centroid").first()
    if found is None:
        raise Http404("There is no such pattern.")
    return found


def begun(request: HttpRequest, document: Document, pattern: Pattern | None) -> dict[str, str]:
    """What the form says at first: why the change is needed, and for praise the rule that keeps what is praised."""
    if pattern is None or pattern.kind != Pattern.Kind.SUCCESS:
        return reason(pattern)
    made = drafting.keeping(pattern, document)
    if isinstance(made, Declined):
        messages.info(request, f"No rule was begun for you: {made.reason}.")
        return reason(pattern)
    return {"text": made.text, "title": made.title, "rationale": made.rationale}


def reason(pattern: Pattern | None) -> dict[str, str]:
    """What the form says at first of why the change is needed."""
    if pattern is None:
        return {}
    told = f"{pattern.sources} sources sent {pattern.support} reports that say the same: {str(pattern)[:MAX_LABEL]}."
    return {"rationale": told}
