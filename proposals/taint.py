"""What rests on the reports of one key: which open proposals and live versions would not stand without them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.conf import settings
from django.db import connection
from django.db.models import Exists, OuterRef, Q

from agents.models import ApiKey, whole_of
from feedback.models import Quarantine
from people.models import User
from proposals.backing import Rule
from proposals.models import Proposal, ProposalEvidence, Rollout, SourceRule
from proposals.sourcing import board_rule
from proposals.undone import undone

MOST_SHOWN: Final = 200

_TAINTED: Final = """
    {r}.key_id = %(key)s AND (%(since)s::timestamptz IS NULL OR {r}.received_at >= %(since)s)
    AND (%(until)s::timestamptz IS NULL OR {r}.received_at < %(until)s)
"""
# As whom a rule that counts owners takes a report: the owner of its key, or its end user where there is no key.
_PARTY: Final = "coalesce('owner ' || k.owner_id, encode({r}.source, 'hex'))"
_COUNTED: Final = "({r}.excluded_at IS NULL OR {r}.quarantine_id = %(quarantine)s)"

# Only fragments of this file are put together; values travel as parameters.
_OF_PROPOSALS: Final = f"""
    WITH behind AS (
        SELECT e.proposal_id, f.source, {_PARTY.format(r="f")} AS party, {_TAINTED.format(r="f")} AS is_tainted,
            f.withdrawn_at IS NULL AND {_COUNTED.format(r="f")} AS counts
        FROM proposals_proposalevidence e JOIN feedback_feedback f ON f.id = e.feedback_id
        LEFT JOIN agents_apikey k ON k.id = f.key_id WHERE e.proposal_id = ANY(%(proposals)s)
        UNION ALL
        SELECT e.proposal_id, r.source, {_PARTY.format(r="r")}, {_TAINTED.format(r="r")}, {_COUNTED.format(r="r")}
        FROM proposals_proposalevidence e JOIN feedback_run r ON r.id = e.run_id
        LEFT JOIN agents_apikey k ON k.id = r.key_id WHERE e.proposal_id = ANY(%(proposals)s)
    )
    SELECT proposal_id, count(*) FILTER (WHERE is_tainted), count(DISTINCT source) FILTER (WHERE counts),
        count(DISTINCT source) FILTER (WHERE counts AND NOT is_tainted),
        count(DISTINCT party) FILTER (WHERE counts), count(DISTINCT party) FILTER (WHERE counts AND NOT is_tainted)
    FROM behind GROUP BY proposal_id
"""  # noqa: S608
_OF_PATTERNS: Final = f"""
    SELECT e.pattern_id, count(DISTINCT e.source), count(DISTINCT {_PARTY.format(r="e")})
    FROM feedback_evidence e LEFT JOIN feedback_feedback f ON f.id = e.feedback_id
    LEFT JOIN feedback_run r ON r.id = e.run_id LEFT JOIN agents_apikey k ON k.id = coalesce(f.key_id, r.key_id)
    WHERE e.pattern_id = ANY(%(patterns)s) AND NOT coalesce({_TAINTED.format(r="f")}, false)
        AND NOT coalesce({_TAINTED.format(r="r")}, false)
    GROUP BY e.pattern_id
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class Shaken:
    """A proposal, of whose evidence `reports` came with the key, and how many sources are left of `sources`.

    `falls` says whether that is fewer than it takes now. `number` is the version it made, where that is live;
    `is_current` whether a rollback to before it takes out nothing else.
    """

    proposal: Proposal
    reports: int
    sources: int
    left: int
    least: int
    number: int | None = None
    is_current: bool = False
    rollout: Rollout | None = None

    @property
    def falls(self) -> bool:
        return self.left < self.least <= self.sources

    @property
    def why(self) -> str:
        """What to say of it on the log."""
        return f"{self.left} of {self.least} sources are left without what came with an API key that is not trusted."


