"""Patterns that say the same as another: of other agents, and closed ones of its own."""

from dataclasses import dataclass
from typing import Final

from agents.models import Agent
from feedback.mining import EXACT_KINDS, Kind
from feedback.mining.typical import Stems, says_the_same, stems_of
from feedback.models import Pattern, SharedPattern

LOOKED_AT: Final = 150
"""So many closed patterns of the same kind are compared, those of most sources first."""
SHOWN: Final = 5
_CLOSED: Final = (Pattern.Status.DISMISSED, Pattern.Status.RESOLVED)


@dataclass(frozen=True, slots=True)
class Related:
    """`elsewhere` are shown patterns of other agents and `waiting` such as recur too little there to be shown, all one
    thing with it as the miner sees it, `shared` what they are together; `closed` are dismissed and resolved ones of the
    same agent that use its words.
    """

    elsewhere: list[Pattern]
    waiting: list[Pattern]
    shared: SharedPattern | None
    closed: list[Pattern]


def related(pattern: Pattern, *, is_shared: bool = True) -> Related:
    """At most four queries; one less for a pattern that is known not to be shared."""
    found = _together(pattern) if is_shared else []
    elsewhere = [other for other in found if other.status != Pattern.Status.CANDIDATE]
    elsewhere += [other for other in _equal(pattern) if other not in elsewhere]
    waiting = [other for other in found if other.status == Pattern.Status.CANDIDATE]
    shared = found[0].shared_member.shared if found else None
    return Related(elsewhere[:SHOWN], waiting[:SHOWN], shared, _closed(pattern)[:SHOWN])


def _together(pattern: Pattern) -> list[Pattern]:
    rows = Pattern.objects.filter(shared_member__shared__members__pattern=pattern).exclude(agent=pattern.agent_id)
    rows = rows.exclude(status__in=[Pattern.Status.MERGED, Pattern.Status.DISMISSED]).filter(support__gt=0)
    rows = rows.select_related("agent", "shared_member__shared")
    shared = [f"shared_member__shared__{name}" for name in ("sources", "agents")]
    rows = rows.only("kind", "label", "status", "support", "sources", "agent__slug", "agent__name", *shared)
    return list(rows.order_by("-sources", "pk")[: 2 * SHOWN])


def _equal(pattern: Pattern) -> list[Pattern]:
    """Of other agents those with its signature, which are there before the night."""
    if not pattern.signature or Kind(pattern.kind) not in EXACT_KINDS:
        return []
    # Agent by agent, for that is how signatures are indexed.
    agents = Agent.objects.exclude(pk=pattern.agent_id).order_by().values("pk")
    rows = Pattern.objects.shown().filter(agent__in=agents, kind=pattern.kind, signature=pattern.signature)
    return list(rows.select_related("agent").defer("centroid", "meaning").order_by("-sources", "pk")[:SHOWN])


def _closed(pattern: Pattern) -> list[Pattern]:
    """By their words, of which all that are looked at are read without anything else."""
    if Kind(pattern.kind) is Kind.MISLABEL:
        return []
    rows = Pattern.objects.filter(agent=pattern.agent_id, kind=pattern.kind, status__in=_CLOSED, sources__gt=1)
    rows = rows.exclude(pk=pattern.pk)
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
