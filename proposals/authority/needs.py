"""What a revision needs before it is published, and what of that is still missing. Pure; knows no Django."""

from collections.abc import Set
from dataclasses import dataclass

from proposals.rules.terms import Quorum


@dataclass(frozen=True, slots=True)
class Owned:
    """A section that changes: how many of its owners have to approve, and which can, by key."""

    heading: str
    count: int
    owners: tuple[tuple[int, str], ...]

    def lacking(self, actors: Set[int]) -> int:
        """How many of its owners are missing among these people."""
        return max(0, self.count - sum(pk in actors for pk, _ in self.owners))

    def who(self, actors: Set[int]) -> str:
        """“Mara Okafor, owner of Safety”: those who could still give what is lacking."""
        count = self.lacking(actors)
        left = [name for pk, name in self.owners if pk not in actors]
        if len(left) > 3:
            return f"an owner of {self.heading}" if count == 1 else f"{count} owners of {self.heading}"
        if count == 1:
            return f"{' or '.join(left)}, owner{'s' if len(left) > 1 else ''} of {self.heading}"
        return f"{count} owners of {self.heading} ({', '.join(left)})"


@dataclass(frozen=True, slots=True)
class Need:
    """How many approvals a revision needs, why, and in which sections that it changes an owner's is among them.

    `opened`: whoever approves has opened the evidence.
    """

    approvals: int
    why: str
    owned: tuple[Owned, ...] = ()
    opened: bool = False

    def lacking(self, actors: Set[int]) -> list[Owned]:
        """The sections of which an owner has still to approve."""
        return [section for section in self.owned if section.lacking(actors)]

    def missing(self, actors: Set[int]) -> str:
        """What is still missing when these people approved, in a sentence; empty when nothing is."""
        lacking = self.lacking(actors)
        others = self.approvals - len(actors) - self._least(actors)
        more = f"{others} more approval{'s' if others > 1 else ''} needed" if others > 0 else ""
        if not lacking:
            return more and f"{more}."
        who = "; ".join(section.who(actors) for section in lacking)
        return f"{more}, and that of {who}." if more else f"Still needed: {who}."

    def tally(self, actors: Set[int]) -> str:
        """“1 of 2 approvals”; where only owners are missing, “2 approvals, Safety’s owner missing”."""
        given = len(actors)
        lacking = [section.heading for section in self.lacking(actors)]
        if given < self.approvals or not lacking:
            return f"{given} of {self.approvals} approval{'' if self.approvals == 1 else 's'}"
        return f"{given} approval{'' if given == 1 else 's'}, {'’s and '.join(lacking)}’s owner missing"

    def _least(self, actors: Set[int]) -> int:
        """How many people are enough to give what owners have to: who owns two sections answers for both."""
        seen, count = set(actors), 0
        while lacking := self.lacking(seen):
            left = [pk for section in lacking for pk, _ in section.owners if pk not in seen]
            seen.add(max(sorted(set(left)), key=left.count))
            count += 1
        return count

    @property
    def says_more(self) -> bool:
        """Whether the reason says more than the number."""
        return self.why != f"{Quorum(self.approvals)}."
