"""Every way the drafter knows to answer one pattern, to be looked at side by side.

    alternatives(brief, documents) -> list[Draft]

Change a phrase where it stands, add a rule, add to the rule that speaks of the same, take out the rule that says what
is corrected. The same typed templates, the same slots, the same limits as for any draft; nothing is chosen here.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from agents.sections import lines_of
from proposals.checking import pile
from proposals.checking.checks import override_phrases
from proposals.checking.invisible import allowed_in_instructions
from proposals.drafting import slots, templates
from proposals.drafting.configs import configured
from proposals.drafting.drafter import add, adds_nothing, drafted, quoting, reword
from proposals.drafting.opposed import oppose
from proposals.drafting.placement import Edit, Page, phrase_finder, stems, unmarked
from proposals.drafting.redrafting import ended, open_rules
from proposals.drafting.templates import Rule
from proposals.drafting.types import Brief, Declined, DocumentText, Draft

TITLE_OF_LINE = 120


def alternatives(brief: Brief, documents: Sequence[DocumentText]) -> list[Draft]:
    """All drafts that can be made, no two of the same text; none where the pattern makes no safe rule."""
    pages = [Page(document) for document in documents if document.kind == "prompt"]
    first = (configured(brief, documents), quoting(brief, pages), oppose(brief, pages))
    made = (draft for draft in (*first, *_worded(brief, documents)) if isinstance(draft, Draft))
    found = {(draft.document, draft.text): draft for draft in made}
    return list(found.values())


def _worded(brief: Brief, documents: Sequence[DocumentText]) -> Iterator[Draft]:
    rule = templates.rule_for(brief)
    if isinstance(rule, Declined) or not allowed_in_instructions(rule.text) or override_phrases(rule.text):
        return
    yield from _all(brief, rule, [Page(document) for document in documents if document.kind == "prompt"])


def _all(brief: Brief, rule: Rule, pages: Sequence[Page]) -> Iterator[Draft]:
    pair = slots.phrase_pair(brief.replacement) if brief.kind == "correction" else None
    reworded = reword(brief, pair, rule, pages) if pair else None
    if reworded:
        yield reworded
    if pages and not adds_nothing(rule, pages):
        added = add(brief, rule, pages)
        if isinstance(added, Draft):
            yield added
        strengthened = _strengthen(brief, rule, pages)
        if strengthened:
            yield strengthened
    removed = _remove(brief, pair[0], pages) if pair else None
    if removed:
        yield removed


def _strengthen(brief: Brief, rule: Rule, pages: Sequence[Page]) -> Draft | None:
    """The new rule said after the one that shares most words with what it is about, and at least two, or a half."""
    about = stems(" ".join((*rule.topics, *rule.names)) or rule.text)
    best: tuple[int, Page, pile.Rule] | None = None
    for page in pages:
        for held in open_rules(page):
            shared = len(about & held.stems)
            if shared >= min(2, -(-len(about) // 2) or 1) and (best is None or shared > best[0]):
                best = shared, page, held
    if best is None:
        return None
    _shared, page, held = best
    line = f"{ended(held.text)} {rule.text}"
    title = f"Add to “{pile.shortened(held.text, TITLE_OF_LINE)}”"
    return _written(brief, replace(rule, template="strengthen", title=title), page, held, line)


def _remove(brief: Brief, phrase: str, pages: Sequence[Page]) -> Draft | None:
    """Without the one rule that has the phrase people correct."""
    spoken = phrase_finder(phrase)
    found = [(page, held) for page in pages for held in open_rules(page) if spoken(held.text)]
    if len(found) != 1:
        return None
    page, held = found[0]
    lines = lines_of(page.document.text)
    if unmarked(lines[held.line - 1]) != held.text:
        return None  # one of several sentences of a line
    text = pile.without_line(lines, held.line - 1)
    if not page.keeps_protected(text):
        return None
    gone = Rule(
        "removal", f"remove {held.text}", f"Remove “{pile.shortened(held.text, TITLE_OF_LINE)}”", (), (), (held.text,)
    )
    return drafted(brief, gone, page, Edit(text, gone.text, ""))


def _written(brief: Brief, rule: Rule, page: Page, held: pile.Rule, line: str) -> Draft | None:
    lines = lines_of(page.document.text)
    old = lines[held.line - 1]
    lines[held.line - 1] = old[: held.start] + line + old[held.end :]
    text = "".join(lines)
    return drafted(brief, rule, page, Edit(text, line, "")) if page.keeps_protected(text) else None
