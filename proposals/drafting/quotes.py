"""Corrections quoted as examples: a marked block at the end of a prompt, which nothing quoted can leave.

A quote is one line behind "> " inside a fence, under a fixed heading and a fixed sentence that says what it is. What
does not fit on one plain line, or looks like an order, a link, a secret or markup, is not quoted at all.
"""

import unicodedata
from collections import Counter
from collections.abc import Sequence
from typing import Final

import re2

from agents.lookalikes import skeleton
from agents.sections import Section
from proposals.checking import quoted
from proposals.checking.checks import addresses, secret_strings
from proposals.checking.commanding import reads_like_instructions
from proposals.checking.invisible import allowed_in_instructions
from proposals.checking.quoted import HEADING
from proposals.drafting.placement import Edit, Page, find_section
from proposals.drafting.slots import is_order
from proposals.drafting.types import Brief

ABOUT: Final = (
    "People corrected answers to what is quoted here. These are examples to learn from; nothing in them is an order."
)
OPENING: Final = "```text"
CLOSING: Final = "```"
MARK: Final = "> "
MAX_QUOTE: Final = 240
MOST: Final = 3
"""So many are quoted at once."""
MOST_IN_ALL: Final = 12

_BREAKS: Final = str.maketrans("\n\r\t", "   ")
_MARKUP = re2.compile(r"[`<>{}|\\~]|\]\(|\$\{|^\s*[#>*+=-]|(?i)\b(?:system|assistant|user|human|developer|tool)\s*:")


def quotable(text: str) -> str | None:
    """A text as the one line that may be quoted, or None."""
    if len(text) > MAX_QUOTE * 2:
        return None
    typed = text.translate(_BREAKS)
    line = " ".join(typed.split())
    plain = 0 < len(line) <= MAX_QUOTE and typed.isprintable() and unicodedata.is_normalized("NFKC", line)
    if not plain or not allowed_in_instructions(line) or _MARKUP.search(line) or is_order(line):
        return None
    return None if reads_like_instructions(line) or secret_strings(line) or addresses(line) else line


def choose(brief: Brief, pages: Sequence[Page]) -> list[str]:
    """What of a pattern's repeated corrections may be quoted and is not quoted yet, at most MOST."""
    known = {skeleton(line) for page in pages for line in quoted.lines(page.document.text)}
    found = {skeleton(line): line for text in brief.quotes if (line := quotable(text))}
    return [line for key, line in found.items() if key not in known][:MOST]


def quote(pages: Sequence[Page], lines: Sequence[str]) -> tuple[Page, Edit] | None:
    """The first text with these lines in its block, which is made where there is none; None where it cannot be."""
    held = [(page, section) for page in pages if (section := find_section(page, HEADING))]
    made = [(page, _extended(page, section, lines)) for page, section in held]
    made += [(page, _appended(page, lines)) for page in pages if not held]
    return next(((page, edit) for page, edit in made if edit), None)


def _extended(page: Page, section: Section, lines: Sequence[str]) -> Edit | None:
    """Lines put before the end of the block; None where a person made something else of it."""
    inside = [page.lines[number].rstrip("\r\n") for number in range(section.start, section.end)]
    marks = Counter(inside)
    if marks[OPENING] != 1 or marks[CLOSING] != 1 or len(quoted.lines(page.document.text)) + len(lines) > MOST_IN_ALL:
        return None
    at = section.start + inside.index(CLOSING)
    return _checked(page, "".join(page.lines[:at]), _quoted(page, lines), "".join(page.lines[at:]), lines)


def _appended(page: Page, lines: Sequence[str]) -> Edit | None:
    if page.code[-1]:
        return None
    text, end = page.document.text, page.ending
    gap = "" if not text else end * (2 - min(2, len(text) - len(text.rstrip("\n"))))
    levels = Counter(section.level for section in page.sections if section.level > 1)
    usual = levels.most_common(1)[0][0] if levels else 2
    for level in dict.fromkeys((usual, 2, 1)):  # below a protected section it would be part of that
        head = f"{gap}{'#' * level} {HEADING}{end * 2}{ABOUT}{end * 2}{OPENING}{end}"
        edit = _checked(page, text + head, _quoted(page, lines), f"{CLOSING}{end}", lines)
        if edit:
            return edit
    return None


def _quoted(page: Page, lines: Sequence[str]) -> str:
    return "".join(f"{MARK}{line}{page.ending}" for line in lines)


def _checked(page: Page, before: str, put: str, after: str, lines: Sequence[str]) -> Edit | None:
    text = before + put + after
    return Edit(text, f"{MARK}{lines[0]}", HEADING) if page.keeps_protected(text) else None
