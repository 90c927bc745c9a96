"""Who stands behind a change, and whether that is enough under the rule for its agent. Pure; knows no Django.

    Rule(sources, share, days, per)      what is asked for; `share` in percent, `per` "owner" or "user"
    weigh(said, per) -> Backing          what there is, counted so that one party cannot make much of itself
    points(backing, rule) -> list[Point] each part of the rule with what was found
    missing(backing, rule) -> str        the parts that are not met, as one sentence; empty when all are

What counts as one source is a matter of trust. Whoever holds a key can name as many end users as they like, so by
default a source is the owner of the keys. Where a service is trusted to say who its users are, each user is one.
What came in without a key was loaded by an operator, and counts by its end users.

Counted are not reports but *voices*: a source counts once a day, nearly the same words of one owner count once, and
what reads like an instruction counts not at all.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from itertools import pairwise
from typing import Any, Final, Literal, Self

import re2

from audit.numbers import counted, number, percent

Per = Literal["owner", "user"]
PER: Final[dict[str, str]] = {
    "owner": "one owner of API keys, whatever users they name",
    "user": "one end user, as the service that reports names them",
}

ALIKE: Final = 0.8
"""Share of the pairs of neighbouring words that two texts have in common when they are nearly the same."""
LEAST_WORDS: Final = 6
"""Shorter texts are repeated by honest people."""
MOST_READ: Final = 400
"""Characters of a text that are compared."""

_WORD = re2.compile(r"\p{L}+")


@dataclass(frozen=True, slots=True)
class Rule:
    """So many sources at least, none with more than `share` percent of the voices, over so many days at least."""

    sources: int
    share: int
    days: int
    per: Per

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> Self:
        """The reverse of `to_json`."""
        return cls(**kept)

    def is_at_least(self, other: "Rule") -> bool:
        """Whether it asks for as much as another, in every part."""
        strict = self.per == "owner" or other.per == "user"
        return self.sources >= other.sources and self.share <= other.share and self.days >= other.days and strict

    def __str__(self) -> str:
        return (
            f"{counted(self.sources, 'source')}, none above {number(self.share)}\u00a0%, "
            f"over {counted(self.days, 'day')}; a source is {PER[self.per]}"
        )


USUAL: Final = Rule(sources=3, share=40, days=2, per="owner")


@dataclass(frozen=True, slots=True)
class Said:
    """One report: its source, the owner of its key if it came by one, the day (UTC), and its words, if they may be
    compared; errors and labels are alike because their cause is.
    """

    source: bytes
    owner: int | None
    day: date
    text: str
    commands: bool


@dataclass(frozen=True, slots=True)
class Backing:
    """`reports` came in all, `voices` of these count; `loudest` is the largest share of one source, from 0 to 1.

    Left out are `commands` that read like instructions, and `alike`, `daily`: the same words, and the same day, again.
    """

    reports: int
    voices: int
    sources: int
    loudest: float
    days: int
    commands: int
    alike: int
    daily: int

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> Self:
        """The reverse of `to_json`."""
        return cls(**kept)

    @property
    def left_out(self) -> str:
        """Why fewer count than came, in a sentence; empty when all count."""
        parts = [(self.alike, "the same words from one owner"), (self.daily, "one source again on the same day")]
        parts.append((self.commands, "read like instructions"))
        said = ", ".join(f"{number(count)} {why}" for count, why in parts if count)
        return f"Of {counted(self.reports, 'report')} {number(self.voices)} count; not: {said}." if said else ""


@dataclass(frozen=True, slots=True)
class Point:
    """One part of the rule: what is asked for and what was found, in words."""

    name: str
    asked: str
    found: str
    is_met: bool


def weigh(said: Iterable[Said], per: Per) -> Backing:
    """Count what was said; the order does not matter to what is met, the first of what is alike counts."""
    everything = list(said)
    commands = sum(one.commands for one in everything)
    distinct = [everything[place] for place in kept(everything)]
    voices = {(_party(one, per), one.day) for one in distinct}
    by_source = Counter(party for party, _ in voices)
    return Backing(
        reports=len(everything),
        voices=len(voices),
        sources=len(by_source),
        loudest=max(by_source.values(), default=0) / (len(voices) or 1),
        days=len({day for _, day in voices}),
        commands=commands,
        alike=len(everything) - commands - len(distinct),
        daily=len(distinct) - len(voices),
    )


def points(backing: Backing, rule: Rule) -> list[Point]:
    """The parts of the rule, in the order in which they are shown."""
    return [
        Point(
            "Sources",
            f"at least {number(rule.sources)}",
            number(backing.sources),
            backing.sources >= rule.sources,
        ),
        Point(
            "Loudest source",
            f"at most {number(rule.share)}\u00a0%",
            percent(backing.loudest),
            backing.voices > 0 and backing.loudest * 100 <= rule.share,
        ),
        Point("Days", f"at least {number(rule.days)}", number(backing.days), backing.days >= rule.days),
    ]


def missing(backing: Backing, rule: Rule) -> str:
    """“2 of 3 sources, 1 of 2 days.”"""
    parts = []
    if backing.sources < rule.sources:
        kind = "owners of keys" if rule.per == "owner" else "sources"
        parts.append(f"{number(backing.sources)} of {number(rule.sources)} {kind}")
    elif backing.loudest * 100 > rule.share:
        parts.append(f"{percent(backing.loudest)} from one source, at most {number(rule.share)}\u00a0% may be")
    if backing.days < rule.days:
        parts.append(f"{number(backing.days)} of {counted(rule.days, 'day')}")
    return ", ".join(parts) + "." if parts else ""


def _party(one: Said, per: Per) -> Any:
    return one.owner if per == "owner" and one.owner is not None else one.source


def kept(said: Sequence[Said]) -> list[int]:
    """The places of those that neither read like instructions nor say again what their owner said before."""
    seen: dict[int, list[frozenset[tuple[str, str]]]] = defaultdict(list)
    places = []
    for place, one in enumerate(said):
        pairs = _pairs(one.text) if one.owner is not None and not one.commands else frozenset()
        if one.commands or (pairs and any(_alike(pairs, other) for other in seen[one.owner or 0])):
            continue
        if pairs:
            seen[one.owner or 0].append(pairs)
        places.append(place)
    return places


def _pairs(text: str) -> frozenset[tuple[str, str]]:
    """Neighbouring words, without digits and marks; none of a short text."""
    words = _WORD.findall(text[:MOST_READ].casefold())
    return frozenset(pairwise(words)) if len(words) >= LEAST_WORDS else frozenset()


def _alike(one: frozenset[tuple[str, str]], two: frozenset[tuple[str, str]]) -> bool:
    few, many = sorted((len(one), len(two)))
    return few >= ALIKE * many and len(one & two) >= ALIKE * len(one | two)
