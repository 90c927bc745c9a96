"""Values that can have blanks inside: quoted text, dates, printed objects. Each becomes VALUE in the message."""

import re2

from feedback.mining.errors.pieces import VALUE

_QUOTED = re2.compile(r"\"[^\"\n]*\"|`[^`\n]*`|“[^”\n]*”|\B'[^'\n]*'\B")
_METHODS = frozenset(("get", "head", "post", "put", "patch", "delete", "options"))
_FEW_WORDS = 2
"""Quoted text of more words is prose, a message inside the message."""

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = f"(?:{'|'.join(_MONTHS)})[a-z]{{0,6}}"
_DATE = re2.compile(
    r"(?i)\b(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]{0,6},? +)?"
    rf"(?:\d{{1,2}}[ /-]{_MONTH}|{_MONTH}\.? {{1,2}}\d{{1,2}})\b(?:,?[ /:-]\d{{2,4}})?"
    r"(?:[ ,:t]+\d{1,2}:\d\d(?::\d\d)?(?:[.,]\d+)?(?: ?[ap]m)?)?"
    r"(?: (?:utc|gmt|[a-z]{1,4}t|[+-]\d{4})\b)?(?: \d{4}\b)?"
)
_OBJECT = re2.compile(r"\b[A-Za-z][\w.$@]*\{[^{}]*\}")
_NESTED = 3


def without_spans(line: str) -> str:
    """The line with VALUE, set off by blanks, for every such value; quoted keys and prose lose their quotes only."""
    if '"' in line or "'" in line or "`" in line or "“" in line:
        line = _QUOTED.sub(_quoted, line)
    if "{" in line:
        line = _without_objects(line)
    lower = line.lower()
    if any(month in lower for month in _MONTHS):
        line = _DATE.sub(f" {VALUE} ", line)
    return line


def _quoted(match: "re2._Match[str]") -> str:
    text = match.group()[1:-1]
    words = text.split()
    is_key = len(words) == 1 and match.string[match.end() : match.end() + 2].lstrip()[:1] == ":"
    if is_key or len(words) > _FEW_WORDS:
        is_request = not is_key and words[0].lower() in _METHODS and ("://" in words[1] or words[1][0] == "/")
        return f" {words[0].upper()} {VALUE} " if is_request else f" {text} "
    if len(words) == _FEW_WORDS and words[0].lower() in _METHODS and words[1][0] == "/":
        return f" {words[0].upper()} {VALUE} "
    return VALUE


def _without_objects(line: str) -> str:
    """Without objects as Java, Kotlin and Rust print them, such as Task{id=3 owner=Person{ann}}, inner ones first."""
    for _ in range(_NESTED):
        fewer = _OBJECT.sub(VALUE, line)
        if fewer == line:
            break
        line = fewer
    return line
