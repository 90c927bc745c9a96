"""Where a rule belongs in a text, and how it gets there with the least change."""

import math
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import re2

from agents.sections import Section, fenced, heading_key, lines_of, parse, protected_changed, under
from feedback.mining.stems import is_content, stem
from feedback.mining.subjects import is_subject, tells
from proposals.drafting.types import DocumentText

_ITEM = re2.compile(r"^(\s*)([-*+•]|(\d{1,4})([.)]))(\s+)\S")
_WORD = re2.compile(r"\p{L}[\p{L}\p{N}]*|\p{N}+")
_TAG_LINE = re2.compile(r"^\s*<(/?)[A-Za-z][\w-]*(?:\s[^<>]*)?>\s*$")

HEADING_WEIGHT = 3.0
FITS = 0.3
"""Share of a topic's weight that a section must speak of, or its heading name, for a rule to go there."""


@dataclass(frozen=True, slots=True)
class Edit:
    """The full new text, the line that is new in it, and the heading it stands under."""

    text: str
    line: str
    section: str


class Page:
    """A document's text, read once: lines, sections, and which lines nobody may edit here.

    `code` has one entry more than there are lines: whether a line put at the end would be code.
    """

    def __init__(self, document: DocumentText) -> None:
        self.document = document
        self.lines = lines_of(document.text)
        self.sections = parse(document.text)
        self.code = _closed_off([*self.lines, ""])
        self.locked = under(document.text, document.protected)
        self.ending = "\r\n" if "\r\n" in document.text else "\n"

    @cached_property
    def bags(self) -> list[set[str]]:
        """The stems each section uses, heading included."""
        return [stems("".join(self.lines[s.start : s.end])) for s in self.sections]

    @cached_property
    def spread(self) -> Counter[str]:
        """In how many sections each stem occurs."""
        return Counter(word for bag in self.bags for word in bag)

    def editable(self) -> list[Section]:
        """Sections that are not protected and neither begin nor end inside code."""
        return [
            s
            for s in self.sections
            if s.level and not self.locked[s.start] and not self.code[s.start] and not self.code[s.end]
        ]

    def open_lines(self) -> Iterator[tuple[int, Section]]:
        """Line numbers outside protected sections and code, headings aside, each with its section."""
        for section in self.sections:
            for number in range(section.start + (section.level > 0), section.end):
                if not self.locked[number] and not self.code[number]:
                    yield number, section

    def speaks(self, section: Section, of: set[str], *topics: set[str]) -> bool:
        """Whether a section has a stem of these topics in its heading, all of the first in its text, or two `of` it."""
        # "Time" is no word of a section that could be about a timer, though their stems are one.
        heading, text = map(_naming, (section.heading, "".join(self.lines[section.start : section.end])))
        return any(heading & one for one in topics) or any(one <= text for one in topics[:1]) or len(text & of) > 1

    def keeps_protected(self, text: str) -> bool:
        return not protected_changed(self.document.text, text, self.document.protected)


def _closed_off(lines: Sequence[str]) -> list[bool]:
    """Per line whether it is code or stands between tags on lines of their own, as examples do."""
    marks = fenced(lines)
    depth = 0
    for number, line in enumerate(lines):
        tag = None if marks[number] else _TAG_LINE.search(line[:300])
        depth += tag is not None and not tag.group(1)
        marks[number] = marks[number] or depth > 0
        depth -= tag is not None and bool(tag.group(1)) and depth > 0
    return marks


def stems(text: str) -> set[str]:
    words = (match.group() for match in _WORD.finditer(text.lower()))
    return {stem(word) for word in words if is_content(word)}


def best_place(pages: Sequence[Page], topic: str, named: Sequence[str] = ()) -> tuple[Page, Section] | None:
    """The editable section that speaks most of the topic, by words rare in its document, or None if none does.

    Of what is `named`, the best first, its heading has to have a word, or its text all of the first or two words of the
    topic, all such as can name a subject: what says "changed" is no place for the oil change.
    """
    wanted = stems(topic)
    meant = [_naming(topic), *filter(None, map(_naming, named))]
    found = [
        (_fit(page, section, wanted), page, section)
        for page in pages
        for section in page.editable()
        if not named or page.speaks(section, *meant)
    ]
    fit, page, section = max(found, key=lambda entry: entry[0], default=(0.0, None, None))
    return (page, section) if page and section and fit > 0 else None


