"""From a message to its shape: the words and marks of what the program says, "<*>" for what it says it of.

A pure function of one message that reads at most 2000 characters, and in linear time only.
"""

from collections.abc import Iterable, Sequence
from itertools import combinations, islice

import re2

from feedback.mining.cleaning import MAX_WORDS, clean
from feedback.mining.errors.pieces import MARKS, OPEN_KEY, PLACEHOLDER, VALUE, is_telling, tokens
from feedback.mining.errors.spans import without_spans

_TAIL = 4000
_EXCEPTION_LINE = re2.compile(r"^[A-Za-z_][\w.]*(?:Error|Exception|Warning|Exit|Interrupt|Timeout|Failure)\b")
_QUALIFIED_LINE = re2.compile(r"^[A-Za-z_][\w.]*(?::|$)")

_JOINING = frozenset(":,/;|+-")
_STATUS = frozenset(("http", "https", "status", "code", "error", "errno", "status_code"))
_LONGEST_REPEATED = 6
_UNIT_LIST = """
ns us µs ms s sec secs second seconds min mins minute minutes h hour hours day days millis millisecond
milliseconds msec msecs microsecond microseconds usec usecs nanoseconds byte bytes b kb mb gb tb kib mib gib
utc gmt b/s kb/s mb/s gb/s bytes/s bytes/sec kb/sec mb/sec kbps mbps % percent
"""
_UNITS = frozenset(_UNIT_LIST.split())


def template(text: str) -> str:
    """The shape of an error message, its tokens set apart by blanks; what varies from message to message is "<*>".

    Addresses, paths, dates, short quoted strings, what stands behind "key=", and every token with a digit vary; status
    codes from 400 up after "status", "code", "error" or "http" stay, since 404 and 503 are different errors.
    Of a Python traceback only its last "Type: message" line is read, else the first line. Empty if the text has
    nothing visible.
    """
    line = " ".join(message_of(text).split()[:MAX_WORDS])
    line = without_spans(line).replace(PLACEHOLDER, VALUE)
    shape = _settled([token for piece in line.split() for token in tokens(piece)])[:MAX_WORDS]
    if shape and shape[0].istitle() and shape[0].isalpha():
        shape[0] = shape[0].lower()  # whether it began a sentence is no difference
    return " ".join(shape)


def readable(shape: str) -> str:
    """A shape with its marks where people set them: "Tool <*> : no <*> , sorry" is "Tool <*>: no <*>, sorry"."""
    for ending in ("s", "es"):
        shape = shape.replace(f" ( {ending} )", f"({ending})")
    for mark in (",", ";", ":", ")", "]", "}"):
        shape = shape.replace(f" {mark}", mark)
    for mark in ("(", "[", "{"):
        shape = shape.replace(f"{mark} ", mark)
    return shape.replace(" = ", "=")


def message_of(text: str) -> str:
    """The part of a message that names the error; its last 4000 characters are read for a traceback only."""
    head = clean(text)
    if "Traceback (most recent call last)" not in head:
        line = next((line for line in head.split("\n") if line.strip()), "")
        return line if any(map(str.isalpha, line)) else head  # a lone bracket says nothing: JSON on several lines
    lines = [line for line in clean(text[-_TAIL:], _TAIL).split("\n") if line and not line[0].isspace()]
    for pattern in (_EXCEPTION_LINE, _QUALIFIED_LINE):
        for line in reversed(lines):
            if pattern.search(line):
                return line
    return lines[-1] if lines else head


def _settled(given: Sequence[str]) -> list[str]:
    """What can be told only from the tokens around: values behind keys, status codes, units, lists."""
    found: list[str] = []
    for token in _with_values(given) if OPEN_KEY in given else given:
        if token == PLACEHOLDER or _is_code(token):
            _add_value(found, token)
        elif not (found and found[-1] == PLACEHOLDER and token.lower() in _UNITS):
            found.append(token)
    if "=" in found:
        found = _without_further_words(found)
    if "[" in found or "{" in found:
        found = _without_lists(found)
    return _without_repeats(found) if found.count(PLACEHOLDER) > 2 else found


