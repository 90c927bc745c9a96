"""Sections of a Markdown text, and whether a protected one was touched.

    parse(text) -> list[Section]                            flat: every line belongs to exactly one section
    Section(heading, level, start, end)                     lines from 0, `end` exclusive; heading "" and level 0 is
                                                            what stands before the first heading
    body(text, heading) -> str                              what stands under a heading, its subsections included
    under(text, headings) -> list[bool]                     per line: whether it is in or below one of these sections
    fenced(lines) -> list[bool]                             per line: whether it is part of fenced code
    changed_headings(before, after) -> set[str]
    protected_changed(before, after, protected) -> list[str]
    heading_key(heading) -> str                             equal for headings a reader cannot tell apart

A line ends with a line feed. Headings are ATX ("#" to "######", up to three spaces before); fenced code has none.
`protected_changed` is a safety rule: where Markdown can be read in two ways it says that the section changed.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from html import unescape

import re2

from agents.lookalikes import skeleton

# A heading that occurs more often than this has no place to compare; any change to the text counts then.
_MAX_NAMESAKES = 20

_MOST_INDENT, _DEEPEST = 3, 6
_BLANKS = ("", " ", "\t")
_FENCE = re2.compile(r"^ {0,3}(`{3,}|~{3,})(.*)$")
_TAG = re2.compile(r"<(/?)([A-Za-z][A-Za-z0-9_-]{0,40})(?:\s[^<>]*)?>")
_ANY_TAG = re2.compile(r"<[^<>]*>|\]\([^()]*\)")
_MARKUP = "#*_=-:>+~` \t\r"
_TAG_ALONE = re2.compile(r"^\s*<(/?)([A-Za-z][A-Za-z0-9_-]{0,40})(?:\s[^<>]*)?>\s*$")


@dataclass(frozen=True, slots=True)
class Section:
    """Lines start to end (from 0, end exclusive), the heading line first."""

    heading: str
    level: int
    start: int
    end: int


def lines_of(text: str) -> list[str]:
    """The lines with their line breaks; joined they are the text."""
    parts = text.split("\n")
    lines = [part + "\n" for part in parts[:-1]]
    return [*lines, parts[-1]] if parts[-1] else lines


def fenced(lines: Sequence[str]) -> list[bool]:
    """Per line whether it belongs to fenced code, the fences included. A fence never closed runs to the end."""
    inside: list[bool] = []
    fence = ""
    for line in lines:
        found = _FENCE.search(line.rstrip()) if "```" in line or "~~~" in line else None
        mark, info = (found.group(1), found.group(2)) if found else ("", "")
        if fence:
            inside.append(True)
            if mark and mark[0] == fence[0] and len(mark) >= len(fence) and not info.strip():
                fence = ""
        elif mark and not (mark[0] == "`" and "`" in info):
            inside.append(True)
            fence = mark
        else:
            inside.append(False)
    return inside


def _headings(lines: Sequence[str]) -> list[tuple[int, int, str]]:
    """(line, level, heading) of every ATX heading outside fenced code."""
    found: list[tuple[int, int, str]] = []
    for number, (line, is_code) in enumerate(zip(lines, fenced(lines), strict=True)):
        if is_code or "#" not in line[:4]:
            continue
        if atx := _atx(line.rstrip("\r\n")):
            found.append((number, *atx))
    return found


def _atx(line: str) -> tuple[int, str] | None:
    """Level and heading of a line that is an ATX heading; the hashes that close it are not part of it."""
    marked = line.lstrip(" ")
    rest = marked.lstrip("#")
    level = len(marked) - len(rest)
    if len(line) - len(marked) > _MOST_INDENT or not 1 <= level <= _DEEPEST or rest[:1] not in _BLANKS:
        return None
    text = rest.strip(" \t")
    unclosed = text.rstrip("#")
    return level, (unclosed if unclosed[-1:] in _BLANKS else text).strip()


def parse(text: str) -> list[Section]:
    """The sections in order, without gaps; a section ends where the next heading of any level begins."""
    lines = lines_of(text)
    heads = _headings(lines)
    if not heads or heads[0][0] > 0:
        heads.insert(0, (0, 0, ""))
    ends = [start for start, _, _ in heads[1:]] + [len(lines)]
    return [
        Section(heading, level, start, end) for (start, level, heading), end in zip(heads, ends, strict=True) if lines
    ]


def _full_end(sections: Sequence[Section], index: int) -> int:
    """The line where a section ends with everything below it; what stands before all headings has nothing below."""
    own = sections[index]
    for later in sections[index + 1 :]:
        if later.level <= own.level or own.level == 0:
            return later.start
    return sections[-1].end


def body(text: str, heading: str) -> str:
    """What stands under the first heading of this name, subsections included, without the heading line; or empty."""
    sections = parse(text)
    lines = lines_of(text)
    for index, section in enumerate(sections):
        if section.heading == heading:
            start = section.start + (section.level > 0)
            return "".join(lines[start : _full_end(sections, index)])
    return ""


def under(text: str, headings: Collection[str]) -> list[bool]:
    """Per line of a text whether it belongs to a section of one of these names, or to one below it."""
    return marked(parse(text), headings)


def marked(sections: Sequence[Section], headings: Collection[str]) -> list[bool]:
    """The same for a text that was parsed."""
    keys = {heading_key(heading) for heading in headings}
    marks = [False] * (sections[-1].end if sections else 0)
    for index, section in enumerate(sections):
        if heading_key(section.heading) in keys:
            end = _full_end(sections, index)
            marks[section.start : end] = [True] * (end - section.start)
    return marks


def changed_headings(before: str, after: str) -> set[str]:
    """The headings whose own lines differ, were added or were removed; a change in a subsection is the subsection's."""

    def contents(text: str) -> dict[str, list[str]]:
        lines = lines_of(text)
        found: dict[str, list[str]] = defaultdict(list)
        for section in parse(text):
            found[section.heading].append("".join(lines[section.start : section.end]).rstrip())
        return found

    old, new = contents(before), contents(after)
    return {heading for heading in old.keys() | new.keys() if old.get(heading) != new.get(heading)}


