"""What the queue's address asks for: which proposals, and in which order."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import cache
from typing import Any, Final
from urllib.parse import urlencode

from django.contrib.postgres.aggregates import ArrayAgg
from django.contrib.postgres.fields import ArrayField
from django.db.models import (
    BigIntegerField,
    Case,
    CharField,
    Count,
    Exists,
    Func,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    When,
)
from django.db.models.functions import Coalesce

from agents.compiled import Compiled, Given, key, keys
from people.models import User
from proposals.checking.risk import Level
from proposals.models import Assignment, Check, Proposal
from proposals.models.proposal import ProposalQuerySet
from proposals.queue.desk import Desk
from proposals.queue.waiting import assigned_to

SHOWS: Final = ("turn", "open", "effect", "decided", "all")
ORIGINS: Final = dict(Proposal.Origin.choices)
RISKS: Final = {level.name.lower(): f"{level.word} risk" for level in Level}
WHO: Final = {"me": "Assigned to me", "nobody": "Assigned to nobody"}
TEAM: Final = "team:"
"""What “who” begins with when it names a team by its key."""
CHECKS: Final = {"warn": "With warnings", "fail": "Blocked by a check"}
SORTS: Final = {"risk": "Risk", "impact": "Impact", "age": "Oldest", "new": "Newest"}
ORDERS: Final = {
    "risk": ("-risk", "-impact", "pk"),
    "impact": ("-impact", "-risk", "pk"),
    "age": ("created_at", "pk"),
    "new": ("-created_at", "-pk"),
}
_DECIDED: Final = {"age": ("settled", "pk"), "new": ("-settled", "-pk")}  # there, the time that counts
LONGEST: Final = 200
_CHOICES: Final[Mapping[str, Mapping[str, str]]] = {
    "origin": ORIGINS,
    "risk": RISKS,
    "who": WHO,
    "checks": CHECKS,
    "sort": SORTS,
}


@dataclass(frozen=True, slots=True)
class Filters:
    """Empty means not asked for; a value nobody offers counts as empty."""

    show: str = "turn"
    agent: str = ""
    q: str = ""
    origin: str = ""
    risk: str = ""
    who: str = ""
    checks: str = ""
    sort: str = ""

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> "Filters":
        """From an address; nothing in it can be wrong."""
        given = {one.name: query.get(one.name, "").replace("\0", "").strip()[:LONGEST] for one in fields(cls)}
        for name, choices in _CHOICES.items():
            given[name] = given[name] if given[name] in choices or _is_team(name, given[name]) else ""
        given["show"] = given["show"] if given["show"] in SHOWS else "turn"
        return cls(**given)

    @property
    def query(self) -> str:
        """The address that asks for this, without its question mark; empty for the plain queue."""
        plain = Filters()
        asked = {one.name: getattr(self, one.name) for one in fields(self)}
        return urlencode({name: value for name, value in asked.items() if value != getattr(plain, name)})

    @property
    def chosen(self) -> list[tuple[str, str]]:
        """Each narrowing beside view, agent, team and order: its parameter, and what it says."""
        lists = [(name, getattr(self, name)) for name in _CHOICES if name != "sort"]
        said = [(name, _CHOICES[name][value]) for name, value in lists if value in _CHOICES[name]]
        return [*said, ("q", f"“{self.q}”")] if self.q else said

    @property
    def team(self) -> int | None:
        """The key of the team whose proposals are asked for, if one's are."""
        return int(self.who.removeprefix(TEAM)) if self.who.startswith(TEAM) else None

    @property
    def is_plain(self) -> bool:
        """Whether this is a whole view, narrowed by nothing."""
        return replace(self, show="turn", sort="") == Filters()

    @property
    def is_of_desk(self) -> bool:
        """Whether it is what waits for somebody, whole or narrowed once: common enough to be compiled."""
        narrowed = (self.agent, self.origin, self.risk, self.who, self.checks)
        return self.show == "turn" and not self.q and sum(map(bool, narrowed)) < 2

    @property
    def _shape(self) -> "Filters":
        """The same for all that differ in values only. Of those in `is_of_desk` there are 36, so few stay prepared."""
        who = f"{TEAM}0" if self.team is not None else self.who
        return Filters(
            "turn", self.agent and "any", "", self.origin and "any", self.risk and "any", who, self.checks, self.order
        )

    @property
    def order(self) -> str:
        """The order asked for, or the one that suits the view: what is riskiest, or what was decided last."""
        return self.sort or ("new" if self.show in ("decided", "all") else "risk")

    @property
    def keys(self) -> tuple[str, ...]:
        """What rows are ordered by, so that no two are equal; names as `order_by` takes them."""
        orders = ORDERS | _DECIDED if self.show == "decided" else ORDERS
        return orders[self.order]

    def apply(self, user: User, desk: Desk | None = None) -> ProposalQuerySet:
        """The proposals asked for, in their order, with what orders them.

        `desk` is what waits for this person, where that is known.
        """
        return weighed(self._narrowed(desk or Desk(user)), self.keys).order_by(*self.keys)

    def _narrowed(self, desk: Desk) -> ProposalQuerySet:
        """The proposals asked for, in no order."""
        found = self._shown(desk).filter(self._narrowing(self._given(desk)))
        return found.saying(self.q) if self.q else found

    def _given(self, desk: Desk) -> dict[str, Any]:
        """What the narrowings speak of, by name."""
        level = Level[self.risk.upper()].value if self.risk else None
        return {"agent": self.agent, "origin": self.origin, "risk": level, "user": desk.user.pk, "team": self.team}

    def _narrowing(self, given: Mapping[str, Any]) -> Q:
        """What holds for the proposals asked for, besides the view and the words in them."""
        assigned = Assignment.objects.filter(proposal=OuterRef("pk"))
        found = Q()
        if self.agent:
            found &= Q(document__agent__slug=given["agent"])
        if self.origin:
            found &= Q(origin=given["origin"])
        if self.risk:
            found &= Q(risk=given["risk"])
        if self.checks:
            verdicts = [Check.Verdict.FAIL] if self.checks == "fail" else [Check.Verdict.WARN, Check.Verdict.FAIL]
            found &= Q(Exists(Check.objects.filter(revision=OuterRef("revision"), verdict__in=verdicts)))
        if self.who == "me":
            found &= assigned_to(given["user"])
        if self.who == "nobody":
            found &= ~Q(Exists(assigned))
        if self.team is not None:
            found &= Q(Exists(assigned.filter(team=given["team"])))
        return found

    def all_keys(self, desk: Desk, *, also: int | None = None) -> list[int]:
        """The keys of all proposals asked for, in their order: one look finds them and tells how many there are.

        `also` is put where it would stand, asked for or not.
        """
        if self.is_of_desk:
            besides = [] if also is None else [also]
            return _in_order(self._shape).ask(keys=[*desk.keys, *besides], also=besides, **self._given(desk))
        wanted = self._narrowed(desk)
        if also is not None:
            either = wanted.values("pk").union(Proposal.objects.filter(pk=also).values("pk"))
            wanted = Proposal.objects.filter(pk__in=either)
        found = weighed(wanted, self.keys).aggregate(keys=ArrayAgg("pk", order_by=self.keys))
        return found["keys"] or []

    def keys_of_page(self, desk: Desk, number: int, size: int) -> tuple[list[int], int]:
        """The keys of one page, in their order, and how many are on all pages together: one look finds both."""
        first = (number - 1) * size + 1
        part = f"(%(expressions)s)[{first:d}:{first + size - 1:d}]"
        of_page = Func(ArrayAgg("pk", order_by=self.keys), template=part, output_field=ArrayField(BigIntegerField()))
        found = weighed(self._narrowed(desk), self.keys).aggregate(keys=of_page, total=Count("pk"))
        return found["keys"] or [], found["total"]

    def _shown(self, desk: Desk) -> ProposalQuerySet:
        seen = Proposal.objects.for_person(desk.user)
        match self.show:
            case "turn":
                return desk.proposals()
            case "open":
                return seen.open()
            case "effect":
                return seen.filter(status=Proposal.Status.IN_EFFECT)
            case "decided":
                return seen.decided()
            case _:
                return seen


