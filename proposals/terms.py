"""How many approvals a change needs: rules, and the terms that follow from them. Pure; knows no Django."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

MOST: Final = 9
_COUNTS: Final = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine")


@dataclass(frozen=True, slots=True)
class Quorum:
    """Approvals needed, and how many of them from owners of the protected sections that change."""

    approvals: int = 1
    owners: int = 0

    def or_stricter(self, other: "Quorum") -> "Quorum":
        """What satisfies both."""
        return Quorum(max(self.approvals, other.approvals), max(self.owners, other.owners))

    def __str__(self) -> str:
        said = f"{_COUNTS[self.approvals]} approval{'' if self.approvals == 1 else 's'}"
        return f"{said}, {owners_in_words(self.owners)}" if self.owners else said


@dataclass(frozen=True, slots=True)
class Terms:
    """What any change of a document needs, and what one of its protected sections needs."""

    usual: Quorum
    protected: Quorum

    def or_stricter(self, other: "Terms") -> "Terms":
        """What satisfies both."""
        return Terms(self.usual.or_stricter(other.usual), self.protected.or_stricter(other.protected))

    def to_json(self) -> dict[str, list[int]]:
        """As a revision keeps it: [approvals, owners] under usual and protected."""
        return {"usual": _pair(self.usual), "protected": _pair(self.protected)}

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> "Terms":
        """The reverse; what was made before policies existed was made under the built-in terms."""
        return cls(Quorum(*kept["usual"]), Quorum(*kept["protected"])) if kept else BUILT_IN


BUILT_IN: Final = Terms(usual=Quorum(1, 0), protected=Quorum(2, 1))


def strictest(usual: Iterable[Quorum], protected: Iterable[Quorum]) -> Terms:
    """The terms of all rules that fit; whoever changes a protected section makes a change like any other, too."""
    common = Quorum(1, 0)
    for quorum in usual:
        common = common.or_stricter(quorum)
    special = common
    for quorum in protected:
        special = special.or_stricter(quorum)
    return Terms(common, special)


def owners_in_words(count: int, of: str = "") -> str:
    """“one by an owner of Safety”, “two by owners of it”."""
    return f"{_COUNTS[count].lower()} by {'an owner' if count == 1 else 'owners'}{f' of {of}' if of else ''}"


def _pair(quorum: Quorum) -> list[int]:
    return [quorum.approvals, quorum.owners]
