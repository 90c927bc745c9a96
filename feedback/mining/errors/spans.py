"""Values that can have blanks inside: quoted text, dates, printed objects. Each becomes VALUE in the message."""

import re2

from feedback.mining.errors.pieces import VALUE, is_telling

_QUOTED = re2.compile(r"\"[^\"\n]*\"|`[^`\n]*`|“[^”\n]*”|\B'[^'\n]*'\B")
_METHODS = frozenset(("get", "head", "post", "put", "patch", "delete", "options"))
_FEW_WORDS = 2
"""Quoted text of more words can be prose, but not where a sentence goes on with it: no results for "red shoes 42"."""
_KEY_CHARS = 30

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = f"(?:{'|'.join(_MONTHS)})[a-z]{{0,6}}"
_DATE = re2.compile(
    r"(?i)\b(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]{0,6},? +)?"
    rf"(?:\d{{1,2}}[ /-]{_MONTH}|{_MONTH}\.? {{1,2}}\d{{1,2}})\b(?:,?[ /:-]\d{{2,4}})?"
    r"(?:[ ,:t]+\d{1,2}:\d\d(?::\d\d)?(?:[.,]\d+)?(?: ?[ap]m)?)?"
    r"(?: (?:utc|gmt|[a-z]{1,4}t|[+-]\d{4})\b)?(?: \d{4}\b)?"
)
_OBJECT = re2.compile(
    r"\b[A-Za-z][\w.$@]*\{[^{}]*\}"  # Task{id=3 Owner{ann}}
    r"|\b[A-Z][\w.$@]*(?:\[\{?[^\[\]{}]*=[^\[\]{}]*\}?\]|\([^()]*=[^()]*\))"  # Task[id=3], Task(id=3)
)
_GROUP = re2.compile(r"\b([\w.-]+)=[\w.$@]*(?:\[[^\[\]]*\]|\{[^{}]*\}|\([^()]*\))")  # tasks=[1, 2]
_NESTED = 3


def without_spans(line: str) -> str:
    """The line with VALUE, set off by blanks, for every such value; quoted keys and prose lose their quotes only."""
    if '"' in line or "'" in line or "`" in line or "“" in line:
        line = _QUOTED.sub(_quoted, line)
    if "{" in line or "=" in line:
        line = _without_objects(line)
    lower = line.lower()
    if any(month in lower for month in _MONTHS):
        line = _DATE.sub(f" {VALUE} ", line)
    return line


def _quoted(match: "re2._Match[str]") -> str:
    text = match.group()[1:-1]
    words = text.split()
    if len(words) > 1 and words[0].lower() in _METHODS and (words[1][0] == "/" or "://" in words[1]):
        return f" {words[0].upper()} {VALUE} "
    return f" {text} " if _is_text(match, len(words)) else VALUE


def _is_text(match: "re2._Match[str]", words: int) -> bool:
    """Whether what is quoted is a key, the value of a key that tells the error, or a message inside the message."""
    if words == 1 and match.string[match.end() : match.end() + 2].lstrip()[:1] == ":":
        return True
    before = match.string[max(0, match.start() - _KEY_CHARS) : match.start()].rstrip()
    key = before.rstrip(":= \"'")
    if key != before and before[len(key) :].strip("\"' ") and _is_telling_key(key):
        return True
    return words > _FEW_WORDS and not before[-1:].isalpha()


def _is_telling_key(text: str) -> bool:
    """Whether the text ends in such a key. KeyError is none: what is quoted behind an exception varies."""
    key = text.replace('"', " ").replace("'", " ").split()[-1:]
    return bool(key) and key[0].islower() and is_telling(key[0])


def _without_objects(line: str) -> str:
    """Without objects as programs print them, such as Task{id=3 owner=Person{ann}}, inner ones first."""
    for _ in range(_NESTED):
        fewer = _OBJECT.sub(VALUE, line)
        if fewer == line:
            break
        line = fewer
    return _GROUP.sub(_grouped, line) if "=[" in line or "={" in line or "=(" in line else line


def _grouped(match: "re2._Match[str]") -> str:
    return match.group() if is_telling(match.group(1)) else f"{match.group(1)}={VALUE}"
