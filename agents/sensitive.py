"""What in a text looks like a secret, or tells who somebody is. Pure; knows no Django.

Patterns run over what strangers wrote, so they are re2's: they take time in proportion to the text.
"""

import ipaddress
from collections import Counter
from collections.abc import Collection, Iterator
from typing import Any, Final, NamedTuple

import re2

from agents.disguises import undisguised

_KEY: Final = (
    r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY(?:-----[A-Za-z0-9+/=\s]*(?:-----END [A-Z ]{0,40}PRIVATE KEY-----)?)?"
    r"|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|\bgh[pousr]_[A-Za-z0-9]{30,}|\bcsk_[A-Za-z0-9]{10}_[A-Za-z0-9]{40,}"
    r"|\bgithub_pat_\w{40,}|\b(?:dckr_pat|dop_v1|shp(?:at|ca|pa|ss)|whsec|sntrys|lin_api)_[\w-]{20,}|\bGOCSPX-[\w-]{20,}"
    r"|\bgl(?:pat|rt|dt|ptt|cbt)-[\w-]{20,}|\bx(?:ox[abeoprs]|app)-[\w-]{10,}"
    r"|\b(?:sk|pk|rk)[-_](?:live|test|proj|ant)?[-_]?[A-Za-z0-9_-]{16,}"
    r"|\bAIza[\w-]{35}|\bya29\.[\w-]{20,}|\bSG\.[\w-]{16,64}\.[\w-]{16,}|\beyJ[\w-]{10,500}\.eyJ[\w-]{10,}\.[\w-]*"
    r"|\bnpm_[A-Za-z0-9]{30,}|\bpypi-[\w-]{40,}|\bhf_[A-Za-z0-9]{30,}"
    r"|[a-z][a-z0-9+]{1,20}://[^\s/:@]{0,80}:[^\s/]{3,}@|(?i:\bbearer +[\w.~+/-]{16,}=*)"
    r"|(?i:\b(?:\w{1,30}[_-])?(?:password|passwd|pwd|passphrase|secret|(?:api|private|secret|access)[_-]?key"
    r"|(?:access|auth|refresh|session)[_-]?token|client[_-]?secret)\b[\"']?\s*[:=]\s*[\"']?[^\s\"'<{$]{6,})"
)
# What may be a letter or digit of a name, in ranges: Unicode's own classes, repeated, are more than RE2 works with.
_LETTER: Final = (
    r"0-9A-Za-z\x{aa}\x{b5}\x{ba}\x{c0}-\x{1fff}\x{2c00}-\x{2dff}\x{3005}-\x{3007}\x{3040}-\x{d7ff}\x{f900}-\x{fdff}"
    r"\x{fe70}-\x{fefe}\x{ff10}-\x{ffdc}\x{10000}-\x{3ffff}"
)
_LOCAL: Final = rf"[{_LETTER}._%+-]{{1,64}}"
EMAIL: Final = rf"(?:{_LOCAL}['\x{{2019}}])?{_LOCAL}@[{_LETTER}-]+(?:\.[{_LETTER}-]+)+"
_SECRETS: Final = re2.compile(_KEY)
_RANDOM: Final = re2.compile(r"[A-Za-z0-9+/_=-]{32,}")

MASKED: Final[dict[str, str]] = {
    "secret": "[secret]",
    "email": "[e-mail]",
    "card": "[card number]",
    "ip": "[IP address]",
    "phone": "[phone number]",
}
"""What can be masked, and what then stands in its place; in the order in which they are looked for."""

NAMES: Final[dict[str, str]] = {
    "secret": "keys and passwords",
    "email": "e-mail addresses",
    "card": "card numbers",
    "ip": "IP addresses",
    "phone": "phone numbers",
}