def _naming(topic: str) -> set[str]:
    """The stems of a topic that could name a subject alone; all of them where none could."""
    words = list(filter(tells, _WORD.findall(topic.lower())))
    return {stem(word) for word in words if is_subject([word])} or {stem(word) for word in words}


def hinted_place(pages: Sequence[Page], hints: Sequence[str]) -> tuple[Page, Section] | None:
    """The editable section whose heading has most of the hinted words, the first of equals, or None."""
    wanted = stems(" ".join(hints))
    found = [(len(wanted & stems(s.heading)), page, s) for page in pages for s in page.editable()]
    score, page, section = max(found, key=lambda entry: entry[0], default=(0, None, None))
    return (page, section) if page and section and score else None


def naming_place(pages: Sequence[Page], names: Sequence[str]) -> tuple[Page, Section] | None:
    """The first editable section that has all of these names as words, in any case, or None."""
    finders = [phrase_finder(name) for name in names]
    for page in pages:
        for section in page.editable():
            lines = page.lines[section.start : section.end]
            if all(any(finds(line) for line in lines) for finds in finders):
                return page, section
    return None


def _fit(page: Page, section: Section, wanted: set[str]) -> float:
    """0 if the section does not fit, or the weight of the wanted words it has, those of its heading thrice."""
    weight = {word: math.log(1 + len(page.bags) / (1 + page.spread[word])) for word in wanted}
    heading, body = stems(section.heading), page.bags[page.sections.index(section)]
    in_heading, in_body = (sum(weight[word] for word in wanted & own) for own in (heading, body))
    if not in_heading and in_body < FITS * sum(weight.values()):
        return 0.0
    return in_body + HEADING_WEIGHT * in_heading


def replace_phrase(page: Page, old: str, new: str, topic: str) -> Edit | None:
    """The text with `old` replaced by `new` where exactly one open line speaks of it, once; else None.

    Where several lines hold the phrase, the one that alone shares a word with the topic is meant.
    """
    spoken = phrase_finder(old)
    about = stems(topic) - stems(old) - stems(new)
    held = [(number, section) for number, section in page.open_lines() if spoken(page.lines[number])]
    meant = [(n, s) for n, s in held if about & stems(page.lines[n])]
    if not meant and len(held) == 1:
        meant = [(n, s) for n, s in held if not about or about & stems(s.heading)]
    if len(meant) != 1 or len(spoken(page.lines[meant[0][0]])) != 1:
        return None
    number, section = meant[0]
    line = page.lines[number]
    start = spoken(line)[0]
    put = new[:1].upper() + new[1:] if line[start].isupper() and new[0].islower() else new
    changed = line[:start] + put + line[start + len(old) :]
    return _checked(page, number, number + 1, changed, changed.strip(), section.heading)


def says_phrase(page: Page, old: str, new: str, topic: str) -> bool:
    """Whether the text already has `new` where the topic is spoken of, so that a change from `old` was made before."""
    holds_old, holds_new = phrase_finder(old), phrase_finder(new)
    about = stems(topic) - stems(old) - stems(new)
    held = [(n, s) for s in page.sections for n in range(s.start, s.end) if holds_new(page.lines[n])]
    if any(about & stems(page.lines[number]) for number, _ in held):
        return True
    left = any(holds_old(page.lines[n]) and not holds_new(page.lines[n]) for n, _ in page.open_lines())
    return not left and any(not about or about & stems(section.heading) for _, section in held)


def phrase_finder(phrase: str) -> Callable[[str], list[int]]:
    """A function that gives the starts of a phrase in a line, as whole words, in any case."""
    low = phrase.lower()

    def starts(line: str) -> list[int]:
        folded = line.lower()
        if len(folded) != len(line):
            return []
        found: list[int] = []
        at = folded.find(low)
        while at >= 0:
            edges = folded[at - 1 : at] + folded[at + len(low) : at + len(low) + 1]
            if not any(char.isalnum() for char in edges) and not _inside_number(folded, at, at + len(low)):
                found.append(at)
            at = folded.find(low, at + 1)
        return found

    return starts


def _inside_number(line: str, start: int, end: int) -> bool:
    """Whether "30" was found in "30.5" or "1,30"."""
    before, after = line[max(0, start - 2) : start], line[end : end + 2]
    inner = len(before) == 2 and before[0].isdigit() and before[1] in ".," and line[start].isdigit()
    return inner or (len(after) == 2 and after[0] in ".," and after[1].isdigit() and line[end - 1].isdigit())


