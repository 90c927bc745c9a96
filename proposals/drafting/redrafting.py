"""A draft written again as a reviewer asks: shorter, elsewhere, together with a rule there is, or in their words.

    brought(rows) -> Brought | Declined         what a draft's difference adds: one rule, and where
    rework(ask, brought, document) -> str | Declined
    headings(document) -> list[str]             where a rule can be moved to
    mergeable(document, rule) -> list[str]      rules it can be merged with, the likest first

No model and no reading of free text: each ask names one edit that can be made without judgement, or is declined. The
edit is made on the text of today, so a moved base is no obstacle. Protected sections and code are never touched.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from agents.sections import heading_key, lines_of
from proposals.checking import pile
from proposals.diffs import Row
from proposals.drafting.placement import Edit, Page, append_section, find_section, heading_of, insert_rule, unmarked
from proposals.drafting.templates import LEARNED
from proposals.drafting.types import Declined, DocumentText

RULES_OFFERED = 40


@dataclass(frozen=True, slots=True)
class Ask:
    """What should be different: `kind` is "shorter", "move", "merge" or "wording"; `about` is the heading to move to,
    the rule to merge with, or the words.
    """

    kind: str
    about: str = ""


@dataclass(frozen=True, slots=True)
class Brought:
    """The one rule a draft brings, without list mark, and its heading; `replaced` is the line it rewrites, if any."""

    rule: str
    section: str
    replaced: str = ""


def brought(rows: Sequence[Row]) -> Brought | Declined:
    """The rule that a difference brings."""
    cut = [row for row in rows if row.kind == "cut"]
    gone = {row.text.rstrip("\r\n") for row in cut}
    # A last line that only gets its line break is cut and added again.
    added = [row for row in rows if row.kind == "add" and row.text.rstrip("\r\n") not in gone and row.text.strip()]
    rules = [row for row in added if not row.heading]
    kept = {row.text.rstrip("\r\n") for row in rows if row.kind == "add"}
    rewritten = [row for row in cut if row.text.strip() and row.text.rstrip("\r\n") not in kept]
    if len(rules) != 1 or len(rewritten) > 1:
        return Declined("it changes more than one rule")
    replaced = rewritten[0].text.strip() if rewritten else ""
    return Brought(unmarked(rules[0].text), rules[0].section, replaced)


def rework(ask: Ask, draft: Brought, document: DocumentText) -> str | Declined:
    """The whole new text, made from the document's."""
    page = Page(document)
    if ask.kind == "wording":
        edit = _reword(page, draft, ask.about)
    elif draft.replaced:
        return Declined("it changes words of a rule that was there; that can only be worded by hand")
    elif ask.kind == "shorter":
        rule = shorter(draft.rule)
        edit = rule if isinstance(rule, Declined) else _put(page, draft.section, rule)
    elif ask.kind == "move":
        edit = _move(page, draft, ask.about)
    else:
        edit = _merge(page, draft.rule, ask.about)
    return edit if isinstance(edit, Declined) else edit.text


def shorter(rule: str) -> str | Declined:
    """The rule without its last clause, where that can go without leaving half a sentence."""
    head, found, tail = rule.partition(", as in ")
    if found and ", " in tail:
        return f"{head}, {tail.partition(', ')[2]}"
    for mark in ("; ", ", and "):
        head, found, _tail = rule.rpartition(mark)
        if found and len(head.split()) >= 5:
            return f"{head.rstrip()}."
    return Declined("it is as short as the drafter can make it")


def _put(page: Page, heading: str, rule: str) -> Edit | Declined:
    if any(unmarked(line) == rule for line in page.lines):
        return Declined("the document already says so")
    section = find_section(page, heading)
    if section:
        edit = insert_rule(page, section, rule)
    elif heading_key(heading) == heading_key(LEARNED):
        edit = append_section(page, LEARNED, rule)
    else:
        return Declined(f"there is no section “{heading}” that a machine may change")
    return edit or Declined("there is no place for it outside the protected sections and code")


def _move(page: Page, draft: Brought, heading: str) -> Edit | Declined:
    if heading_key(heading) == heading_key(draft.section):
        return Declined("it stands in that section already")
    return _put(page, heading, draft.rule)


def _reword(page: Page, draft: Brought, words: str) -> Edit | Declined:
    if not draft.replaced:
        return _put(page, draft.section, words)
    held = [rule for rule in open_rules(page) if rule.text == unmarked(draft.replaced)]
    return in_place(page, held[0], words) if len(held) == 1 else Declined("the rule it rewrites is not there any more")


def _merge(page: Page, rule: str, other: str) -> Edit | Declined:
    """One rule in the other's place: the new one where they say nearly the same, else both, one after the other."""
    held = [one for one in open_rules(page) if one.text == other]
    if len(held) != 1:
        return Declined("the rule to merge it with is not there once, outside the protected sections")
    near = pile.likeness(as_rule(rule), held[0]) >= pile.NEAR
    return in_place(page, held[0], rule if near else f"{ended(other)} {rule}")


def in_place(page: Page, old: pile.Rule, words: str) -> Edit | Declined:
    """The text with these words where a rule stands."""
    lines = [*page.lines]
    line = lines[old.line - 1]
    lines[old.line - 1] = line[: old.start] + words + line[old.end :]
    text = "".join(lines)
    if not page.keeps_protected(text):
        return Declined("a machine may not change that section")
    return Edit(text, words, heading_of(page, old.line - 1))


def as_rule(text: str) -> pile.Rule:
    """A line as a rule of its own, to be compared."""
    return pile.Rule(1, 0, len(text), text)


def ended(sentence: str) -> str:
    """A sentence with its full stop."""
    return sentence if sentence.endswith((".", "!", "?", ":")) else f"{sentence}."


def headings(document: DocumentText) -> list[str]:
    """Headings under which a machine may put a rule, each once, in order."""
    return list(dict.fromkeys(section.heading for section in Page(document).editable() if section.heading))


def mergeable(document: DocumentText, rule: str) -> list[str]:
    """Rules of the text that another can be merged with: the likest first, at most RULES_OFFERED."""
    new, found = as_rule(rule), open_rules(Page(document))
    texts = dict.fromkeys(one.text for one in sorted(found, key=lambda one: -len(one.stems & new.stems)))
    return [text for text in texts if text != rule][:RULES_OFFERED]


def open_rules(page: Page) -> list[pile.Rule]:
    """The rules on lines that a machine may change."""
    allowed = {number + 1 for number, _section in page.open_lines()}
    return [rule for rule in pile.rules("".join(lines_of(page.document.text))) if rule.line in allowed]