def heading_key(heading: str) -> str:
    """What a reader takes a heading for: without case, marks, invisible characters, look-alikes and punctuation."""
    return skeleton(heading) or heading.strip()


@dataclass(frozen=True, slots=True)
class _Standing:
    """All that must stay as it is for a protected section to count as untouched."""

    blocks: tuple[str, ...]
    places: tuple[tuple[object, ...], ...]
    namesakes: int
    loose: tuple[str, ...]


def protected_changed(before: str, after: str, protected: Collection[str]) -> list[str]:
    """The protected headings whose section is not exactly as it was, in the order given.

    Compared is the whole section: heading line and subsections, blank lines at its end aside. It also counts as
    changed when it was removed, renamed, doubled or moved past another section, when it now stands below another
    heading, in an open HTML comment or between other tags, and when any line anywhere, in whatever notation or
    letters, newly looks like its heading.
    """
    if not protected:
        return []
    old, new = _Text(before, protected), _Text(after, protected)
    shared = old.unique & new.unique
    claimed = _claimed(old.lines, new.lines)
    return [
        heading
        for heading, key in ((heading, heading_key(heading)) for heading in dict.fromkeys(protected))
        if (key and claimed[key]) or old.standing(key, shared) != new.standing(key, shared)
    ]


def _claimed(old: Sequence[str], new: Sequence[str]) -> Counter[str]:
    """By heading: how many lines more (or, below zero, fewer) of the new text look like it. Lines that both have are
    not looked at, for they say the same in both.
    """
    before, after = Counter(old), Counter(new)
    change: Counter[str] = Counter()
    for lines, sign in ((before - after, -1), (after - before, 1)):
        for line, count in lines.items():
            for key in _claims(line):
                change[key] += sign * count
    return change