def insert_rule(page: Page, section: Section, rule: str, about: Collection[str] = ()) -> Edit | None:
    """The text with a rule added to a section: to its list in the list's own style, or as a sentence.

    It follows the item that shares most of the stems it is `about`, else the last one; in a numbered list always that.
    """
    item = _item_before(page, section, about)
    if item is not None:
        number, marker, gap = item
        at = _end_of_item(page, section, number)
        return _inserted(page, at, gap + marker + rule, section.heading)
    written = [n for n in range(section.start, section.end) if page.lines[n].strip()]
    at = written[-1] + 1
    if at == section.start + 1:
        return _inserted(page, at, f"{page.ending}- {rule}", section.heading)
    # A section that keeps its paragraphs apart gets another one, a run of lines gets another line.
    apart = page.code[at - 1] or any(not page.lines[n].strip() for n in range(section.start + 2, at))
    return _inserted(page, at, (page.ending if apart else "") + rule, section.heading)


def _item_before(page: Page, section: Section, about: Collection[str]) -> tuple[int, str, str] | None:
    """An item of the section that is not nested, what a next item begins with, and the blank line between items if
    they have one.
    """
    items = [
        (number, match)
        for number in range(section.start + 1, section.end)
        if not page.code[number] and (match := _ITEM.search(page.lines[number][:300]))
    ]
    if not items:
        return None
    outer = min(len(match.group(1)) for _, match in items)
    siblings = [item for item in items if len(item[1].group(1)) == outer]
    number, match = siblings[-1]
    gap = page.ending if len(siblings) > 1 and not page.lines[number - 1].strip() else ""
    mark = f"{int(match.group(3)) + 1}{match.group(4)}" if match.group(3) else match.group(2)
    if not match.group(3):  # in a numbered list the items after it would need other numbers
        number = max(siblings, key=lambda item: (len(stems(page.lines[item[0]]).intersection(about)), item[0]))[0]
    return number, match.group(1) + mark + match.group(5), gap


def _end_of_item(page: Page, section: Section, number: int) -> int:
    """The line after an item: behind what is indented below it or continues its paragraph."""
    end, indent = number + 1, len(page.lines[number]) - len(page.lines[number].lstrip())
    for later in range(number + 1, section.end):
        line = page.lines[later]
        if not line.strip():
            continue
        item = _ITEM.search(line[:300])
        continues = later == end and not page.code[later]
        if not (line[0] in " \t" or continues) or (item and not page.code[later] and len(item.group(1)) <= indent):
            break
        end = later + 1
    return end


def _inserted(page: Page, at: int, line: str, heading: str) -> Edit | None:
    """The text with a line put before line `at`; a last line without a line break stays one without."""
    rule = line.strip()
    if at == len(page.lines) and page.lines and not page.lines[-1].endswith("\n"):
        return _checked(page, at, at, page.ending + line, rule, heading)
    return _checked(page, at, at, line + page.ending, rule, heading)


def _checked(page: Page, start: int, end: int, put: str, line: str, heading: str) -> Edit | None:
    """The edit, unless it would touch a protected section after all."""
    text = "".join([*page.lines[:start], put, *page.lines[end:]])
    return Edit(text, line, heading) if page.keeps_protected(text) else None


def append_section(page: Page, heading: str, rule: str) -> Edit | None:
    """The text with a new section at its end, on the level its sections have; None if a code block is left open."""
    if page.code[-1]:
        return None
    text = page.document.text
    gap = "" if not text else page.ending * (2 - min(2, len(text) - len(text.rstrip("\n"))))
    levels = Counter(section.level for section in page.sections if section.level > 1)
    usual = levels.most_common(1)[0][0] if levels else 2
    for level in dict.fromkeys((usual, 2, 1)):
        put = f"{gap}{'#' * level} {heading}{page.ending * 2}- {rule}{page.ending}"
        edit = _checked(page, len(page.lines), len(page.lines), put, f"- {rule}", heading)
        if edit:
            return edit
    return None


def find_section(page: Page, heading: str) -> Section | None:
    key = heading_key(heading)
    return next((section for section in page.editable() if heading_key(section.heading) == key), None)


def heading_of(page: Page, number: int) -> str:
    """The heading that a line (from 0) stands under."""
    return next(one.heading for one in page.sections if one.start <= number < one.end)


def unmarked(line: str) -> str:
    """A line without its list mark and the blanks around it."""
    item = _ITEM.search(line[:300])
    return line[item.end() - 1 :].strip() if item else line.strip()
