"""What a text quotes from reports: the lines of the block under one fixed heading, and who said them. No Django."""

from collections.abc import Hashable, Iterable, Sequence
from typing import Final

import re2

from agents.sections import fenced, heading_key, lines_of, parse

HEADING: Final = "Quoted corrections"

_WORD = re2.compile(r"[\p{L}\p{N}]+")


def lines(text: str) -> list[str]:
    """What is quoted, line by line: what stands behind ">" in a fence below the heading."""
    held = [section for section in parse(text) if heading_key(section.heading) == heading_key(HEADING)]
    if not held:
        return []
    found = lines_of(text)
    code = fenced(found)
    inside = (number for section in held for number in range(section.start, section.end) if code[number])
    return [found[number][1:].strip() for number in inside if found[number].startswith(">")]


def sources(quotes: Iterable[str], said: Sequence[tuple[Hashable, str]]) -> dict[str, int]:
    """How many distinct sources said each quote, whatever the case and punctuation; `said` is (source, text)."""
    spoken = [(who, f" {_words(text)} ") for who, text in said]
    return {quote: len({who for who, text in spoken if f" {_words(quote)} " in text}) for quote in quotes}


def _words(text: str) -> str:
    return " ".join(match.group().casefold() for match in _WORD.finditer(text))
