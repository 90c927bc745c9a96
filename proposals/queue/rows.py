"""What a row of the queue says, for a whole page of rows in a fixed number of queries."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final, NamedTuple

from django.utils import timezone

from agents import statements
from agents.compiled import Compiled, keys
from audit.numbers import counted, share
from feedback.models import TallyDay
from feedback.rates import rate
from feedback.severity import Level as Severity
from feedback.trends import TREND_DAYS, trends
from people.models import User
from proposals.checking.risk import Level
from proposals.models import Assignment, Decision, Proposal, Rollout
from proposals.queue.desk import Desk
from proposals.rollouts.pills import rollout_pills
from proposals.status.turns import MY_TURN, Pill, pill
from proposals.status.undone import undone

_SHOWN = ("document__agent", "revision", "pattern", "author", "author_key", "bypass", "self_start")
_HEAVY = ("rationale", "revision__text", "revision__diff", "pattern__centroid", "pattern__meaning", "pattern__terms")
_PROPOSALS: Final = Compiled(
    lambda: Proposal.objects.select_related(*_SHOWN).defer(*_HEAVY).filter(**{"pk__any_of": keys("keys")})
)
_ASSIGNMENTS: Final = Compiled(
    lambda: Assignment.objects.select_related("user", "group", "team").filter(
        **{"proposal__pk__any_of": keys("proposals")}
    )
)


@dataclass(frozen=True, slots=True)
class Mark:
    """What a person has not seen yet: nothing of it (`new`), or what it became since they looked."""

    kind: str
    words: str


@dataclass(frozen=True, slots=True)
class Row:
    """One proposal as the queue shows it; `reported` says by how many and for how long, `weight` how bad it is and how
    often, `trend` how many reports came on each day.

    `threads` counts the talks that nobody has resolved, `decided_by` names who had the last word on what is decided.
    """

    proposal: Proposal
    reported: str
    weight: str
    trend: list[int] | None
    pill: Pill
    mark: Mark | None
    warnings: int
    failures: int
    assignees: list[Assignment]
    threads: int
    decided_by: str

    @property
    def risk(self) -> Level:
        return Level(self.proposal.risk)

    @property
    def is_my_turn(self) -> bool:
        """Nothing but this person's decision is missing."""
        return self.pill == MY_TURN

    @property
    def fits_together(self) -> bool:
        """Whether it may be approved at one press with others of its kind."""
        return self.is_my_turn and self.risk == Level.LOW


def page_of(proposals: Sequence[int]) -> list[Proposal]:
    """The proposals with these keys, in this order, without the texts that no row shows."""
    found = {one.pk: one for one in _PROPOSALS.ask(keys=list(proposals))}
    return [found[pk] for pk in proposals if pk in found]


def rows(wanted: Sequence[int], desk: Desk) -> list[Row]:
    """The rows of one page, for the person whose desk this is."""
    proposals = page_of(wanted)
    found = trends({p.pattern_id for p in proposals if p.pattern_id})
    around = _around(proposals, desk.user)
    gone = undone([p for p in proposals if not p.is_open])
    rolled_out = rollout_pills([p for p in proposals if p.pk not in desk])
    deciders, assigned = _deciders(proposals), assignments(wanted)
    return [
        Row(
            p,
            _reported(p),
            _weight(p, found.get(p.pattern_id or 0), around[p.pk].runs),
            found.get(p.pattern_id or 0),
            pill(
                p,
                my_turn=p.pk in desk,
                blocked=around[p.pk].failures > 0,
                undone=p.pk in gone,
                rollout=rolled_out.get(p.pk),
                rolling=around[p.pk].rolling,
            ),
            _mark(p, around[p.pk], desk.user),
            around[p.pk].warnings,
            around[p.pk].failures,
            assigned[p.pk],
            around[p.pk].threads,
            deciders.get(p.pk, ""),
        )
        for p in proposals
    ]


def assignments(proposals: Collection[int]) -> dict[int, list[Assignment]]:
    """Who each of these is assigned to."""
    found: dict[int, list[Assignment]] = defaultdict(list)
    for one in _ASSIGNMENTS.ask(proposals=list(proposals)):
        found[one.proposal_id].append(one)
    return found


_SAID: Final = Compiled(
    lambda: (
        Decision.objects.filter(**{"revision__pk__any_of": keys("revisions")})
        .order_by("pk")
        .values_list("revision__proposal", "actor__name", "actor__username")
    )
)


def _deciders(proposals: Sequence[Proposal]) -> dict[int, str]:
    """“by Mara” for each one that somebody approved or rejected: whoever did so last."""
    settled = [p.revision_id for p in proposals if p.status in (Proposal.Status.APPROVED, Proposal.Status.REJECTED)]
    if not settled:
        return {}
    names = _SAID.ask(revisions=settled)
    return {proposal: name or username for proposal, name, username in names}


