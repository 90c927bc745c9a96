"""What in a text looks like a secret, or tells who somebody is. Pure; knows no Django.

Patterns run over what strangers wrote, so they are re2's: they take time in proportion to the text.
"""

import ipaddress
from collections import Counter
from collections.abc import Callable, Collection
from typing import Any, Final

import re2

_KEY: Final = (
    r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY(?:-----[A-Za-z0-9+/=\s]*(?:-----END [A-Z ]{0,40}PRIVATE KEY-----)?)?"
    r"|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|\bgh[pousr]_[A-Za-z0-9]{30,}"
    r"|\bgithub_pat_\w{40,}"
    r"|\bglpat-[\w-]{20,}|\bxox[abeoprs]-[\w-]{10,}|\b(?:sk|pk|rk)[-_](?:live|test|proj|ant)?[-_]?[A-Za-z0-9_-]{16,}"
    r"|\bAIza[\w-]{35}|\bya29\.[\w-]{20,}|\bSG\.[\w-]{16,}\.[\w-]{16,}|\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]*"
    r"|\bnpm_[A-Za-z0-9]{30,}|\bpypi-[\w-]{40,}|\bhf_[A-Za-z0-9]{30,}|[a-z][a-z0-9+]{1,20}://[^\s/:@]{1,80}:[^\s/@]{3,}@"
    r"|(?i:\b(?:password|passwd|secret|api[_-]?key|access[_-]?token|auth[_-]?token|client[_-]?secret)\b"
    r"[\"']?\s*[:=]\s*[\"']?[^\s\"'<{$]{6,})"
)
EMAIL: Final = r"[\pL\pN._%+-]{1,64}@[\pL\pN-]{1,63}(?:\.[\pL\pN-]{1,63})+"
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
_CARD: Final = r"\b\d(?:[ .\x{a0}-]?\d){12,}\b"
# With a country's code; or as in North America; or with a leading zero and a separator after the area's code, which is
# a dot only where no date is written so.
_PHONE: Final = (
    r"(?:\+|\b00)[1-9]\d{0,2}(?:[ ./-]{0,3}\(?\d{1,5}\)?){2,7}\b"
    r"|(?:\b1[ .-])?(?:\([2-9]\d{2}\) ?|\b[2-9]\d{2}[ .-])[2-9]\d{2}[ .-]\d{4}\b"
    r"|(?:\(0\d{1,5}\) ?|\b0\d{1,5}[ /-]{1,3})\d{2,8}(?:[ -]\d{2,5}){0,4}\b"
    r"|\b0\d(?:\.\d{2}){4}\b|\b0\d{2,5}\.\d{5,8}\b"
)
_WAYS: Final = {"secret": _KEY, "email": EMAIL, "ip": f"{_IP4}|{_IP6}", "card": _CARD, "phone": _PHONE}
_GROUPS: Final = re2.compile(r"\d+")
_PHONES: Final = re2.compile(_PHONE)
_NAMED_SECRET: Final = re2.compile(
    r"(?i)(?:^|[^a-z])(?:password|passwd|secret|authorization|(?:api|access|auth|private)[_-]?(?:key|token))$"
)
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
        parts, end = [], 0
        for match in self._any.finditer(text):
            kind, found = match.lastgroup, match.group()
            if kind == "card":
                left = self._without_cards(found, counts)
            elif not _IS[kind](found) or (kind == "phone" and _goes_on(text, match.start())):
                left = found
            elif kind == "phone":
                left = self._without_phone(found, counts)
            else:
                left = MASKED[kind]
                counts[kind] += 1
            parts += [text[end : match.start()], left]
            end = match.end()
        return "".join([*parts, text[end:]]) if parts else text

    def _without_cards(self, run: str, counts: Counter[str]) -> str:
        """Digits in groups without the card numbers among them, and without the phone numbers in what is left."""
        groups = [match.span() for match in _GROUPS.finditer(run)]
        parts, done, at = [], 0, 0
        while at < len(groups):
            last = _card_from(run, groups, at)
            if last is None:
                at += 1
                continue
            parts += [self._without_phones(run[done : groups[at][0]], counts), MASKED["card"]]
            counts["card"] += 1
            done, at = groups[last][1], last + 1
        return "".join([*parts, self._without_phones(run[done:], counts)])

    def _without_phones(self, text: str, counts: Counter[str]) -> str:
        if "phone" not in self._kinds:
            return text
        return _PHONES.sub(lambda match: self._without_phone(match.group(), counts), text)

    def _without_phone(self, found: str, counts: Counter[str]) -> str:
        """As many of its groups as make a phone number are one; what follows may be anything."""
        ends = [match.end() for match in _GROUPS.finditer(found)]
        end = next((end for end in reversed(ends) if _is_phone(found[:end])), None)
        if end is None:
            return found
        counts["phone"] += 1
        return MASKED["phone"] + self.text(found[end:], counts)

    def tree(self, value: Any, counts: Counter[str]) -> Any:
        """The same in every string and whole number of a JSON value, keys included."""
        match value:
            case str():
                return self.text(value, counts)
            case bool():
                return value
            case int():
                left = self.text(str(value), counts)
                return value if left == str(value) else left
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
        is_long = isinstance(item, str) and len(item) >= _LEAST_OF_SECRET
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


def _is_phone(text: str) -> bool:
    return len(_digits(text)) in _PHONE_LENGTHS


def _may_be_phone(text: str) -> bool:
    return len(_digits(text)) >= min(_PHONE_LENGTHS)


_IS: Final[dict[str, Callable[[str], bool]]] = {
    "secret": bool,
    "email": bool,
    "ip": _is_address,
    "phone": _may_be_phone,
}
