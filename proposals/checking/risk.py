"""How much can go wrong with a change, in one word with its reasons, from what is known about it. Knows no Django.

| level | when |
|---|---|
| high | it changes a protected section, a check blocks it, it may set other rules aside, it changes the source of a tool, or more than LARGE words change |
| medium | another check warns, it needs more than one approval, it changes settings, an agent wrote it, it took effect before its review, or more than SMALL words change |
| low | none of these: a small change of prose, by the deterministic drafter or a person, that no check asks to look at |

Risk is about what the change may do, not about how many want it: that is impact, and it has no part here.
"""  # noqa: E501 (a table has no shorter lines)

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import IntEnum

from audit.numbers import counted

SMALL = 100
LARGE = 400
"""Words added and removed together."""


class Level(IntEnum):
    """Ordered, so that the worst is the greatest."""

    LOW = 1
    MEDIUM = 2
    HIGH = 3

    @property
    def word(self) -> str:
        return self.name.capitalize()


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a revision: `author` is drafter, agent, person or rollback; the others name checks."""

    kind: str
    author: str
    words: int
    approvals: int = 1
    warning: Collection[str] = ()
    failing: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Risk:
    """The level, and each reason for it as a sentence."""

    level: Level
    reasons: tuple[str, ...]


def assess(facts: Facts) -> Risk:
    """The highest level anything speaks for, with everything that speaks for that level."""
    for level, reasons in ((Level.HIGH, tuple(_high(facts))), (Level.MEDIUM, tuple(_medium(facts)))):
        if reasons:
            return Risk(level, reasons)
    return Risk(Level.LOW, (f"{counted(facts.words, 'word')} of prose, and no check asks for a look.",))


def _high(facts: Facts) -> Iterator[str]:
    if "protected" in facts.warning or "protected" in facts.failing:
        yield "It changes a protected section."
    if blocking := len(set(facts.failing) - {"protected"}):
        yield "A check blocks it." if blocking == 1 else f"{blocking} checks block it."
    if "overrides" in facts.warning:
        yield "It may set other rules aside."
    if facts.kind == "tool":
        yield "It changes the source of a tool."
    if facts.words > LARGE:
        yield f"{counted(facts.words, 'word')} change."


def _medium(facts: Facts) -> Iterator[str]:
    if count := len(facts.warning):
        yield "A check asks for a look." if count == 1 else f"{count} checks ask for a look."
    if facts.approvals > 1:
        yield f"It needs {facts.approvals} approvals."
    if facts.kind == "config":
        yield "It changes settings."
    if facts.author == "agent":
        yield "An agent wrote it."
    if facts.author == "rollback":
        yield "It took effect before it was reviewed."
    if facts.words > SMALL:
        yield f"{counted(facts.words, 'word')} change."