class _Around(NamedTuple):
    """What stands around one proposal: how many checks of its newest text ask for a look and block, how many talks
    nobody has resolved, what the person saw and when, when others last decided or commented, and how many runs its
    agent had in the days of the trend, and whether a rollout of another change runs for its document.
    """

    warnings: int
    failures: int
    threads: int
    seen: int | None
    seen_at: datetime | None
    decided_at: datetime | None
    commented_at: datetime | None
    runs: int
    rolling: bool


_AROUND: Final = """
    WITH asked AS (
        SELECT p.*, d.agent_id FROM proposals_proposal p JOIN agents_document d ON d.id = p.document_id
        WHERE p.id = ANY (%(proposals)s)
    ), runs AS MATERIALIZED (
        SELECT agent_id, sum(runs)::int AS runs FROM feedback_tallyday
        WHERE agent_id IN (SELECT agent_id FROM asked WHERE decided_at IS NULL) AND kind = %(all)s
              AND at BETWEEN %(first)s AND %(last)s
        GROUP BY agent_id
    )
    SELECT p.id,
           (SELECT count(*) FROM proposals_check c WHERE c.revision_id = p.revision_id AND c.verdict = 'warn'),
           (SELECT count(*) FROM proposals_check c WHERE c.revision_id = p.revision_id AND c.verdict = 'fail'),
           (SELECT count(*) FROM proposals_thread t WHERE t.proposal_id = p.id AND t.resolved_at IS NULL),
           s.revision_id, s.at,
           (SELECT max(d.at) FROM proposals_decision d JOIN proposals_revision r ON r.id = d.revision_id
            WHERE r.proposal_id = p.id AND d.actor_id <> %(user)s),
           (SELECT max(c.at) FROM proposals_comment c JOIN proposals_thread t ON t.id = c.thread_id
            WHERE t.proposal_id = p.id AND c.author_id <> %(user)s),
           COALESCE(runs.runs, 0),
           EXISTS (SELECT FROM proposals_rollout o JOIN agents_split l ON l.id = o.split_id
                   WHERE o.state = ANY (%(live)s) AND l.document_id = p.document_id AND o.proposal_id <> p.id)
    FROM asked p LEFT JOIN proposals_proposalseen s ON s.proposal_id = p.id AND s.user_id = %(user)s
                 LEFT JOIN runs ON runs.agent_id = p.agent_id
"""
_TYPES: Final = {"proposals": "bigint[]", "user": "bigint", "first": "date", "last": "date"}


def _around(proposals: Sequence[Proposal], user: User) -> dict[int, _Around]:
    """By key, in one query."""
    last = timezone.now().astimezone(UTC).date()
    asked: dict[str, str | int | list[int] | list[str] | date] = {
        "user": user.pk,
        "proposals": [p.pk for p in proposals],
        "all": TallyDay.Kind.ALL.value,
        "live": [state.value for state in Rollout.LIVE],
        "first": last - timedelta(days=TREND_DAYS - 1),
        "last": last,
    }
    return {proposal: _Around(*known) for proposal, *known in statements.ask(_AROUND, _TYPES, asked)}


def _mark(proposal: Proposal, around: _Around, user: User) -> Mark | None:
    if around.seen_at is None:
        is_new = proposal.is_open and proposal.author_id != user.pk
        return Mark("new", "New to you") if is_new else None
    if around.seen != proposal.revision_id:
        return Mark("changed", "Its text changed since you looked")
    if around.decided_at and around.decided_at > around.seen_at:
        return Mark("changed", "Somebody decided since you looked")
    if around.commented_at and around.commented_at > around.seen_at:
        return Mark("changed", "Somebody commented since you looked")
    return None


def _reported(proposal: Proposal) -> str:
    """By how many sources; while it is open also over how many days the pattern's reports came."""
    days = proposal.pattern.span_days if proposal.is_open and proposal.pattern else None
    within = f" in {counted(days, 'day')}" if days else ""
    return f"{proposal.reported_by}{',' if within and proposal.sources_changed else ''}{within}"


def _weight(proposal: Proposal, trend: Sequence[int] | None, runs: int) -> str:
    """How bad the pattern is and how many of the agent's runs of the last days it concerns, while it is open."""
    pattern = proposal.pattern
    if pattern is None or not proposal.is_open:
        return ""
    level, found = Severity(pattern.severity or 0), rate(sum(trend or ()), runs)
    how_bad = f"{level.word} severity" if level else ""
    how_often = f"{share(found.share)} of runs" if found and found.events else ""
    return ", ".join(filter(None, (how_bad, how_often)))
