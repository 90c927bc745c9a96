"""A text as somebody reads it who knows what it stands for: encoded, wide and invisible characters seen through.

Only for looking: whoever finds something keeps, or takes out, what was really written there. Pure; knows no Django.
"""

import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import re2

from agents.lookalikes import is_blank_letter, is_variation_selector

_ENCODED: Final = re2.compile(r"%[2-7][0-9A-Fa-f]")
_DOTS: Final = "\u3002\uff61"
_MINUS: Final = "\u2212"


def undisguised(text: str) -> tuple[str, Sequence[int] | None]:
    """The text in plain characters, and where in `text` each of them begins, its end last; None where nothing moved.

    Digits of any script and wide letters are the ones people type, hyphens and spaces the usual ones, “%40” is “@”,
    and what cannot be seen is left out. All else stays.
    """
    if text.isascii() and "%" not in text:
        return text, None
    folds = {char: folded for char in set(text) if (folded := _folded(char)) != char}
    encoded = {match.start() for match in _ENCODED.finditer(text)} if "%" in text else set[int]()
    if not folds and not encoded:
        return text, None
    plain, places, at = list[str](), list[int](), 0
    while at < len(text):
        width = 3 if at in encoded else 1
        shown = chr(int(text[at + 1 : at + 3], 16)) if at in encoded else folds.get(text[at], text[at])
        if shown:
            plain.append(shown)
            places.append(at)
        at += width
    return "".join(plain), [*places, len(text)]


@lru_cache(maxsize=4096)
def _folded(char: str) -> str:
    """One plain character, or none."""
    if char.isascii():
        return char
    category = unicodedata.category(char)
    if category == "Cf" or is_blank_letter(char) or is_variation_selector(char):
        return ""
    if category in ("Zs", "Pd") or char == _MINUS:
        return " " if category == "Zs" else "-"
    if category == "Nd":
        return str(unicodedata.decimal(char))
    usual = "." if char in _DOTS else unicodedata.normalize("NFKC", char)
    return usual if len(usual) == 1 and usual.isascii() else char