class _Text:
    """One text, read once, and asked about each protected section."""

    def __init__(self, text: str, protected: Collection[str]) -> None:
        self.lines = lines_of(text)
        self.sections = parse(text)
        self.keys = [heading_key(section.heading) for section in self.sections]
        self.unique = {key for key, count in Counter(self.keys).items() if count == 1}
        kept = {heading_key(heading) for heading in protected}
        self.wraps = _wraps(
            self.lines, {own.start for own, key in zip(self.sections, self.keys, strict=True) if key in kept}
        )

    def standing(self, key: str, shared: set[str]) -> _Standing:
        found = [index for index, own in enumerate(self.keys) if own == key]
        if len(found) > _MAX_NAMESAKES:
            return _Standing(("".join(self.lines),), (), len(found), ())
        blocks = tuple(self._block(self.sections[i].start, _full_end(self.sections, i)) for i in found)
        places = tuple(self._place(i, shared) for i in found)
        return _Standing(blocks, places, len(found), () if found else self._loose(key))

    def _block(self, start: int, end: int) -> str:
        return "".join(self.lines[start:end]).rstrip("\r\n\t ")

    def _place(self, index: int, shared: set[str]) -> tuple[object, ...]:
        """The headings it stands below, what it stands after among headings both texts have, and the tags around it."""
        above: list[tuple[int, str]] = []
        level = self.sections[index].level
        for earlier in range(index - 1, -1, -1):
            if 0 < self.sections[earlier].level < level:
                level = self.sections[earlier].level
                above.append((level, self.keys[earlier]))
        after = frozenset(key for key in self.keys[:index] if key in shared)
        return tuple(above), after, self.wraps[self.sections[index].start]

    def _loose(self, key: str) -> tuple[str, ...]:
        """Where the heading is no ATX heading (underlined, bold, HTML): everything from it to the next ATX heading."""
        claiming = [number for number, line in enumerate(self.lines) if key and key in _claims(line)]
        starts = [section.start for section in self.sections] + [len(self.lines)]
        return tuple(self._block(n, next(start for start in starts if start > n)) for n in claiming)


def _claims(line: str) -> list[str]:
    """What a line would be called if it were a heading in any notation; other line breaks than a line feed count."""
    return [heading_key(_bare(piece).strip(_MARKUP).lstrip("0123456789.)( ")) for piece in line.splitlines()]


def _bare(piece: str) -> str:
    """Without tags, link targets and entities: "<b>S&#97;fety</b>" is "Safety"."""
    return _ANY_TAG.sub("", unescape(piece)) if any(char in piece for char in "<&[") else piece


def _wraps(lines: Sequence[str], wanted: Collection[int]) -> dict[int, tuple[object, ...]]:
    """What the wanted lines stand in, as seen before each: an open comment, and tags open here and closed later.

    A tag counts where it is closed further down or has a line of its own, so that a placeholder such as <name> in
    a sentence does not.
    """
    closed = Counter(name for line in lines for slash, name in _tags(line) if slash)
    opened: Counter[str] = Counter()
    alone: Counter[str] = Counter()
    comment = 0
    seen: dict[int, tuple[object, ...]] = {}
    for number, line in enumerate(lines):
        if number in wanted:
            around = frozenset((name, count) for name, count in opened.items() if count and closed[name] > 0)
            seen[number] = (
                comment > 0,
                around,
                frozenset((name, count) for name, count in alone.items() if count),
            )
        comment = max(0, comment + line.count("<!--") - line.count("-->"))
        own_line = "<" in line and _TAG_ALONE.search(line) is not None
        for slash, name in _tags(line):
            step = -1 if slash else 1
            closed[name] -= bool(slash)
            opened[name] = max(0, opened[name] + step)
            alone[name] += step if own_line else 0
    return seen


def _tags(line: str) -> list[tuple[str, str]]:
    """(slash or empty, name in lower case) of the tags in a line."""
    if "<" not in line:
        return []
    return [(match.group(1), match.group(2).lower()) for match in _TAG.finditer(line)]
