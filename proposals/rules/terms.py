"""How many approvals a change needs: rules, and the terms that follow from them. Pure; knows no Django."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

MOST: Final = 9
_COUNTS: Final = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine")


@dataclass(frozen=True, slots=True)
class Quorum:
    """Approvals needed, how many of them from owners of the protected sections that change, and whether each of these
    people opens the evidence first, where there is any.
    """

    approvals: int = 1
    owners: int = 0
    opened: bool = False

    def or_stricter(self, other: "Quorum") -> "Quorum":
        """What satisfies both."""
        most = max(self.approvals, other.approvals), max(self.owners, other.owners)
        return Quorum(*most, self.opened or other.opened)

    def __str__(self) -> str:
        said = f"{_COUNTS[self.approvals]} approval{'' if self.approvals == 1 else 's'}"
        said += f", {owners_in_words(self.owners)}" if self.owners else ""
        return f"{said}, {OPENED}" if self.opened else said


@dataclass(frozen=True, slots=True)
class Terms:
    """What any change of a document needs, what one of its protected sections needs, and what a change of low, medium
    and high risk needs besides.
    """

    usual: Quorum
    protected: Quorum
    risks: tuple[Quorum, Quorum, Quorum] = (Quorum(), Quorum(), Quorum())

    def or_stricter(self, other: "Terms") -> "Terms":
        """What satisfies both."""
        low, medium, high = (one.or_stricter(two) for one, two in zip(self.risks, other.risks, strict=True))
        usual, protected = self.usual.or_stricter(other.usual), self.protected.or_stricter(other.protected)
        return Terms(usual, protected, (low, medium, high))

    def asked(self, level: int, *, protected: bool) -> Quorum:
        """What a change of this level of risk needs (1 to 3, or 0 to leave the risk out of it).

        Only protected sections have owners, so where none changes no owner is asked for.
        """
        quorum = self.protected if protected else self.usual
        if not level:
            return quorum
        risk = self.risks[level - 1]
        return quorum.or_stricter(risk if protected else Quorum(risk.approvals, opened=risk.opened))

    def to_json(self) -> dict[str, list[int]]:
        """As a revision keeps it: [approvals, owners] under usual, protected, low, medium and high; a 1 follows where
        the evidence is opened first.
        """
        risks = {name: _pair(quorum) for name, quorum in zip(_RISKS, self.risks, strict=True)}
        return {"usual": _pair(self.usual), "protected": _pair(self.protected), **risks}

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> "Terms":
        """The reverse; what was made before policies, or policies by risk, existed was made without them."""
        if not kept:
            return cls(BUILT_IN.usual, BUILT_IN.protected)
        low, medium, high = (_quorum(kept.get(name, (1, 0))) for name in _RISKS)
        return cls(_quorum(kept["usual"]), _quorum(kept["protected"]), (low, medium, high))


OPENED: Final = "the evidence opened first"
BUILT_IN: Final = Terms(usual=Quorum(1, 0), protected=Quorum(2, 1), risks=(Quorum(), Quorum(), Quorum(opened=True)))
_RISKS: Final = ("low", "medium", "high")


def strictest(
    usual: Iterable[Quorum], protected: Iterable[Quorum], risks: Sequence[Iterable[Quorum]] = ((), (), ())
) -> Terms:
    """The terms of all rules that fit; whoever changes a protected section makes a change like any other, too."""
    common = _all(usual, Quorum())
    low, medium, high = (_all(quorums, Quorum()) for quorums in risks)
    return Terms(common, _all(protected, common), (low, medium, high))


def _all(quorums: Iterable[Quorum], start: Quorum) -> Quorum:
    for quorum in quorums:
        start = start.or_stricter(quorum)
    return start


def owners_in_words(count: int, of: str = "") -> str:
    """“one by an owner of Safety”, “two by owners of it”."""
    return f"{_COUNTS[count].lower()} by {'an owner' if count == 1 else 'owners'}{f' of {of}' if of else ''}"


def _pair(quorum: Quorum) -> list[int]:
    return [quorum.approvals, quorum.owners, *([1] if quorum.opened else [])]


def _quorum(kept: Sequence[int]) -> Quorum:
    approvals, owners, *opened = kept
    return Quorum(approvals, owners, bool(opened))