def _with_values(given: Sequence[str]) -> Iterable[str]:
    """The tokens with a value behind every open key; the next token, where it can be one, is that value."""
    is_taken = False
    for number, token in enumerate(given):
        follower = given[number + 1] if number + 1 < len(given) else ""
        if is_taken:
            is_taken = False
            if token not in MARKS and token != OPEN_KEY and follower not in ("=", OPEN_KEY):
                continue  # "key= value"; a key of its own, or a mark, says that there was none
        if token != OPEN_KEY:
            yield token
        elif number and given[number - 1] not in MARKS and given[number - 1] != PLACEHOLDER:
            yield "="
            if not is_telling(given[number - 1], follower):
                yield PLACEHOLDER
                is_taken = True


def _is_code(token: str) -> bool:
    return len(token) == 3 and token.isdigit()


def _add_value(found: list[str], token: str) -> None:
    """Adds a value or, in its place only, a status code; values that follow each other are one."""
    if token != PLACEHOLDER and _is_status_next(found):
        found.append(token)
    elif len(found) > 1 and found[-2] == PLACEHOLDER and found[-1] in _JOINING:
        found.pop()
    elif not found or found[-1] != PLACEHOLDER:
        found.append(PLACEHOLDER)


def _is_status_next(found: Sequence[str]) -> bool:
    words = (token for token in found[:-4:-1] if token not in MARKS)
    return next(words, "").lower() in _STATUS


def _without_further_words(given: Sequence[str]) -> list[str]:
    """Where keys and values are a list, a value goes on to the next comma: "name=John Smith, age=3"."""
    found: list[str] = []
    at = 0
    while at < len(given):
        found.append(given[at])
        at += 1
        if found[-2:] == ["=", PLACEHOLDER]:
            end = at
            while end < len(given) and given[end] not in MARKS:
                end += 1
            if end + 2 < len(given) and given[end] in ",;|" and given[end + 2] == "=":
                at = end
    return found


def _without_lists(given: Sequence[str]) -> list[str]:
    """A bracketed list of single items is one value, however long."""
    found: list[str] = []
    at = 0
    while at < len(given):
        end = _end_of_list(given, at)
        if end:
            found += (given[at], PLACEHOLDER, given[end])
            at = end
        else:
            found.append(given[at])
        at += 1
    return found


def _end_of_list(given: Sequence[str], at: int) -> int:
    """Where a list of at least two items that begins at `at` has its closing bracket; 0 if none does."""
    if given[at] not in "[{":
        return 0
    closing = "]" if given[at] == "[" else "}"
    last = at + 1
    while last + 1 < len(given) and given[last] not in MARKS and given[last + 1] == ",":
        last += 2
    is_list = last > at + 1 and last + 1 < len(given) and given[last] not in MARKS and given[last + 1] == closing
    return last + 1 if is_list else 0


def _without_repeats(given: list[str]) -> list[str]:
    """A group of tokens with a value in it that repeats at once is kept once: lists without brackets."""
    values = [number for number, token in enumerate(given) if token == PLACEHOLDER]
    apart = {later - number for number, later in combinations(values, 2) if later - number <= _LONGEST_REPEATED}
    for size in sorted(apart):
        if not _has_repeat(given, size):
            continue
        found: list[str] = []
        at = 0
        while at < len(given):
            group = given[at : at + size]
            if PLACEHOLDER in group and found[-size:] == group:
                at += size
            else:
                found.append(given[at])
                at += 1
        given = found
    return given


def _has_repeat(given: Sequence[str], size: int) -> bool:
    run = 0
    for token, later in zip(given, islice(given, size, None), strict=False):
        run = run + 1 if token == later else 0
        if run == size:
            return True
    return False
