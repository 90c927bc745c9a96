"""The deterministic drafter: from a pattern to the smallest edit of the right document, by typed templates.

    draft(brief, documents) -> Draft | Declined
    Brief(kind, label, terms, replacement, error_class, reason_code, predicted, expected, tool, support, sources, days)
    DocumentText(slug, kind, text, protected)
    Draft(document, text, title, rationale, section, template, rule)
    Declined(reason)
    fingerprint(draft) -> str                hexadecimal SHA-256, equal for the same edit proposed again

Nothing people typed reaches a draft but through a slot, and a slot takes short words and numbers only.
"""
