"""Characters a reader cannot see or cannot tell apart, made visible or refused.

spans(text) -> list[str | Chip]           the text in pieces; joined (a chip stands for `chip.char`) it is the text
Chip(code, name, char)                    code "U+202E", name "right-to-left override"
problems(text) -> list[str]               one sentence per character found, in order of appearance, at most MAX
allowed_in_instructions(text) -> bool     whether a text may be served to an agent
"""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby, islice

from agents.lookalikes import CONFUSABLES, is_blank_letter, is_variation_selector, script

MAX = 20
"""Most problems named; one who hides more is not helped by a longer list."""

_ZWNJ, _ZWJ, _VS16 = "\u200c", "\u200d", "\ufe0f"
_KEYCAP = "\u20e3"
_PLAIN = "\n\t"
_EMOJI_ELSEWHERE = frozenset("ℹ‼⁉〰↔⤴⤵◾◽▪▫▶◀⬛⬜")
"""Emoji whose Unicode category is a letter, a mark or a mathematical sign."""

# Names of characters that the Unicode database leaves unnamed.
_CONTROL_NAMES = {
    "\x00": "null",
    "\x08": "backspace",
    "\r": "carriage return",
    "\x1b": "escape",
    "\x7f": "delete",
}


@dataclass(frozen=True, slots=True)
class Chip:
    """One character shown by its code instead of itself."""

    code: str
    name: str
    char: str


def spans(text: str) -> list[str | Chip]:
    """The text in pieces: strings that may be shown as they are, and a chip for each character that may not.

    Chips are control, format, bidirectional, tag, zero-width, private, unassigned and unpaired characters, odd
    blanks, and letters of another script that pass for Latin ones in a word with Latin letters.
    """
    if _is_plain(text):
        return [text] if text else []
    pieces: list[str | Chip] = []
    for hidden, run in groupby(zip(text, _marks(text), strict=True), key=lambda pair: pair[1]):
        chars = [char for char, _ in run]
        if hidden:
            pieces.extend(_chip(char) for char in chars)
        else:
            pieces.append("".join(chars))
    return pieces


def problems(text: str) -> list[str]:
    """What keeps a text from being served, one sentence per character and at most MAX; empty if nothing does."""
    found = list(islice(_problems(text), MAX))
    if not unicodedata.is_normalized("NFC", text):
        found.append("The text is not in Unicode form NFC, so what is shown may differ from what is compared.")
    return found


def _problems(text: str) -> Iterator[str]:
    line = 1
    seen: set[str] = set()
    for char, hidden in zip(text, _marks(text), strict=True):
        if hidden and char not in seen:
            seen.add(char)
            chip = _chip(char)
            yield f"Line {line} holds {chip.code}, {chip.name}."
        line += char == "\n"


def allowed_in_instructions(text: str) -> bool:
    """Whether a text is in form NFC and has no character that `spans` would show as a chip."""
    return not problems(text)


def _is_plain(text: str) -> bool:
    """Whether nothing in the text can be a chip, told from which characters it has: so it is with nearly all lines."""
    return all(map(_is_never_hidden, set(text)))


@lru_cache(maxsize=8192)
def _is_never_hidden(char: str) -> bool:
    """Whether a character is shown as it is, wherever it stands."""
    return not (_is_hidden(char) or char in (_ZWJ, _ZWNJ, _VS16) or _passes_for_latin(char))


def _marks(text: str) -> list[bool]:
    """Per character whether it has to be a chip."""
    if _is_plain(text):
        return [False] * len(text)
    if text.isascii():
        return [not (char.isprintable() or char in _PLAIN) for char in text]
    marks = [_is_hidden(char) for char in text]
    for index in range(len(text)):
        if text[index] in (_ZWJ, _ZWNJ, _VS16):
            marks[index] = not _is_valid_joint(text, index)
    foreign = {script(char) for char in set(text) if not _passes_for_latin(char)}
    for start, end in _words(text):
        if _is_disguised(text[start:end], foreign):
            for index in range(start, end):
                marks[index] = marks[index] or _passes_for_latin(text[index])
    return marks


def _is_disguised(word: str, foreign: set[str]) -> bool:
    """Whether a word mixes Latin letters with letters that look Latin, or has only such letters of a script that the
    text does not otherwise use. A single such letter is a symbol, as in “α = 0.05”.
    """
    if word.isascii():
        return False
    scripts = {script(char) for char in word}
    if "LATIN" in scripts:
        return any(map(_passes_for_latin, word))
    return len(word) > 1 and not scripts & foreign and all(map(_passes_for_latin, word))


@lru_cache(maxsize=8192)
def _is_hidden(char: str) -> bool:
    if char in _PLAIN or char == " ":
        return False
    category = unicodedata.category(char)
    odd_blank = category[0] == "Z" and char not in "\u00a0\u202f"
    return category[0] == "C" or odd_blank or is_blank_letter(char) or is_variation_selector(char)


def _is_valid_joint(text: str, index: int) -> bool:
    """Whether a joiner or an emoji selector stands where it has a visible effect of its own."""
    before, after = text[index - 1 : index] if index else "", text[index + 1 : index + 2]
    if text[index] == _VS16:
        return before != "" and (_is_pictograph(before) or (before in "0123456789#*" and after == _KEYCAP))
    if text[index] == _ZWNJ:
        return _joins_letters(before) and _joins_letters(after)
    if before == _VS16 or _is_skin(before):
        before = text[index - 2 : index - 1] if index >= 2 else ""
    return _is_pictograph(before) and _is_pictograph(after)


def _is_skin(char: str) -> bool:
    return "\U0001f3fb" <= char <= "\U0001f3ff"


def _is_pictograph(char: str) -> bool:
    return char in _EMOJI_ELSEWHERE or (char != "" and unicodedata.category(char) in ("So", "Sk"))


def _joins_letters(char: str) -> bool:
    """Scripts in which a zero-width non-joiner changes how a word is drawn."""
    return script(char) in (
        "ARABIC",
        "DEVANAGARI",
        "BENGALI",
        "TAMIL",
        "TELUGU",
        "KANNADA",
        "MALAYALAM",
        "GUJARATI",
    )


def _words(text: str) -> Iterator[tuple[int, int]]:
    start = -1
    for index, char in enumerate(text + " "):
        if char.isalpha() and start < 0:
            start = index
        elif not char.isalpha() and start >= 0:
            yield start, index
            start = -1


def _passes_for_latin(char: str) -> bool:
    return char in CONFUSABLES and script(char) != "LATIN"


@lru_cache(maxsize=4096)
def _chip(char: str) -> Chip:
    number = ord(char)
    return Chip(f"U+{number:04X}", _name(char, number), char)


def _name(char: str, number: int) -> str:
    if 0xE0020 <= number <= 0xE007E:
        return f"tag character, hidden “{chr(number - 0xE0000)}”"
    name = unicodedata.name(char, "").lower() or _CONTROL_NAMES.get(char, "")
    if _passes_for_latin(char):
        return f"{name}, looks like “{CONFUSABLES[char]}”"
    if name:
        return name
    sorts = {"Cc": "control character", "Co": "private character", "Cs": "half of a character"}
    return sorts.get(unicodedata.category(char), "unassigned character")
