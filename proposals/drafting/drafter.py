"""From a brief to a draft: choose the rule, find its place, make the edit, refuse what would be no gain."""

from collections.abc import Sequence
from dataclasses import replace

from agents.lookalikes import skeleton
from agents.sections import Section
from proposals.checking import pile
from proposals.checking.checks import override_phrases
from proposals.checking.invisible import allowed_in_instructions
from proposals.drafting import quotes, slots, templates
from proposals.drafting.configs import configured
from proposals.drafting.opposed import oppose
from proposals.drafting.placement import (
    Edit,
    Page,
    append_section,
    best_place,
    find_section,
    hinted_place,
    insert_rule,
    naming_place,
    replace_phrase,
    says_phrase,
    stems,
)
from proposals.drafting.rationales import rationale
from proposals.drafting.redrafting import as_rule, in_place, open_rules
from proposals.drafting.templates import LEARNED, MAX_TITLE, Rule
from proposals.drafting.types import Brief, Declined, DocumentText, Draft


def draft(brief: Brief, documents: Sequence[DocumentText]) -> Draft | Declined:
    """The smallest edit that answers a pattern: a phrase replaced, a list item or sentence added, or a number raised.

    Where settings have a key for what failed, it is theirs to answer; what complaints speak against is softened or
    removed. Prompts are never edited in their protected sections, and never inside code. The same brief and documents
    give the same draft.
    """
    has_prompt = any(document.kind == "prompt" for document in documents)
    return configured(brief, documents, any_key=not has_prompt) or _worded(brief, documents)


def _worded(brief: Brief, documents: Sequence[DocumentText]) -> Draft | Declined:
    pages = [Page(document) for document in documents if document.kind == "prompt"]
    if found := quoting(brief, pages) or oppose(brief, pages):
        return found
    rule = templates.rule_for(brief)
    if isinstance(rule, Declined):
        return rule
    if not allowed_in_instructions(rule.text) or override_phrases(rule.text):
        return Declined("the words people share do not make a safe rule")
    if not pages:
        return Declined("the agent has no prompt to change")
    if adds_nothing(rule, pages):
        return Declined("the document already says so")
    pair = slots.phrase_pair(brief.replacement) if brief.kind == "correction" else None
    if pair and any(says_phrase(page, *pair, _topic(brief)) for page in pages):
        return Declined("the document already says so")
    reworded = reword(brief, pair, rule, pages) if pair else None
    return reworded or widen(brief, rule, pages) or add(brief, rule, pages)


def keep(brief: Brief, documents: Sequence[DocumentText]) -> Draft | Declined:
    """A rule to keep what people praise, where no rule speaks of it yet; only begun, for a person writes it."""
    rule = templates.keeping(brief)
    if isinstance(rule, Declined):
        return rule
    if not allowed_in_instructions(rule.text) or override_phrases(rule.text):
        return Declined("the words people share do not make a safe rule")
    pages = [Page(document) for document in documents if document.kind == "prompt"]
    about = stems(" ".join(rule.topics))
    if any(about <= held.stems for page in pages for held in pile.rules(page.document.text)):
        return Declined("the document has a rule that speaks of the same")
    return add(brief, rule, pages) if pages else Declined("the document is no prompt")


def quoting(brief: Brief, pages: Sequence[Page]) -> Draft | None:
    """What people corrected in the same words, quoted, where they agree on no phrase and may be quoted at all."""
    lines = [] if slots.phrase_pair(brief.replacement) else quotes.choose(brief, pages)
    made = quotes.quote(pages, lines) if lines else None
    return drafted(brief, templates.quotation(brief, lines), *made) if made else None


def adds_nothing(rule: Rule, pages: Sequence[Page]) -> bool:
    """Whether one of the texts has the rule already, or one that says nearly the same of the same."""
    own = stems(" ".join(rule.names or rule.topics))
    said = (held for page in pages for held in pile.rules(page.document.text))
    return any(_says(page, rule.text) for page in pages) or any(
        own and own <= held.stems and pile.likeness(as_rule(rule.text), held) >= pile.NEAR for held in said
    )


