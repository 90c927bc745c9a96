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
    """At most three queries: equal signatures of other agents, the words of labels and terms, and what they found.

    Bounded: what has few sources on a board with more than LOOKED_AT patterns of a kind is found by signature only.
    """
    found = _equal(pattern)
    if Kind(pattern.kind) is not Kind.MISLABEL:
        found += [other for other in _alike(pattern) if other not in found]
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


def _alike(pattern: Pattern) -> list[Pattern]:
    """By their words, of which all that are looked at are read without anything else."""
    rows = Pattern.objects.shown().filter(kind=pattern.kind, sources__gt=1).exclude(pk=pattern.pk)
    rows = rows.filter(~Q(agent=pattern.agent_id) | Q(status__in=_CLOSED))
    # Errors speak one language: “timed out” and “failed” make no two of them one.
    least = 2 / 3 if pattern.kind == Kind.ERROR else 1 / 2
    own = _words(pattern.kind, pattern.label, pattern.signature, pattern.terms)
    looked_at = rows.order_by("-sources", "pk").values_list("pk", "label", "signature", "terms")[:LOOKED_AT]
    same = [pk for pk, *said in looked_at if says_the_same(own, _words(pattern.kind, *said), least=least)]
    if not same:
        return []
    known = Pattern.objects.select_related("agent").defer("centroid", "meaning").in_bulk(same)
    return [known[pk] for pk in same if pk in known]


def _words(kind: str, label: str, signature: str, terms: list[str]) -> Stems:
    """Of an error what its label and template say; of the rest label and terms."""
    return stems_of(f"{label} {signature if kind == Kind.ERROR else ' '.join(map(str, terms))}")