def _is_team(name: str, value: str) -> bool:
    number = value.removeprefix(TEAM)
    return name == "who" and value.startswith(TEAM) and number.isascii() and number.isdigit() and len(number) < 19


def weighed(proposals: ProposalQuerySet, keys: tuple[str, ...]) -> ProposalQuerySet:
    """With what the order asks for beside columns.

    `settled` is when it was decided, or else made; `impact` the sources that stand behind it, doubled while it is
    rising, as the worker notes it every minute: a quarter more reports in the last seven days than in the seven before.
    """
    if keys[0].endswith("settled"):
        return proposals.annotate(settled=Coalesce("decided_at", "created_at"))
    if "-impact" not in keys:
        return proposals
    sources = Coalesce("pattern__sources", "evidence_sources", output_field=IntegerField())
    return proposals.annotate(impact=Case(When(pattern__is_rising=True, then=sources * 2), default=sources))


_GIVEN: Final = {
    "agent": Given("agent", CharField()),
    "origin": Given("origin", CharField()),
    "risk": Given("risk", IntegerField()),
    "user": key("user"),
    "team": key("team"),
}


@cache
def _in_order(shape: Filters) -> Compiled[int]:
    """Of the proposals with these keys those asked for, and those in `also` in any case, in the order asked for.

    The keys are a condition of their own, so that they are looked up in the index: within an “or” PostgreSQL would go
    through the list for every proposal.
    """

    def build() -> "QuerySet[Proposal, int]":
        found = Proposal.objects.filter(**{"pk__any_of": keys("keys")})
        if narrowing := shape._narrowing(_GIVEN):
            found = found.filter(narrowing | Q(**{"pk__any_of": keys("also")}))
        return weighed(found, shape.keys).order_by(*shape.keys).values_list("pk", flat=True)

    return Compiled(build)