_OCTET: Final = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_IP4: Final = rf"\b{_OCTET}(?:\.{_OCTET}){{3}}\b"
_IP6: Final = r"(?i:\b(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}\b|\b(?:[0-9a-f]{1,4}:){1,6}(?::[0-9a-f]{1,4}){1,6}\b)"
# Digits that may hold a card's number: an expiry date or an order's number can stand right beside it.
_CARD: Final = r"\b\d(?:[ .-]?\d){12,}\b"
# With a country's code; or as in North America; or with an area's code in brackets; or with a leading zero and either
# ten or eleven digits or a separator after the area's code, which is a dot only where no date is written so; or as
# mobile numbers are in China.
_PHONE: Final = (
    r"(?:\+|\b00)[1-9]\d{0,2}(?:[ ./-]{0,3}\(?\d{1,5}\)?){2,7}\b"
    r"|(?:\b1[ .-])?(?:\([2-9]\d{2}\) ?|\b[2-9]\d{2}[ .-])[2-9]\d{2}[ .-]\d{4}\b"
    r"|(?:\(0\d{1,5}\) ?|\b0\d{1,5}[ /-]{1,3})\d{2,8}(?:[ -]\d{2,5}){0,4}\b|\(\d{2,5}\) ?\d{3,5}(?:[ -]\d{2,5}){1,3}\b"
    r"|\b0\d(?:\.\d{2}){4}\b|\b0\d{2,5}\.\d{5,8}\b|\b0[1-9]\d{8,9}\b|\b1[3-9]\d[ -]\d{4}[ -]\d{4}\b"
)
_WAYS: Final = {"secret": _KEY, "email": EMAIL, "ip": f"{_IP4}|{_IP6}", "card": _CARD, "phone": _PHONE}
_GROUPS: Final = re2.compile(r"\d+")
_PHONES: Final = re2.compile(_PHONE)
_NAMED_SECRET: Final = re2.compile(
    r"(?i)(?:password|passwd|passphrase|secret|authorization|(?:^|[^a-z])(?:pwd|token|jwt|cookie)"
    r"|(?:api|access|auth|private|refresh|session|secret)[_-]?(?:key|token))$"
)
_BOOK: Final = re2.compile(r"(?i)\bisbn(?:[ -]?10)?[ :#.]{0,3}$")
_LONGEST_NAME_OF_BOOK: Final = 12
_LEAST_OF_SECRET: Final = 6
_CARD_LENGTHS: Final = range(13, 20)
_PHONE_LENGTHS: Final = range(7, 16)


def secret_strings(text: str) -> list[str]:
    """What in a text looks like a key, token or password."""
    known = [match.group() for match in _SECRETS.finditer(text)]
    return known + [match.group() for match in _RANDOM.finditer(text) if _is_random(match.group())]


def _is_random(token: str) -> bool:
    """Whether 32 or more characters mix cases and digits the way keys do and words, paths and rules do not."""
    digits = sum(char.isdigit() for char in token)
    kinds = any(c.isupper() for c in token) + any(c.islower() for c in token) + (digits > 0)
    return digits >= 4 and kinds >= 2 and len(set(token)) >= 12 and token.count("-") + token.count("/") < len(token) / 5


class _Found(NamedTuple):
    """What was found of which kind, and where."""

    start: int
    end: int
    kind: str


