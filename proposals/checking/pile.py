"""The whole text a change goes into: its size, its rules, and which of them a new rule repeats or contradicts.

    size(text) -> Size(words, tokens, rules)
    rules(text) -> list[Rule]                     list items, and the sentences outside lists
    look(after, fresh, protected) -> list[Finding]    what the rules on the fresh lines meet among the others
    merged(text, finding) -> str                  the other rule's place taken by the new one

No model: two rules are near when they share most of their word stems. Better to miss one than to cry wolf: a rule with
a qualification of its own ("for digital courses") neither repeats nor contradicts one without. Pure functions; every
pattern runs in re2.
"""

import string
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property, lru_cache
from typing import Any, Final, Literal, Self

import re2

from agents.sections import fenced, lines_of, parse, under
from feedback.mining.stems import is_content, stem
from proposals.diffs import count_words

CHARS_PER_TOKEN: Final = 4
NEAR: Final = 0.6
"""Share of all their stems that near-duplicates have in common."""
SAME_TOPIC: Final = 0.7
"""The same for rules that contradict each other, numbers and what they count left aside."""
MAX_FRESH: Final = 60
MAX_FINDINGS: Final = 10
MAX_RULE: Final = 1000

_ITEM = re2.compile(r"^\s*(?:[-*+•]|\d{1,4}[.)])\s+(?:\[[ xX]\]\s+)?")
# A full stop ends a sentence before a blank and a capital only, so that "e.g. in v1.2" stays whole.
_SENTENCE = re2.compile(r"[^.!?]+(?:[.!?]+(?:[^\s.!?]|\s+[^\p{Lu}\s.!?])[^.!?]*)*[.!?]*")
_AROUND_WORDS: Final = string.punctuation + "“”„‘’…•–—"
_BETWEEN_WORDS: Final = str.maketrans("-/–—’", "    '")
_NUMBER_WORDS: Final = {
    "two": "2", "three": "3", "four": "4", "five": "5", "six": "6",
    "seven": "7", "eight": "8", "nine": "9", "ten": "10", "twelve": "12",
}  # fmt: skip
_NOT: Final = frozenset({"not", "never", "no", "cannot", "avoid", "nor"})
_FIRM: Final = frozenset({"never", "always", "must"})
_HEDGES: Final = frozenset({"unless", "except", "until", "before", "without", "only", "but", "instead", "than"})

# A text says the same few thousand words again and again.
_root = lru_cache(maxsize=10_000)(stem)

Kind = Literal["near", "number", "polarity"]


@dataclass(frozen=True, slots=True)
class Size:
    """How much an agent has to read: words, about how many tokens, and rules."""

    words: int
    tokens: int
    rules: int


@dataclass(frozen=True)
class Rule:
    """One thing the text asks for, on one line (from 1), at these characters of it."""

    line: int
    start: int
    end: int
    text: str

    @cached_property
    def words(self) -> tuple[str, ...]:
        chunks = self.text[:MAX_RULE].lower().translate(_BETWEEN_WORDS).split()
        found = (chunk.strip(_AROUND_WORDS) for chunk in chunks)
        return tuple(_NUMBER_WORDS.get(word, word) for word in found if word)

    @cached_property
    def stems(self) -> frozenset[str]:
        return frozenset(_root(word) for word in self.words if is_content(word))

    @cached_property
    def numbers(self) -> dict[str, frozenset[str]]:
        """The numbers by what they count: "30 days" is {"day": {"30"}}."""
        found: dict[str, set[str]] = defaultdict(set)
        for word, following in zip(self.words, (*self.words[1:], ""), strict=True):
            if word[0].isnumeric():
                found[_root(following)].add(word.rstrip("0").rstrip(".") if "." in word else word)
        return {unit: frozenset(values) for unit, values in found.items()}

    @cached_property
    def topic(self) -> frozenset[str]:
        """What it is about: its stems without numbers and what they count."""
        return frozenset(one for one in self.stems if not one[0].isnumeric() and one not in self.numbers)

    @cached_property
    def lead(self) -> str:
        """The stem of its first word with a meaning: the verb of a command, the subject of a statement."""
        return next((_root(word) for word in self.words if is_content(word) and not word[0].isnumeric()), "")

    @cached_property
    def is_negative(self) -> bool:
        return sum(word in _NOT or word.endswith("n't") for word in self.words) % 2 == 1

    @cached_property
    def is_hedged(self) -> bool:
        return not _HEDGES.isdisjoint(self.words)


