"""The deterministic drafter: from a pattern to the smallest edit of the right document, by typed templates.

    draft(brief, documents) -> Draft | Declined
    keep(brief, documents) -> Draft | Declined    from praise, where a person asks for it
    Brief(kind, label, terms, nearby, replacement, error_class, reason_code, predicted, expected, support, sources,
          days)
    DocumentText(slug, kind, text, protected)
    Draft(document, text, title, rationale, section, template, rule, topics, names)
    Declined(reason)
    fingerprint(draft) -> str
    is_same(fingerprint, fingerprint) -> bool    the same edit proposed again, or nearly

Nothing people typed reaches a draft but through a slot, and a slot takes a few short words and numbers (see
`slots`). A label is used to find the right section and is never written anywhere.
"""

from proposals.drafting.drafter import draft, keep
from proposals.drafting.duplicates import fingerprint, is_same
from proposals.drafting.types import Brief, Declined, DocumentText, Draft

__all__ = ["Brief", "Declined", "DocumentText", "Draft", "draft", "fingerprint", "is_same", "keep"]
