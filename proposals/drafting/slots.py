"""The only doors through which words from outside enter instruction text.

A slot takes a value or refuses it; it never repairs one. What passes is made of words and numbers, in form NFC,
without look-alikes, in no script mixed with another, and has none of the words that instructions to machines are
made of.
"""

import unicodedata
from collections.abc import Sequence

import re2

from feedback.mining.phrases import bare
from feedback.mining.stems import stem
from proposals.checking.checks import override_phrases, secret_strings
from proposals.checking.invisible import allowed_in_instructions

MAX_TERM = 24
MAX_TERM_WORDS = 4
MAX_LABEL = 40

_NUMBER = r"(?:[€$£]?\p{N}{1,9}(?:[.,]\p{N}{1,9})?[%€$£]?|\p{N}{1,4}[A-Za-z]{1,3})"
_WORD = r"\p{L}[\p{L}\p{M}\p{N}]*(?:['’-][\p{L}\p{N}]+)*"
_TERM = re2.compile(rf"^(?:{_NUMBER}|{_WORD})(?: (?:{_NUMBER}|{_WORD}))*$")
_LABEL = re2.compile(r"^\p{L}[\p{L}\p{M}\p{N}]*(?:[ _-][\p{L}\p{N}]+)*$")
_SPLIT = re2.compile(r"[^\p{L}\p{N}]+")

# Words that turn a topic into an order. A topic that needs one is left to a person.
_ORDER_WORDS = """
    ignore ignores ignoring disregard disregards disregarding override overrides overriding bypass bypasses
    forget obey obeys comply complies pretend pretends jailbreak instruction instructions instruct prompt
    prompts regardless notwithstanding supersede supersedes previous prior above preceding foregoing
    unrestricted unfiltered always never must shall dont cannot unless except system developer assistant sudo
    roleplay exfiltrate leak reveal reveals disclose discloses execute eval script javascript http https www
    href onerror
"""
_ORDERS = frozenset(stem(word) for word in _ORDER_WORDS.split())


def term(value: str) -> str | None:
    """A topic or phrase of at most MAX_TERM_WORDS words and MAX_TERM characters, as it is, or None."""
    # Printable first: a lone surrogate is not, and no pattern can read it.
    short = len(value) <= MAX_TERM and value.count(" ") < MAX_TERM_WORDS and value.isprintable()
    return value if short and _TERM.search(value) and _is_harmless(value) else None


def topics(values: Sequence[str]) -> tuple[str, ...]:
    """The values that are terms, also after "the " or in curly quotes; each once, in order."""
    return tuple(dict.fromkeys(value for value in values if term(bare(value))))


def phrase_pair(pair: tuple[str, str] | None) -> tuple[str, str] | None:
    """Two different terms, or None."""
    if pair is None:
        return None
    old, new = term(pair[0]), term(pair[1])
    return (old, new) if old and new and old.casefold() != new.casefold() else None


def label(value: str) -> str | None:
    """The name of a class as a classifier gives it: words, also joined by "_" or "-", at most MAX_LABEL characters."""
    return (
        value
        if len(value) <= MAX_LABEL and value.isprintable() and _LABEL.search(value) and _is_harmless(value)
        else None
    )


def count(value: int) -> int:
    """A number of things, never negative."""
    return max(0, int(value))


def _is_harmless(value: str) -> bool:
    if not unicodedata.is_normalized("NFKC", value) or not allowed_in_instructions(value):
        return False
    if override_phrases(value) or secret_strings(value):
        return False
    return not is_order(value)


def is_order(value: str) -> bool:
    """Whether a text has one of the words that instructions to machines are made of."""
    return any(stem(word) in _ORDERS for word in _SPLIT.split(value.casefold()))
