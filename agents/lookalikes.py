"""Characters that look like others: what a text looks like, as far as a hurried reader can tell."""

import unicodedata
from functools import lru_cache

# Cyrillic, Greek and a few other letters that common typefaces draw like a Latin one.
_PAIRS = (
    "аa еe оo рp сc уy хx іi јj ѕs һh ԁd ԛq ԝw ɡg ӏl ьb кk мm тt нh вb пn гr иu ӕæ "
    "АA ВB ЕE ЅS ІI ЈJ КK МM НH ОO РP СC ТT ХX УY ԌG ԚQ ԜW ЗZ "
    "αa εe ιi κk νv οo ρp τt υu χx γy ωw σo ηn ϲc ϳj "
    "ΑA ΒB ΕE ΖZ ΗH ΙI ΚK ΜM ΝN ΟO ΡP ΤT ΥY ΧX ϹC "
    "ıi ȷj ɑa ƅb ɩi ʟl ᴀa ᴄc ᴏo ᴠv ᴡw ᴢz ꜱs "
    "օo սu հh ոn ցg զq աw ՕO ՍU ᎪA ᏴB ᏟC ᎠD ᎬE ᏀG ᎻH ᎫJ ᏦK ᏞL ᎷM ᏢP ᏒR ᏚS ᎢT ᏙV ᎳW ᏃZ"
)
CONFUSABLES = {pair[0]: pair[1] for pair in _PAIRS.split()}
"""A letter from another script → the Latin letter it looks like."""

# Told apart by nobody at reading speed.
_SAME = str.maketrans({"0": "o", "1": "l", "i": "l", "|": "l"})


_ASCII = {code: chr(code) if chr(code).isalnum() else " " if chr(code).isspace() else None for code in range(128)}


@lru_cache(maxsize=4096)
def script(char: str) -> str:
    """LATIN, CYRILLIC, GREEK, … for a letter, and empty for anything else."""
    if not char.isalpha():
        return ""
    return unicodedata.name(char, "").partition(" ")[0]


_BLANKS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")


def is_blank_letter(char: str) -> bool:
    """Whether a character counts as a letter, mark or symbol and is yet drawn as nothing."""
    return char in _BLANKS


def is_variation_selector(char: str) -> bool:
    return "\ufe00" <= char <= "\ufe0f" or "\U000e0100" <= char <= "\U000e01ef" or char in "\u180b\u180c\u180d\u180f"


def skeleton(text: str) -> str:
    """A text as letters and digits a reader takes it for: invisible characters, marks and punctuation gone, look-alikes
    made Latin, case folded, runs of blanks one space. Two headings with one skeleton pass for the same heading.
    """
    if text.isascii():
        return " ".join(text.translate(_ASCII).casefold().translate(_SAME).split())
    drawn: list[str] = []
    for char in unicodedata.normalize("NFKD", text):
        latin = CONFUSABLES.get(char, char)
        if latin.isalnum() and not is_blank_letter(latin):
            drawn.append(latin)
        elif unicodedata.category(char)[0] == "Z" or char in "\t\n\r":
            drawn.append(" ")
    return " ".join("".join(drawn).casefold().translate(_SAME).split())
