"""What recurs at several agents, as pages show it."""

from collections import defaultdict
from dataclasses import dataclass

from django.db.models import Count, Prefetch, Q, QuerySet

from agents.models import Agent, Document
from agents.reach import unseen
from feedback.models import Evidence, Pattern, SharedMember, SharedPattern
from people.models import User

EXAMPLES = 12

_COUNTS = Q(pattern__support__gt=0) & ~Q(pattern__status__in=[Pattern.Status.MERGED, Pattern.Status.DISMISSED])


@dataclass(frozen=True, slots=True)
class AtAgent:
    """Its patterns at one agent, those that are shown first, and what they count there."""

    agent: Agent
    patterns: list[Pattern]
    documents: list[Document]

    @property
    def shown(self) -> list[Pattern]:
        return [pattern for pattern in self.patterns if pattern.status != Pattern.Status.CANDIDATE]

    @property
    def support(self) -> int:
        return sum(pattern.support for pattern in self.patterns)

    @property
    def sources(self) -> int:
        """At most so many: whoever is a source of two of its patterns counts twice."""
        return sum(pattern.sources for pattern in self.patterns)


def rows(user: User, kind: str = "", agent: str = "") -> "QuerySet[SharedPattern]":
    """Those of a kind and with a pattern of an agent, loudest first, with their members.

    What it counts is counted over all its agents, so only who sees each of them sees it.
    """
    of_kind = {"kind": kind} if kind else {}
    of_agent = {"pk__in": SharedMember.objects.filter(pattern__agent__slug=agent).values("shared")} if agent else {}
    members = SharedMember.objects.filter(_COUNTS).select_related("pattern__agent")
    members = members.defer("pattern__centroid", "pattern__meaning").order_by("pattern__agent__name", "pattern")
    found = SharedPattern.objects.filter(**of_kind, **of_agent).prefetch_related(Prefetch("members", members))
    if hidden := unseen(user):
        found = found.exclude(pk__in=SharedMember.objects.filter(pattern__agent__in=list(hidden)).values("shared"))
    return found.order_by("-sources", "-last_seen", "pk")


def kinds(user: User, agent: str = "") -> dict[str, int]:
    """How many there are of each kind."""
    return dict(rows(user, agent=agent).order_by().values_list("kind").annotate(Count("pk")))


def at_agents(shared: SharedPattern, *, with_documents: bool = False) -> list[AtAgent]:
    """Agent by agent, the most reports first; `shared` comes from `rows`. Documents take a query."""
    by_agent: dict[int, list[Pattern]] = defaultdict(list)
    for member in shared.members.all():
        by_agent[member.pattern.agent_id].append(member.pattern)
    documents: dict[int, list[Document]] = defaultdict(list)
    for document in Document.objects.filter(agent__in=by_agent).order_by("pk") if with_documents else ():
        documents[document.agent_id].append(document)
    found = [
        AtAgent(patterns[0].agent, sorted(patterns, key=lambda one: -one.sources), documents[agent])
        for agent, patterns in by_agent.items()
    ]
    return sorted(found, key=lambda at: (-at.support, at.agent.slug))


def examples(shared: SharedPattern) -> "QuerySet[Evidence]":
    """Its newest reports."""
    patterns = [member.pattern_id for member in shared.members.all()]
    newest = Evidence.objects.filter(pattern__in=patterns).select_related("feedback", "run", "pattern__agent")
    return newest.defer("pattern__centroid", "pattern__meaning").order_by("-at", "-pk")[:EXAMPLES]