@dataclass(frozen=True, slots=True)
class Finding:
    """A new rule, and a rule of the same text it repeats ("near") or seems to contradict ("number", "polarity").

    Places are a line from 1 and the characters of it; `locked` says that the other rule stands in a protected section.
    """

    kind: Kind
    why: str
    line: int
    start: int
    end: int
    text: str
    other_line: int
    other_start: int
    other_end: int
    other_text: str
    locked: bool = False

    @property
    def is_near(self) -> bool:
        return self.kind == "near"

    @property
    def mergeable(self) -> bool:
        """Whether the new rule can take the other's place; two sentences of one line are for a person to word."""
        return not self.locked and self.line != self.other_line

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Self:
        return cls(**stored)


def tokens(characters: int) -> int:
    """About how many tokens a text of so many characters is."""
    return -(-characters // CHARS_PER_TOKEN)


def size(text: str) -> Size:
    """The size of a text."""
    return Size(count_words(text), tokens(len(text)), sum(1 for _ in _rules(text)))


def rules(text: str) -> list[Rule]:
    """The rules in order: list items, and sentences of three words or more; no headings, no code, no tables."""
    return list(_rules(text))


def _rules(text: str) -> Iterator[Rule]:
    lines = lines_of(text)
    skipped = fenced(lines)
    for section in parse(text):
        if section.level:
            skipped[section.start] = True
    for number, (line, skip) in enumerate(zip(lines, skipped, strict=True), start=1):
        bare = line.rstrip("\r\n")
        if skip or not bare.strip() or bare.lstrip()[0] in "|<":
            continue
        item = _ITEM.search(bare[:200])
        if item:
            rule = _rule(number, bare, item.end(), len(bare))
            if rule.text:
                yield rule
            continue
        for match in _SENTENCE.finditer(bare):
            rule = _rule(number, bare, match.start(), match.end())
            if len(rule.text.split()) >= 3:
                yield rule


def _rule(number: int, line: str, start: int, end: int) -> Rule:
    part = line[start:end]
    start += len(part) - len(part.lstrip())
    return Rule(number, start, start + len(part.strip()), part.strip())


def sentences(rule: Rule) -> Iterator[Rule]:
    """The sentences of three words or more that a rule is made of, each with its place on the line."""
    for match in _SENTENCE.finditer(rule.text):
        part = _rule(rule.line, rule.text, match.start(), match.end())
        if len(part.text.split()) >= 3:
            yield Rule(rule.line, rule.start + part.start, rule.start + part.end, part.text)


def goes_on(lines: Sequence[str], number: int) -> bool:
    """Whether the sentence at the end of a line (from 0) goes on in the next one, as in a wrapped paragraph."""
    if not 0 <= number < len(lines) - 1 or lines[number].rstrip().endswith((".", "!", "?", ":")):
        return False
    line, following = lines[number].strip(), lines[number + 1].strip()
    begins_anew = following[:1] in ("", "#", "`", "~", "<", "|") or _ITEM.search(following[:200])
    return bool(line) and line[0] not in "#`~<|" and not begins_anew


def holds_more(lines: Sequence[str], number: int) -> bool:
    """Whether the line after one (from 0) belongs to it: it is indented further."""
    following = lines[number + 1] if number + 1 < len(lines) else ""
    return bool(following.strip()) and _indent(following) > _indent(lines[number])


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def shortened(text: str, most: int) -> str:
    """A rule within so many characters."""
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


def look(after: str, fresh: Collection[int], protected: Collection[str] = ()) -> list[Finding]:
    """What the rules on these lines (from 1) of a text repeat or contradict on its other lines; the gravest first."""
    locked = under(after, protected)
    new: list[Rule] = []
    live: list[Rule] = []
    for rule in _rules(after):
        (new if rule.line in fresh else live).append(rule)
    holders: dict[str, list[Rule]] = defaultdict(list)
    for rule in live:
        for word in rule.stems:
            holders[word].append(rule)
    found = [finding for rule in new[:MAX_FRESH] for finding in _findings(rule, holders, locked)]
    return sorted(found, key=lambda one: (one.is_near, one.line, one.other_line))[:MAX_FINDINGS]


def _findings(rule: Rule, holders: dict[str, list[Rule]], locked: Sequence[bool]) -> Iterator[Finding]:
    """Its contradictions, and its nearest duplicate."""
    shared = Counter(other for word in sorted(rule.stems) for other in holders.get(word, ()))
    nearest: tuple[float, Rule] | None = None
    for other, count in shared.items():
        if count < NEAR * max(len(rule.topic), len(other.topic)):
            continue
        against = contradiction(rule, other)
        if against:
            yield _finding(*against, rule, other, locked)
            continue
        closeness = likeness(rule, other)
        if closeness >= NEAR and (nearest is None or closeness > nearest[0]):
            nearest = closeness, other
    if nearest:
        yield _finding("near", "Says nearly the same.", rule, nearest[1], locked)


def likeness(one: Rule, other: Rule) -> float:
    """The share of their stems that both have, 0 to 1; 0 for rules that say the opposite or too little."""
    if len(one.stems & other.stems) < 3 or one.is_negative != other.is_negative:
        return 0.0
    return _shared(one.stems, other.stems)


def contradiction(one: Rule, other: Rule) -> tuple[Kind, str] | None:
    """How two rules about the same topic contradict each other, if they seem to."""
    closeness = _shared(one.topic, other.topic)
    if closeness >= SAME_TOPIC and one.is_negative == other.is_negative:
        for unit in sorted(one.numbers.keys() & other.numbers.keys()):
            if one.numbers[unit].isdisjoint(other.numbers[unit]):
                here, there = (" and ".join(sorted(numbers[unit])) for numbers in (one.numbers, other.numbers))
                return "number", f"Says {here} where another rule about the same says {there}."
    if one.is_negative == other.is_negative or one.lead != other.lead or one.is_hedged or other.is_hedged:
        return None
    firm = all(not _FIRM.isdisjoint(rule.words) for rule in (one, other))
    if len(one.topic & other.topic) >= 2 and closeness >= (NEAR if firm else SAME_TOPIC):
        return "polarity", "One asks for what the other forbids."
    return None


def _shared(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / len(one | other) if one and other else 0.0


def _finding(kind: Kind, why: str, rule: Rule, other: Rule, locked: Sequence[bool]) -> Finding:
    return Finding(
        kind, why, rule.line, rule.start, rule.end, rule.text,
        other.line, other.start, other.end, other.text, locked[other.line - 1],
    )  # fmt: skip


def merged(text: str, finding: Finding) -> str:
    """The text with the new rule in the other's place, and gone from its own.

    Where the new rule was all there was below its heading, the heading goes with it. Raises ValueError when the text
    has not both rules at their places, or they share a line.
    """
    lines = lines_of(text)
    new, old = finding.line - 1, finding.other_line - 1
    if new == old or max(new, old) >= len(lines):
        raise ValueError("the rules stand on two different lines of the text")
    if (
        lines[new][finding.start : finding.end] != finding.text
        or lines[old][finding.other_start : finding.other_end] != finding.other_text
    ):
        raise ValueError("the text does not have these rules at these places")
    lines[old] = lines[old][: finding.other_start] + finding.text + lines[old][finding.other_end :]
    rest = lines[new][: finding.start] + lines[new][finding.end :].lstrip(" \t")
    if _ITEM.sub("", rest, count=1).strip():
        lines[new] = rest
        return "".join(lines)
    return without_line(lines, new)


def without_line(lines: Sequence[str], number: int) -> str:
    """The text without one line (from 0), and without the heading and blank lines that would then hold nothing."""
    left = [*lines[:number], *lines[number + 1 :]]
    section = next((s for s in parse("".join(lines)) if s.start <= number < s.end), None)
    rest = left[section.start + 1 : section.end - 1] if section and section.level else ["x"]
    if section and not any(line.strip() for line in rest):
        deeper = section.end < len(lines) and _level(lines[section.end]) > section.level
        if not deeper:
            left = [*lines[: section.start], *lines[section.end :]]
            if section.end >= len(lines):
                while left and not left[-1].strip():
                    left.pop()
    elif 0 < number < len(left) and not left[number - 1].strip() and not left[number].strip():
        del left[number]
    return "".join(left)


def _level(line: str) -> int:
    return len(line) - len(line.lstrip("#"))
