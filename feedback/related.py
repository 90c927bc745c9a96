"""Patterns that say the same as another: of other agents, and closed ones of its own."""

from dataclasses import dataclass
from typing import Final

from django.db.models import TextField

from agents.compiled import Compiled, Given, key, keys
from agents.models import Agent
from agents.reach import unseen
from feedback import across
from feedback.mining import EXACT_KINDS, Kind
from feedback.mining.typical import Stems, says_the_same, stems_of
from feedback.models import Pattern, SharedPattern
from people.models import User

LOOKED_AT: Final = 150
"""So many closed patterns of the same kind are compared, those of most sources first."""
SHOWN: Final = 5
_CLOSED: Final = (Pattern.Status.DISMISSED, Pattern.Status.RESOLVED)
_SHARED: Final = [f"shared_member__shared__{name}" for name in ("sources", "agents")]
_LOOKED_AT: Final = Compiled(
    lambda: (
        Pattern.objects.filter(agent=key("agent"), kind=Given("kind", TextField()))
        .filter(status__in=_CLOSED, sources__gt=1)
        .order_by("-sources", "pk")
        .values_list("pk", "label", "signature", "terms")[: LOOKED_AT + 1]
    )
)
_TOGETHER: Final = Compiled(
    lambda: (
        Pattern.objects.filter(shared_member__shared__members__pattern=key("pattern"))
        .exclude(**{"agent__pk__any_of": keys("left_out")})
        .exclude(status__in=[Pattern.Status.MERGED, Pattern.Status.DISMISSED])
        .filter(support__gt=0)
        .select_related("agent", "shared_member__shared")
        .only("kind", "label", "status", "support", "sources", "agent__slug", "agent__name", *_SHARED)
        .order_by("-sources", "pk")[: 2 * SHOWN]
    )
)
_KNOWN: Final = Compiled(
    lambda: Pattern.objects.filter(**{"pk__any_of": keys("keys")}).select_related("agent").defer("centroid", "meaning")
)
# Agent by agent, and said to have one, for that is how signatures are indexed.
_EQUAL: Final = Compiled(
    lambda: (
        Pattern.objects.shown()
        .filter(agent__in=Agent.objects.exclude(**{"pk__any_of": keys("left_out")}).order_by().values("pk"))
        .filter(kind=Given("kind", TextField()), signature=Given("signature", TextField()))
        .exclude(signature="")
        .select_related("agent")
        .defer("centroid", "meaning")
        .order_by("-sources", "pk")[:SHOWN]
    )
)


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


def related(pattern: Pattern, user: User | None, *, is_shared: bool = True) -> Related:
    """As far as this person sees the agents, all of it without one. At most five queries; one less for a pattern that
    is known not to be shared.
    """
    found = _TOGETHER.ask(pattern=pattern.pk, left_out=_left_out(pattern, user)) if is_shared else []
    elsewhere = [other for other in found if other.status != Pattern.Status.CANDIDATE]
    elsewhere += [other for other in _equal(pattern, user) if other not in elsewhere]
    waiting = [other for other in found if other.status == Pattern.Status.CANDIDATE]
    shared = found[0].shared_member.shared if found else None
    if shared and user and unseen(user) and not across.rows(user).filter(pk=shared.pk).exists():
        shared = None
    return Related(elsewhere[:SHOWN], waiting[:SHOWN], shared, _closed(pattern))


def _left_out(pattern: Pattern, user: User | None) -> list[int]:
    """Its own agent, and those this person does not see."""
    return [pattern.agent_id, *(unseen(user) if user else ())]


def _equal(pattern: Pattern, user: User | None) -> list[Pattern]:
    """Of other agents those with its signature, which are there before the night."""
    if not pattern.signature or Kind(pattern.kind) not in EXACT_KINDS:
        return []
    return _EQUAL.ask(left_out=_left_out(pattern, user), kind=pattern.kind, signature=pattern.signature)


def _closed(pattern: Pattern) -> list[Pattern]:
    """By their words, of which all that are looked at are read without anything else."""
    if Kind(pattern.kind) is Kind.MISLABEL:
        return []
    # Errors speak one language: “timed out” and “failed” make no two of them one.
    least = 2 / 3 if pattern.kind == Kind.ERROR else 1 / 2
    own = _words(pattern.kind, pattern.label, pattern.signature, pattern.terms)
    looked_at = _LOOKED_AT.ask(agent=pattern.agent_id, kind=pattern.kind)
    others = [(pk, said) for pk, *said in looked_at if pk != pattern.pk]
    same = [pk for pk, said in others if says_the_same(own, _words(pattern.kind, *said), least=least)]
    if not same:
        return []
    known = {other.pk: other for other in _KNOWN.ask(keys=same[:SHOWN])}
    return [known[pk] for pk in same if pk in known]


def _words(kind: str, label: str, signature: str, terms: list[str]) -> Stems:
    """Of an error what its label and template say; of the rest label and terms."""
    return stems_of(f"{label} {signature if kind == Kind.ERROR else ' '.join(map(str, terms))}")