class Mask:
    """Puts words like “[e-mail]” in the place of what is of some kinds, and counts what it took out."""

    def __init__(self, kinds: Collection[str]) -> None:
        """`kinds` are keys of MASKED; raises KeyError for another."""
        ways = [f"(?P<{kind}>{_WAYS[kind]})" for kind in MASKED if kind in kinds]
        self._kinds = frozenset(kinds)
        if unknown := set(kinds) - set(MASKED):
            raise KeyError(*unknown)
        self._any = re2.compile("|".join(ways)) if ways else None

    def text(self, text: str, counts: Counter[str]) -> str:
        """The text without them; what was taken out is added to `counts`, by kind."""
        if self._any is None or not text:
            return text
        plain, places = undisguised(text)
        parts, done = [], 0
        for start, end, kind in self._found(plain, 0):
            counts[kind] += 1
            parts += [text[done : places[start] if places else start], MASKED[kind]]
            done = places[end] if places else end
        return "".join([*parts, text[done:]]) if parts else text

    def _found(self, text: str, at: int) -> Iterator[_Found]:
        """All of it in a piece that begins at `at`, one after another."""
        if self._any is None:
            return
        for match in self._any.finditer(text):
            kind, found, start = match.lastgroup, match.group(), at + match.start()
            if kind == "card":
                yield from self._cards(found, start)
            elif kind == "phone":
                if not _goes_on(text, match.start()) and not _is_book(text, match.start(), found):
                    yield from self._phone(found, start)
            elif kind != "ip" or _is_address(found):
                yield _Found(start, at + match.end(), kind)

    def _cards(self, run: str, at: int) -> Iterator[_Found]:
        """The card numbers in a run of groups of digits, and the phone numbers between them."""
        groups = [match.span() for match in _GROUPS.finditer(run)]
        done, first = 0, 0
        while first < len(groups):
            last = _card_from(run, groups, first)
            if last is None:
                first += 1
                continue
            start, end = groups[first][0], groups[last][1]
            yield from self._phones(run[done:start], at + done)
            yield _Found(at + start, at + end, "card")
            done, first = end, last + 1
        yield from self._phones(run[done:], at + done)

    def _phones(self, text: str, at: int) -> Iterator[_Found]:
        if "phone" in self._kinds:
            for match in _PHONES.finditer(text):
                yield from self._phone(match.group(), at + match.start())

    def _phone(self, found: str, at: int) -> Iterator[_Found]:
        """As many of its groups as make a phone number are one; what follows may be anything."""
        ends = [match.end() for match in _GROUPS.finditer(found)]
        end = next((end for end in reversed(ends) if _is_phone(found[:end])), None)
        if end is not None:
            yield _Found(at, at + end, "phone")
            yield from self._found(found[end:], at + end)

    def tree(self, value: Any, counts: Counter[str]) -> Any:
        """The same in every string and whole number of a JSON value, keys included."""
        match value:
            case str():
                return self.text(value, counts)
            case bool():
                return value
            case int() | float() if value == int(value):
                written = str(int(value))
                left = self.text(written, counts)
                return value if left == written else left
            case dict():
                return self._object(value, counts)
            case list():
                return [self.tree(item, counts) for item in value]
        return value

    def _object(self, value: dict[str, Any], counts: Counter[str]) -> dict[str, Any]:
        """What a key calls a secret is one. Keys that are the same when masked are numbered, so that none is lost."""
        kept: dict[str, Any] = {}
        for key, item in value.items():
            name = free = self.text(key, counts)
            number = 1
            while free in kept:
                number += 1
                free = f"{name} {number}"
            if self._is_secret(key, item):
                counts["secret"] += 1
                kept[free] = MASKED["secret"]
            else:
                kept[free] = self.tree(item, counts)
        return kept

    def _is_secret(self, key: str, item: Any) -> bool:
        is_long = isinstance(item, str | int) and len(str(item)) >= _LEAST_OF_SECRET
        return "secret" in self._kinds and is_long and _NAMED_SECRET.search(key) is not None


def _digits(text: str) -> list[int]:
    return [int(char) for char in text if char.isdigit()]


def _is_card(text: str) -> bool:
    """Whether the check digit fits, as ISO/IEC 7812 has it (Luhn)."""
    digits = _digits(text)[::-1]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[1::2]]
    return len(digits) in _CARD_LENGTHS and any(digits) and (sum(digits[::2]) + sum(doubled)) % 10 == 0


def _card_from(run: str, groups: list[tuple[int, int]], first: int) -> int | None:
    """The last group of a card's number that begins with group `first`; None where none does.

    Part of a longer run is one only where it is grouped as cards are: 4-4-4-4, 4-6-5, 4-6-4, or not at all.
    """
    start, end = groups[first]
    may_begin = first == 0 or end - start == 4 or end - start in _CARD_LENGTHS
    if not may_begin or run[start] not in "23456":
        return None
    fitting, sizes = None, list[int]()
    for last, (at, until) in enumerate(groups[first : first + max(_CARD_LENGTHS)], start=first):
        sizes.append(until - at)
        if sum(sizes) > max(_CARD_LENGTHS):
            break
        is_all = first == 0 and last == len(groups) - 1
        if (is_all or _is_grouped(sizes)) and _is_card(run[start:until]):
            fitting = last
    return fitting


def _is_grouped(sizes: list[int]) -> bool:
    fours = all(size == 4 for size in sizes[:-1]) and sizes[-1] <= 4
    return len(sizes) == 1 or fours or sizes in ([4, 6, 5], [4, 6, 4])


def _is_address(text: str) -> bool:
    """Names in programs, such as “abc::def”, have no digits."""
    try:
        return ipaddress.ip_address(text) is not None and bool(_digits(text))
    except ValueError:
        return False


def _goes_on(text: str, start: int) -> bool:
    """Whether a number that is found is the rest of a longer one with hyphens, such as that of an invoice."""
    return text[max(0, start - 1) : start] == "-"


def _is_book(text: str, start: int, found: str) -> bool:
    """Whether ten digits that are found are called an ISBN right before, and their check digit fits."""
    digits = _digits(found)
    fits = len(digits) == 10 and sum(place * digit for place, digit in enumerate(reversed(digits), 1)) % 11 == 0
    return fits and _BOOK.search(text[max(0, start - _LONGEST_NAME_OF_BOOK) : start]) is not None


def _is_phone(text: str) -> bool:
    return len(_digits(text)) in _PHONE_LENGTHS
