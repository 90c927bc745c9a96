"""A person's own change that takes another out again: `?undo=` on the page to propose one says which."""

from django.http import Http404, HttpRequest

from agents.models import Document
from proposals.actions.proposals import MAX_TITLE
from proposals.diffs.merging import merge


def reverse(request: HttpRequest, document: Document) -> dict[str, str]:
    """What the form says at first: the current text without that change, where it comes out cleanly.

    Raises Http404 for what is no published proposal of the document.
    """
    given = request.GET.get("undo", "")
    if not given or document.current is None:
        return {}
    if not (given.isascii() and given.isdigit() and len(given) < 18):
        raise Http404("There is no such proposal.")
    published = document.proposals.filter(published__isnull=False).select_related("published", "base_version")
    found = published.filter(pk=int(given)).first()
    if found is None or found.published is None:
        raise Http404("There is no such proposal.")
    merged = merge(base=found.published.text, ours=document.current.text, theirs=found.base_version.text)
    by_hand = "" if merged.is_clean else " Later changes touch the same lines, so it is taken out by hand below."
    return {
        "title": f"Undo: {found.title}"[:MAX_TITLE],
        "rationale": f"Takes out what proposal {found.pk} changed.{by_hand}",
        "text": merged.text if merged.is_clean else document.current.text,
    }
