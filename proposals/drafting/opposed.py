"""Less of a rule that complaints speak against, instead of one more rule beside it.

    oppose(brief, pages) -> Draft | Declined | None      None where they speak against no rule

Where people mind how often it is followed, or complain of it for one thing only, the rule is softened; where they want
it gone, or it was softened before, it is removed. Prohibitions are never loosened, protected sections and code never
touched: there a person decides, and nothing opposite is put beside them.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import re2

from agents.sections import lines_of
from feedback.mining.phrases import alike
from feedback.mining.stems import is_content, stem
from feedback.mining.subjects import is_subject
from proposals.checking import pile
from proposals.drafting.placement import Edit, Page, heading_of, unmarked
from proposals.drafting.protest import NO_SUBJECT, Clause, Ordered, clauses, protest
from proposals.drafting.rationales import opposition
from proposals.drafting.redrafting import in_place
from proposals.drafting.templates import MAX_TITLE
from proposals.drafting.types import Brief, Declined, Draft

COVERED: Final = 0.75
"""So much of what a rule is about most people speak of."""
SOFTER: Final = ", but only when it is needed"
_BEFORE_VERB: Final = frozenset({"always", "must", "you", "please", "should", "shall", "also", "then", "first", "do"})
_TO_WHOM: Final = "first last begin start end user customer person people answer reply message chat"
_BESIDES: Final = frozenset(map(stem, _TO_WHOM.split()))
"""When, where and to whom: no complaint says it again."""
_CONDITION: Final = frozenset({"if", "when", "where", "unless", "only", "except"})
_ASKS_MORE: Final = frozenset({"incomplete", "too_short", "refused", "outdated", "unsafe"})
"""Reasons that ask for more or for something else, never for less."""
_ALWAYS = re2.compile(r"(?i)\balways\s+|\s+(?:every|each)(?:\s+single)?\s+time\b")


@dataclass(frozen=True, slots=True)
class _Opposed:
    """A rule that so many people speak against, and how."""

    page: Page
    rule: pile.Rule
    against: int
    is_often: bool
    is_narrow: bool

    @property
    def softens(self) -> bool:
        """Whether it should hold less often, rather than not at all."""
        conditional = not _CONDITION.isdisjoint(self.rule.words) or pile.holds_more(self.page.lines, self.rule.line - 1)
        return SOFTER not in self.rule.text and (self.is_often or self.is_narrow or conditional)


def oppose(brief: Brief, pages: Sequence[Page]) -> Draft | Declined | None:
    """The draft that softens or removes the rule that most of these complaints speak against."""
    if brief.kind != "complaint" or brief.reason_code in _ASKS_MORE:
        return None
    said = list(filter(None, map(clauses, brief.said)))
    found = max(_opposed(pages, said), key=lambda one: one.against, default=None)
    return _draft(brief, found) if found else None


def _draft(brief: Brief, found: _Opposed) -> Draft | Declined:
    edit = _softened(found) if found.softens else _removed(found)
    if edit is None:
        return Declined(f"people complain about “{found.rule.text}”, which a machine may not change")
    removes = not found.softens
    verb = "Remove" if removes else "Soften"
    return Draft(
        document=found.page.document.slug,
        text=edit.text,
        title=f"{verb} “{pile.shortened(found.rule.text, MAX_TITLE - len(verb) - 3)}”",
        rationale=opposition(brief, found.against, often=found.is_often),
        section=edit.section,
        template="removal" if removes else "softer",
        rule=edit.line,
        names=(found.rule.text,),
    )


def _opposed(pages: Sequence[Page], said: Sequence[Sequence[Clause]]) -> Iterator[_Opposed]:
    """Every rule that enough people speak against, in the order of the text."""
    shared = _shared(said)
    rules = [(page, rule) for page in pages for whole in pile.rules(page.document.text) for rule in _parts(page, whole)]
    verbs = Counter(verb for _page, rule in rules for verb in {_ordered(rule).verb} | rule.stems)
    for page, rule in rules:
        others = [word for word in shared if not any(alike(stem(word), one) for one in rule.stems)]
        ordered = _meant(_ordered(rule), {stem(word) for word in shared}, alone=verbs, others=others)
        if ordered is None or rule.is_negative:
            continue
        if found := protest(said, ordered):
            yield _Opposed(page, rule, found.people, found.is_often, bool(others))


def _shared(said: Sequence[Sequence[Clause]]) -> list[str]:
    """Words that name something and that at least half of the people use in some form."""
    used: Counter[str] = Counter()
    written: dict[str, str] = {}
    for clauses_of_one in said:
        own = {root: word for one in clauses_of_one for root, word in zip(one.stems, one.words, strict=True)}
        used.update(own.keys())
        written |= own
    often = (written[root] for root, count in used.items() if 2 * count >= len(said) and root not in NO_SUBJECT)
    return [word for word in often if is_content(word)]


def _ordered(rule: pile.Rule) -> Ordered:
    # "If something went wrong, apologise": the verb comes after the condition.
    condition, comma, order = rule.text.partition(", ")
    begins = comma and condition.split(" ", 1)[0].lower() in _CONDITION
    words = pile.Rule(rule.line, 0, len(order), order).words if begins else rule.words
    verb = next((stem(word) for word in words if word not in _BEFORE_VERB), "")
    return Ordered(verb, (rule.stems - _BESIDES) or rule.stems)


def _meant(rule: Ordered, shared: set[str], *, alone: Counter[str], others: Sequence[str]) -> Ordered | None:
    """What of a rule people speak of: nearly all; its verb, if no other rule has it and they speak of nothing else."""
    spoken = {one for one in rule.about if any(alike(one, other) for other in shared)}
    if rule.about and len(spoken) >= COVERED * len(rule.about):
        return rule
    verb = rule.verb
    if verb in spoken and alone[verb] == 1 and not any(is_subject([word]) for word in others):
        return Ordered(verb, frozenset({verb}))
    return None


def _parts(page: Page, rule: pile.Rule) -> Iterator[pile.Rule]:
    """The sentences of a rule that begin and end on its line."""
    goes_on = pile.goes_on(page.lines, rule.line - 1)
    for part in pile.sentences(rule):
        ends = part.text.endswith((".", "!")) or (part.end == rule.end and not goes_on)
        if ends and not (part.start == 0 and pile.goes_on(page.lines, rule.line - 2)):
            yield part


def _softened(found: _Opposed) -> Edit | None:
    plain = _ALWAYS.sub("", found.rule.text).rstrip(" .!")
    words = f"{plain[:1].upper()}{plain[1:]}{SOFTER}{found.rule.text[-1] if found.rule.text[-1] in '.!' else ''}"
    edit = in_place(found.page, found.rule, words) if _may_change(found) else None
    return edit if isinstance(edit, Edit) else None


def _may_change(found: _Opposed) -> bool:
    """Whether the rule stands outside protected sections and code."""
    return any(number == found.rule.line - 1 for number, _section in found.page.open_lines())


def _removed(found: _Opposed) -> Edit | None:
    rule, number = found.rule, found.rule.line - 1
    if not _may_change(found):
        return None
    lines = lines_of(found.page.document.text)
    if unmarked(lines[number]) == rule.text:
        text = pile.without_line(lines, number)
    else:  # the other sentences of the line stay
        before, after = lines[number][: rule.start], lines[number][rule.end :]
        lines[number] = before.rstrip(" ") + after if not after.strip() else before + after.lstrip(" ")
        text = "".join(lines)
    edit = Edit(text, f"remove {rule.text}", heading_of(found.page, number))
    return edit if found.page.keeps_protected(text) else None