def widen(brief: Brief, rule: Rule, pages: Sequence[Page]) -> Draft | None:
    """The new rule in the place of one that asks for the same about a part of it; None where there is not one such."""
    new, own = as_rule(rule.text), stems(" ".join(rule.topics))
    found = [
        (page, held)
        for page in pages
        for held in open_rules(page)
        if own & held.stems and held.stems < new.stems and pile.likeness(new, held) >= pile.NEAR
    ]
    edit = in_place(*found[0], rule.text) if len(found) == 1 else None
    return drafted(brief, rule, found[0][0], edit) if isinstance(edit, Edit) else None


def _says(page: Page, rule: str) -> bool:
    """Whether a line already is this rule, also with its words in another order."""
    wanted = skeleton(rule)
    bag = sorted(wanted.split())
    for line in page.lines:
        held = skeleton(line)
        if wanted in held or (len(held) <= len(wanted) + 8 and sorted(held.split()) == bag):
            return True
    return False


def reword(brief: Brief, pair: tuple[str, str], rule: Rule, pages: Sequence[Page]) -> Draft | None:
    """The phrase changed where it stands, if that is one place; else None."""
    if not _is_distinct(pair[0]):
        return None
    made = [(page, edit) for page in pages if (edit := replace_phrase(page, *pair, _topic(brief)))]
    if len(made) != 1:
        return None
    page, edit = made[0]
    title = f"Change “{pair[0]}” to “{pair[1]}”" + (f" for {rule.topics[0]}" if rule.topics else "")
    return drafted(brief, replace(rule, template="correction.in_place", title=title), page, edit)


def _is_distinct(phrase: str) -> bool:
    """Whether a phrase says enough to be looked for: two words, or one long one. A lone "30" may be anything."""
    return " " in phrase or (len(phrase) >= 5 and bool(stems(phrase)))


def add(brief: Brief, rule: Rule, pages: Sequence[Page]) -> Draft | Declined:
    """The rule added where it belongs."""
    place = _place(brief, rule, pages)
    if place:
        edit = insert_rule(*place, rule.text, stems(" ".join((*rule.topics, *rule.names))))
        if edit:
            return drafted(brief, rule, place[0], edit)
    for page in pages:
        learned = find_section(page, LEARNED)
        edit = insert_rule(page, learned, rule.text) if learned else append_section(page, LEARNED, rule.text)
        if edit:
            return drafted(brief, rule, page, edit)
    return Declined("no place outside the protected sections and code")


def _place(brief: Brief, rule: Rule, pages: Sequence[Page]) -> tuple[Page, Section] | None:
    """Errors go by headings; labels where both are spoken of, or by headings; the rest by topic, or by headings.

    What else the reports share says which of the sections that speak of the rule's own topics is best, and no more.
    """
    hinted = hinted_place(pages, rule.hints)
    if brief.kind == "error":
        return hinted
    if brief.kind == "mislabel":
        return naming_place(pages, (brief.expected, brief.predicted)) or hinted or best_place(pages, _topic(brief))
    return best_place(pages, _topic(brief), rule.topics) or hinted


def _topic(brief: Brief) -> str:
    """The words a section is chosen by. They are compared only, so also words that no slot takes may count."""
    words = " ".join((*brief.terms, *brief.nearby)) or brief.label
    return words.encode("utf-8", "ignore").decode("utf-8")


def drafted(brief: Brief, rule: Rule, page: Page, edit: Edit) -> Draft:
    """The draft that makes this edit."""
    return Draft(
        document=page.document.slug,
        text=edit.text,
        title=rule.title[:MAX_TITLE],
        rationale=rationale(brief, rule.said, rule.topics) + rule.because,
        section=edit.section,
        template=rule.template,
        rule=edit.line,
        topics=rule.topics,
        names=rule.names,
    )
