"""What came of a change: how often something was reported before it and since, and whether that tells them apart.

The rule is one: two rates differ when their 95 % intervals (Wilson) do not overlap, and enough runs have passed since.
That is stricter than one test of both at 5 %. It is looked at again and again: simulated with rates of 0.5 to 10 % that
stay as they are and eight looks a day, 1 to 5 of 100 changes are at some time said to have made reports fall, at most 4
of 1,000 when they are settled. The word follows the numbers back, and a pattern that was resolved opens as ever.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final, Literal

from audit.numbers import counted, share
from feedback.rates import Rate, rate

Word = Literal["fell", "rose", "unclear"]

RULE: Final = "The 95 % intervals (Wilson) of the two rates do not overlap."
LEAST_RUNS: Final = 100
"""With fewer runs since the change nothing is said of it."""
WINDOW: Final = timedelta(days=14)
"""So much before and after the change is compared."""
MOST_OTHERS: Final = 5


@dataclass(frozen=True, slots=True)
class Count:
    """So many reports in so many runs."""

    events: int
    runs: int

    @property
    def rate(self) -> Rate | None:
        return rate(self.events, self.runs)


@dataclass(frozen=True, slots=True)
class Compared:
    """One thing that is reported, before a change and since. `label` and `pattern` say what, where it needs saying."""

    before: Count
    after: Count
    label: str = ""
    pattern: int | None = None

    @property
    def word(self) -> Word:
        """What may be said of it."""
        before, after = self.before.rate, self.after.rate
        if before is None or after is None or after.runs < LEAST_RUNS:
            return "unclear"
        if after.high < before.low:
            return "fell"
        return "rose" if after.low > before.high else "unclear"

    def to_json(self) -> dict[str, Any]:
        """For the database and the API: numbers, interval, and the word that follows from them."""
        return {
            "pattern": self.pattern,
            "label": self.label,
            "word": self.word,
            "before": _told(self.before),
            "after": _told(self.after),
        }

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> "Compared":
        before, after = (Count(told[side]["reports"], told[side]["runs"]) for side in ("before", "after"))
        return cls(before, after, told["label"], told["pattern"])


def _told(count: Count) -> dict[str, Any]:
    found = count.rate
    interval = {"share": found.share, "low": found.low, "high": found.high} if found else {}
    return {"reports": count.events, "runs": count.runs, "share": None, "low": None, "high": None} | interval


@dataclass(frozen=True, slots=True)
class Findings:
    """All that is known of one change: the pattern it answers if any, praise, and other patterns that moved.

    `others` says of `looked_at` patterns those that moved, the furthest first.
    """

    target: Compared | None
    praise: Compared
    others: Sequence[Compared] = ()
    looked_at: int = 0
    days: float = 0.0
    is_settled: bool = False
    rule: str = field(default=RULE)

    @property
    def word(self) -> Word:
        """Of the pattern that it answers."""
        return self.target.word if self.target else "unclear"

    @property
    def is_resolving(self) -> bool:
        """Whether what the change was to end may be taken to have ended."""
        return self.word == "fell"

    @property
    def says_something(self) -> bool:
        """Whether there is more to tell than that it is too early."""
        return self.is_settled or self.word != "unclear" or bool(self.others) or self.praise.word != "unclear"

    @property
    def gist(self) -> tuple[object, ...]:
        """What would be news if it became different."""
        return self.word, self.praise.word, frozenset((one.pattern, one.word) for one in self.others)

    def to_json(self) -> dict[str, Any]:
        return {
            "target": self.target.to_json() if self.target else None,
            "praise": self.praise.to_json(),
            "others": [one.to_json() for one in self.others],
            "looked_at": self.looked_at,
            "days": self.days,
            "is_settled": self.is_settled,
            "rule": self.rule,
            "least_runs": LEAST_RUNS,
        }

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> "Findings":
        return cls(
            target=Compared.from_json(told["target"]) if told["target"] else None,
            praise=Compared.from_json(told["praise"]),
            others=tuple(map(Compared.from_json, told["others"])),
            looked_at=told["looked_at"],
            days=told["days"],
            is_settled=told["is_settled"],
            rule=told["rule"],
        )


def moved(others: Sequence[Compared]) -> list[Compared]:
    """Those of which something may be said, the furthest first, not more than a page shows."""
    found = [one for one in others if one.word != "unclear"]
    return sorted(found, key=lambda one: -abs(_share(one.after) - _share(one.before)))[:MOST_OTHERS]


def sentence(findings: Findings) -> str:
    """What came of it in one line, without a full stop."""
    about = findings.target
    if about is None:
        return f"It answers no pattern; {counted(findings.praise.after.runs, 'run')} since"
    if about.word != "unclear":
        return f"Reports {how(about)} in {_days(findings.days)}"
    yet = "" if findings.is_settled else " yet"
    before, after = about.before.rate, about.after.rate
    if before is None:
        return f"Nothing to compare with: no run was reported before the change; {_runs(about)} since"
    if after is None or after.runs < LEAST_RUNS:
        return f"No clear change{yet}: {_runs(about)} since"
    return (
        f"No clear change{yet}: {share(before.share)} of runs before, {_with_interval(after)} in {_runs(about)} since"
    )


def praise(findings: Findings) -> str:
    """How praise moved, without a full stop; empty where nothing may be said of it."""
    return "" if findings.praise.word == "unclear" else f"Praise {how(findings.praise)}"


def how(one: Compared) -> str:
    """“fell from 2.1 % to 0.3 % of runs (95 %: 0.1–0.6)”. Raises ValueError where there were no runs."""
    before, after = one.before.rate, one.after.rate
    if before is None or after is None:
        raise ValueError("nothing moved where there were no runs")
    return f"{one.word} from {share(before.share)} to {share(after.share)} of runs {_interval(after)}"


def _with_interval(found: Rate) -> str:
    return f"{share(found.share)} {_interval(found)}"


def _interval(found: Rate) -> str:
    low, high = (share(end).removesuffix("\u00a0%") for end in (found.low, found.high))
    return f"(95\u00a0%: {low}–{high})"


def _runs(one: Compared) -> str:
    return counted(one.after.runs, "run")


def _days(days: float) -> str:
    return counted(round(days), "day") if days >= 1 else "less than a day"


def _share(count: Count) -> float:
    return count.rate.share if count.rate else 0.0
