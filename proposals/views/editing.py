"""What the two pages with an editor share: the sections to jump to, and the difference as one types."""

from django.db.models import prefetch_related_objects

from agents.models import Document
from people.requests import PersonRequest
from proposals.forms.proposals import AmendForm, ProposeForm
from proposals.models import Proposal
from proposals.reviewing import previews, review, shown

TARGET = "preview"
LONG = 60_000
"""Characters of a text that fills the page by itself: what such a page can do without is left out, its font first."""


def editor(
    request: PersonRequest, document: Document, form: AmendForm | ProposeForm, proposal: Proposal | None = None
) -> dict[str, object]:
    """Context of the editor: `preview` of the text in the form, and the protected sections of the document."""
    text = str(form["text"].value() or "")
    protected = [section for section in document.sections.all() if section.is_protected]
    prefetch_related_objects(protected, "owners", "owner_teams")
    return {
        "code": shown.is_code(document),
        "protected": protected,
        "current": document.current,
        "preview": _preview(document, form, text, proposal),
        "device_font": len(text) > LONG,
        "asked": "preview" in request.POST,
    }


def _preview(
    document: Document, form: AmendForm | ProposeForm, text: str, proposal: Proposal | None
) -> previews.Preview:
    if proposal and not form.is_bound and not proposal.is_stale:
        return previews.of_revision(review.newest(proposal))
    return previews.of_text(document, text, proposal)


def template(request: PersonRequest, page: str) -> str:
    """The whole page, or for htmx the preview alone: the editor is never swapped under somebody's hands."""
    return "includes/preview.html" if request.htmx.target == TARGET else page