def shaken(key: ApiKey, quarantine: Quarantine | None, user: User | None = None) -> list[Shaken]:
    """What is open, and what is live, and has evidence from the key; what falls first, then the newest.

    Without a quarantine, as if all that came with the key counted no more. `user` sees those of their agents only.
    """
    window: dict[str, Any] = {
        "key": key.pk,
        "quarantine": quarantine and quarantine.pk,
        "since": quarantine and quarantine.since,
        "until": quarantine and quarantine.until,
    }
    proposals = _resting_on(key, quarantine, user)
    with connection.cursor() as cursor:
        cursor.execute(_OF_PROPOSALS, {**window, "proposals": [one.pk for one in proposals]})
        counts = {pk: numbers for pk, *numbers in cursor.fetchall()}
    live = _live([one for one in proposals if one.published_id])
    patterns = _left_of_patterns([one.pattern_id for one in proposals if one.is_open and one.pattern_id], window)
    agents = {one.document.agent_id for one in proposals}
    rules = {own.agent_id: own.rule for own in SourceRule.objects.filter(agent__in=agents)}
    every = [
        _shaken(one, counts[one.pk], patterns, rules.get(one.document.agent_id) or board_rule(), live)
        for one in proposals
        if one.is_open or one.pk in live
    ]
    return sorted(every, key=lambda one: (not one.falls, -one.proposal.pk))


def _resting_on(key: ApiKey, quarantine: Quarantine | None, user: User | None) -> list[Proposal]:
    """The newest that are open or made a version, and have evidence from the key."""
    evidence = ProposalEvidence.objects.filter(proposal=OuterRef("pk"))
    came = [_came(kind, key, quarantine) for kind in ("feedback", "run")]
    rows = Proposal.objects.for_person(user) if user else Proposal.objects.all()
    found = rows.filter(
        Q(status__in=Proposal.OPEN) | Q(published__isnull=False), Exists(evidence.filter(came[0] | came[1]))
    )
    found = found.select_related("document__agent", "document__current", "revision", "published")
    return list(found.defer(*whole_of("published"), *whole_of("document__current")).order_by("-pk")[:MOST_SHOWN])


def _came(kind: str, key: ApiKey, quarantine: Quarantine | None) -> Q:
    """Reports of this kind that came with the key, in the window if there is one."""
    wanted = Q(**{f"{kind}__key": key})
    if quarantine and quarantine.since:
        wanted &= Q(**{f"{kind}__received_at__gte": quarantine.since})
    if quarantine and quarantine.until:
        wanted &= Q(**{f"{kind}__received_at__lt": quarantine.until})
    return wanted


def _shaken(
    proposal: Proposal,
    numbers: list[int],
    patterns: Mapping[int, tuple[int, int]],
    rule: Rule,
    live: Mapping[int, Rollout | None],
) -> Shaken:
    reports, users, users_left, owners, owners_left = numbers
    users_now, owners_now = patterns.get(proposal.pattern_id or 0, (0, 0))
    users_left, owners_left = max(users_left, users_now), max(owners_left, owners_now)
    # Where sources are owners, and it never had enough of them, it stands on the users that its pattern is shown for.
    by_owner = rule.per == "owner" and max(owners, owners_left) >= rule.sources
    sources, left = (owners, owners_left) if by_owner else (users, users_left)
    least = rule.sources if by_owner or rule.per == "user" else settings.COUNTERSIGN_MIN_SOURCES
    made = proposal.published if proposal.pk in live else None
    is_current = made is not None and made.pk == proposal.document.current_id
    number = made.number if made else None
    return Shaken(proposal, reports, max(sources, left), left, least, number, is_current, live.get(proposal.pk))


def _live(published: list[Proposal]) -> dict[int, Rollout | None]:
    """Of these, whose change agents get now, by key; with the rollout where only some do."""
    gone = undone(published)
    rollouts = {one.proposal_id: one for one in Rollout.objects.filter(proposal__in=[p.pk for p in published])}
    return {
        one.pk: rollout if rollout and rollout.is_live else None
        for one in published
        if one.pk not in gone and _serves(rollout := rollouts.get(one.pk))
    }


def _serves(rollout: Rollout | None) -> bool:
    return rollout is None or rollout.is_live or rollout.state == Rollout.State.PROMOTED


def _left_of_patterns(pks: list[int], window: Mapping[str, Any]) -> dict[int, tuple[int, int]]:
    """How many end users, and how many owners, stand behind each pattern without the key."""
    if not pks:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_OF_PATTERNS, {**window, "patterns": pks})
        return {pk: (users, owners) for pk, users, owners in cursor.fetchall()}
