"""What may start by itself in one document: kinds of settings, each within bounds, and how often. Knows no Django."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Final

import re2

MOST_FACTOR: Final = 4.0
MOST_A_DAY: Final = 20
MOST_REST_H: Final = 24 * 90
MOST_LISTED: Final = 50
_NAME: Final = re2.compile(r"^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$")
KEY: Final = re2.compile(r"^[A-Za-z][A-Za-z0-9_-]{0,60}$")


class Category(StrEnum):
    """Kinds of settings; what a setting is, its key and its value say, never who proposes it."""

    RETRY = "retry"
    THRESHOLD = "threshold"
    ROUTING = "routing"

    @property
    def words(self) -> str:
        return _WORDS[self]


_WORDS: Final = {
    Category.RETRY: "How often and how long something is tried, waited for or given time",
    Category.THRESHOLD: "From which score on something counts",
    Category.ROUTING: "Which of the names you list something goes to",
}


class BadRules(ValueError):
    """Rules that make no sense; `field` is what is wrong with them. The message is fit to be shown."""

    def __init__(self, field: str, message: str) -> None:
        self.field = field
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Bounds:
    """How far one change may go: a number to at most `factor` times, or a part of, what it is, within `lowest` and
    `highest`; a name to another of `names`. With `keys` only these, as paths with dots, may change at all.
    """

    factor: float = 2.0
    lowest: float | None = None
    highest: float | None = None
    names: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _expect("factor", 1 < self.factor <= MOST_FACTOR, f"Give more than 1, and at most {MOST_FACTOR:g}.")
        ordered = self.lowest is None or self.highest is None or self.lowest < self.highest
        _expect("highest", ordered, "The highest value should be above the lowest.")
        _expect("lowest", self.lowest is None or self.lowest >= 0, "Give 0 or more.")
        _expect("names", len(self.names) <= MOST_LISTED, f"List at most {MOST_LISTED} names.")
        _expect("names", all(_NAME.search(name) for name in self.names), "A name has letters, digits, - and _ only.")
        _expect("keys", len(self.keys) <= MOST_LISTED, f"List at most {MOST_LISTED} keys.")
        _expect(
            "keys",
            all(KEY.search(part) for key in self.keys for part in key.split(".")),
            "Write a key with the keys above it: tools.wait_s.",
        )


@dataclass(frozen=True, slots=True)
class Rules:
    """The kinds allowed, with their bounds. At most `per_day` starts of one agent in 24 hours; none for `rest_h` hours
    after a candidate or a version of the document was taken back. `agents_too`: also what agents propose over the API.
    """

    allowed: Mapping[Category, Bounds]
    per_day: int = 1
    rest_h: float = 24.0
    agents_too: bool = False

    def __post_init__(self) -> None:
        _expect("", bool(self.allowed), "Choose at least one kind of settings.")
        routing = self.allowed.get(Category.ROUTING)
        _expect("routing_names", routing is None or len(routing.names) > 1, "List at least two names to choose from.")
        _expect("per_day", 1 <= self.per_day <= MOST_A_DAY, f"Give 1 to {MOST_A_DAY} a day.")
        _expect("rest_h", 1 <= self.rest_h <= MOST_REST_H, f"Give 1 to {MOST_REST_H:,} hours.")

    @property
    def in_words(self) -> str:
        """“retry (at most ×2), threshold (at most ×1.5, from 0.5 to 0.9); 1 a day, 24 h of rest after a rollback”."""
        kinds = ", ".join(f"{one.value} ({_bounds(one, self.allowed[one])})" for one in Category if one in self.allowed)
        also = "; also what agents propose" if self.agents_too else ""
        return f"{kinds}; {self.per_day} a day, {self.rest_h:g} h of rest after a rollback{also}"

    def to_json(self) -> dict[str, Any]:
        """As JSON keeps it."""
        return {**asdict(self), "allowed": {one.value: asdict(bounds) for one, bounds in self.allowed.items()}}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> "Rules":
        """From what `to_json` gave. Raises BadRules, and TypeError for unknown names."""
        allowed = {
            Category(name): Bounds(**{**facts, "names": tuple(facts["names"]), "keys": tuple(facts["keys"])})
            for name, facts in kept["allowed"].items()
        }
        return cls(**{**kept, "allowed": allowed})


def _bounds(category: Category, bounds: Bounds) -> str:
    if category == Category.ROUTING:
        said = f"one of {', '.join(bounds.names)}"
    else:
        said = f"at most ×{bounds.factor:g}"
        said += f", from {bounds.lowest:g}" if bounds.lowest is not None else ""
        said += f", up to {bounds.highest:g}" if bounds.highest is not None else ""
    return f"{said}, only {', '.join(bounds.keys)}" if bounds.keys else said


def _expect(field: str, is_so: bool, message: str) -> None:
    if not is_so:
        raise BadRules(field, message)
