"""A name for a group that a person can read at a glance, and that no hostile text can get through."""

from collections.abc import Sequence

import re2

from feedback.mining.cleaning import clean
from feedback.mining.errors import PLACEHOLDER, readable
from feedback.mining.interface import Kind

MAX_LABEL = 80

_INNER_DOT = re2.compile(r"\.(\p{L})")  # no host name survives: "evil.example" becomes "evil example"
_DOTS = re2.compile(r"…(?:[ :;,.-]*…)+")
_LEADING = re2.compile(r"^(?:[… :;,.-]|\(\))+")
_PLAIN_WORD = re2.compile(r"^\p{L}\p{Ll}*(?:[ :;,]|$)")
_NOT_IN_LABEL = re2.compile(r"[^\p{L}\p{N} _.,:;()'…→-]")


def label(
    kind: Kind,
    found: Sequence[str] = (),
    *,
    template: str = "",
    predicted: str = "",
    expected: str = "",
    changed: tuple[str, str] | None = None,
    reason_code: str = "",
) -> str:
    """A short name for a group, sentence case, at most MAX_LABEL characters, never empty.

    `found` is from `terms`, `changed` from `replacement`, `template` is an error's signature, `predicted` and
    `expected` are a mislabel's; `reason_code` is taken where nothing else is left. Examples:
    "Refund window, digital goods", "30 days → 14 days",
    "Tool … timed out after …", "Billing → refund (money back)", where `found` is from `apart`.
    """
    if kind is Kind.ERROR:
        text = readable(template)
    elif kind is Kind.MISLABEL:
        text = _told_apart(f"{predicted or 'nothing'} → {expected}", found) if expected else ""
    elif changed:
        text = f"{changed[0]} → {changed[1]}"
    else:
        text = ", ".join(found[:3])
    return _sentence(text, literal=kind is Kind.ERROR or bool(changed)) or _BY_REASON.get(
        reason_code, _WITHOUT_WORDS[kind]
    )


def _told_apart(text: str, words: Sequence[str]) -> str:
    """Both labels with up to two words that tell them apart, as far as there is room for them."""
    for most in (2, 1):
        fuller = f"{text} ({', '.join(words[:most])})"
        if words and len(fuller) <= MAX_LABEL:
            return fuller
    return text


_BY_REASON = {
    "wrong": "Wrong answers",
    "outdated": "Answers out of date",
    "unsafe": "Unsafe answers",
    "incomplete": "Incomplete answers",
    "too_long": "Answers too long",
    "too_short": "Answers too short",
    "style": "Tone and wording",
    "format": "Layout of answers",
    "wrong_tool": "Wrong tool",
    "slow": "Slow answers",
    "refused": "Refused without need",
}
_WITHOUT_WORDS = {
    Kind.COMPLAINT: "Complaints in different words",
    Kind.CORRECTION: "Corrections in different words",
    Kind.ERROR: "Errors without a message",
    Kind.MISLABEL: "Wrong labels",
    Kind.SUCCESS: "Praise in different words",
}


def _sentence(text: str, *, literal: bool = False) -> str:
    """One plain line; what is `literal` keeps its first letter where that is part of a name or a quotation."""
    plain = _INNER_DOT.sub(r" \1", clean(text)).replace(PLACEHOLDER, "…").replace("...", "…")
    line = _DOTS.sub(lambda _several: "…", " ".join(_NOT_IN_LABEL.sub(" ", plain).split()))
    if literal:
        line = _LEADING.sub("", line) or line
    if len(line) > MAX_LABEL:
        line = line[: MAX_LABEL - 1].rsplit(" ", 1)[0].rstrip(" ,:;…(") + "…"
    return line if literal and (" → " in line or not _PLAIN_WORD.search(line)) else line[:1].upper() + line[1:]
