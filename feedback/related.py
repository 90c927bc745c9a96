"""Patterns that say the same as another: of other agents, and closed ones of its own."""

from dataclasses import dataclass
from typing import Final

from django.db.models import Q

from agents.models import Agent
from feedback.mining import EXACT_KINDS, Kind
from feedback.mining.typical import Stems, says_the_same, stems_of
from feedback.models import Pattern

LOOKED_AT: Final = 150
"""So many patterns of the same kind are compared, those of most sources first."""
SHOWN: Final = 5
_CLOSED: Final = (Pattern.Status.DISMISSED, Pattern.Status.RESOLVED)


@dataclass(frozen=True, slots=True)
class Related:
    """`elsewhere` are patterns of other agents, `closed` are dismissed and resolved ones of the same agent."""

    elsewhere: list[Pattern]
    closed: list[Pattern]


def related(pattern: Pattern) -> Related:
    """At most two queries: equal signatures of other agents, and the words of labels and terms.

    Bounded: what has few sources on a board with more than LOOKED_AT patterns of a kind is found by signature only.
    """
    found = _equal(pattern)
    if Kind(pattern.kind) is not Kind.MISLABEL:
        found += [other for other in _candidates(pattern) if other not in found and _says_the_same(pattern, other)]
    elsewhere = [other for other in found if other.agent_id != pattern.agent_id]
    closed = [other for other in found if other.agent_id == pattern.agent_id]
    return Related(elsewhere[:SHOWN], closed[:SHOWN])


def _equal(pattern: Pattern) -> list[Pattern]:
    if not pattern.signature or Kind(pattern.kind) not in EXACT_KINDS:
        return []
    # Agent by agent, for that is how signatures are indexed.
    agents = Agent.objects.exclude(pk=pattern.agent_id).order_by().values("pk")
    rows = Pattern.objects.shown().filter(agent__in=agents, kind=pattern.kind, signature=pattern.signature)
    return list(rows.select_related("agent").defer("centroid", "meaning").order_by("-sources", "pk")[:SHOWN])


def _candidates(pattern: Pattern) -> list[Pattern]:
    rows = Pattern.objects.shown().filter(kind=pattern.kind, sources__gt=1).exclude(pk=pattern.pk)
    rows = rows.filter(~Q(agent=pattern.agent_id) | Q(status__in=_CLOSED))
    return list(rows.select_related("agent").defer("centroid", "meaning").order_by("-sources", "pk")[:LOOKED_AT])


def _says_the_same(one: Pattern, other: Pattern) -> bool:
    # Errors speak one language: “timed out” and “failed” make no two of them one.
    return says_the_same(_words(one), _words(other), least=2 / 3 if one.kind == Kind.ERROR else 1 / 2)


def _words(pattern: Pattern) -> Stems:
    """Of an error what its label and template say; of the rest label and terms."""
    said = pattern.signature if pattern.kind == Kind.ERROR else " ".join(map(str, pattern.terms))
    return stems_of(f"{pattern.label} {said}")
