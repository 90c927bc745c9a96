"""What rests on the reports of one key: which open proposals and live versions would not stand without them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.conf import settings
from django.db import connection

from agents.models import ApiKey, whole_of
from agents.reach import unseen
from feedback.models import Quarantine
from people.models import User
from proposals.grounds.sourcing import board_rule
from proposals.models import Proposal, Rollout, SourceRule
from proposals.rules.backing import Rule
from proposals.status.undone import undone

PAGE: Final = 20
_FIRST: Final = 1 << 62
"""Added to the key of a proposal that may fall: it makes one order, and one cursor, of those and all others."""

# Everything that rests on a key, from what was counted when evidence was linked. `may_fall` leaves out whatever could
# count no more: the key's own, that of all keys in quarantine, and any proposal of which a report was taken out by
# hand. So it says yes too often and never no too often; what is shown is then counted exactly.
_RESTING: Final = """
    WITH held AS (
        SELECT DISTINCT q.key_id, k.owner_id FROM feedback_quarantine q JOIN agents_apikey k ON k.id = q.key_id
        WHERE q.lifted_at IS NULL AND q.key_id <> %(key)s
    ), also AS (
        SELECT s.proposal_id, sum(s.sources) AS sources, count(DISTINCT held.owner_id) AS owners
        FROM held JOIN proposals_keyshare s USING (key_id) GROUP BY 1
    ), by_hand AS (
        SELECT e.proposal_id FROM feedback_exclusion x JOIN proposals_proposalevidence e USING (feedback_id)
        WHERE x.lifted_at IS NULL
        UNION SELECT e.proposal_id FROM feedback_exclusion x JOIN proposals_proposalevidence e USING (run_id)
        WHERE x.lifted_at IS NULL
        UNION SELECT e.proposal_id FROM feedback_feedback f JOIN proposals_proposalevidence e ON e.feedback_id = f.id
        WHERE f.withdrawn_at IS NOT NULL
    ), resting AS MATERIALIZED (
        SELECT p.id, CASE
            WHEN by_hand.proposal_id IS NOT NULL THEN true
            WHEN coalesce(rule.per, %(per)s) = 'owner' AND s.of_owners >= coalesce(rule.sources, %(sources)s)
                THEN s.of_owners - 1 - coalesce(also.owners, 0) < coalesce(rule.sources, %(sources)s)
            ELSE s.of_sources - s.sources - coalesce(also.sources, 0) < least.sources AND least.sources <= s.of_sources
            END AS may_fall
        FROM proposals_keyshare s JOIN proposals_proposal p ON p.id = s.proposal_id
        JOIN agents_document d ON d.id = p.document_id LEFT JOIN proposals_sourcerule rule ON rule.agent_id = d.agent_id
        CROSS JOIN LATERAL (SELECT CASE coalesce(rule.per, %(per)s) WHEN 'user'
            THEN coalesce(rule.sources, %(sources)s) ELSE %(least)s END AS sources) AS least
        LEFT JOIN proposals_rollout o ON o.proposal_id = p.id
        LEFT JOIN also ON also.proposal_id = p.id LEFT JOIN by_hand ON by_hand.proposal_id = p.id
        WHERE s.key_id = %(key)s AND d.agent_id <> ALL(%(hidden)s) AND (p.status = ANY(%(open)s)
            OR p.published_id IS NOT NULL AND (o.proposal_id IS NULL OR o.state = ANY(%(serving)s)))
    ), placed AS (SELECT id + CASE WHEN may_fall THEN %(first)s ELSE 0 END AS place FROM resting)
    SELECT place, (SELECT count(*) FROM resting), (SELECT count(*) FROM resting WHERE may_fall)
    FROM placed WHERE place < %(cursor)s ORDER BY place DESC LIMIT %(limit)s
"""
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
            NOT e.commands AND f.withdrawn_at IS NULL AND {_COUNTED.format(r="f")} AS counts
        FROM proposals_proposalevidence e JOIN feedback_feedback f ON f.id = e.feedback_id
        LEFT JOIN agents_apikey k ON k.id = f.key_id WHERE e.proposal_id = ANY(%(proposals)s)
        UNION ALL
        SELECT e.proposal_id, r.source, {_PARTY.format(r="r")}, {_TAINTED.format(r="r")},
            NOT e.commands AND {_COUNTED.format(r="r")}
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


@dataclass(frozen=True, slots=True)
class Resting:
    """Some of what rests on a key, what may fall first and then the newest first, and where the next begin.

    Of `found` in all, at most `may_fall` fall; what was undone since is among them, and not among `rows`.
    """

    rows: list[Shaken]
    found: int
    may_fall: int
    next: int | None

    @property
    def falling(self) -> list[Shaken]:
        return [one for one in self.rows if one.falls]

    @property
    def standing(self) -> list[Shaken]:
        return [one for one in self.rows if not one.falls]


def resting_on(
    key: ApiKey,
    quarantine: Quarantine | None,
    user: User | None = None,
    *,
    before: int | None = None,
    limit: int = PAGE,
) -> Resting:
    """A page of what is open, and what is live, and has evidence from the key.

    Without a quarantine, as if all that came with the key counted no more. `user` sees those of their agents only;
    `before` is the `next` of the page before.
    """
    rule = board_rule()
    wanted = {
        "key": key.pk,
        "per": rule.per,
        "sources": rule.sources,
        "least": settings.COUNTERSIGN_MIN_SOURCES,
        "hidden": list(unseen(user)) if user else [],
        "open": list(Proposal.OPEN),
        "serving": [*Rollout.LIVE, Rollout.State.PROMOTED],
        "first": _FIRST,
        "cursor": 2 * _FIRST - 1 if before is None else before,
        "limit": limit + 1,
    }
    with connection.cursor() as cursor:
        cursor.execute(_RESTING, wanted)
        rows = cursor.fetchall()
    places = [place for place, *_ in rows]
    found, may_fall = rows[0][1:] if rows else (0, 0)
    shown = shaken(key, quarantine, [place % _FIRST for place in places[:limit]])
    return Resting(shown, found, may_fall, places[limit - 1] if len(places) > limit else None)


def shaken(key: ApiKey, quarantine: Quarantine | None, pks: Sequence[int]) -> list[Shaken]:
    """These proposals, counted exactly, in this order; without those whose change is neither open nor live."""
    window: dict[str, Any] = {
        "key": key.pk,
        "quarantine": quarantine and quarantine.pk,
        "since": quarantine and quarantine.since,
        "until": quarantine and quarantine.until,
    }
    rows = Proposal.objects.select_related("document__agent", "document__current", "revision", "published")
    rows = rows.defer(
        *whole_of("published"), *whole_of("document__current"), "revision__text", "revision__diff", "rationale"
    )
    known = rows.in_bulk(pks) if pks else {}
    proposals = [known[pk] for pk in pks if pk in known]
    if not proposals:
        return []
    with connection.cursor() as cursor:
        cursor.execute(_OF_PROPOSALS, {**window, "proposals": [one.pk for one in proposals]})
        counts = {pk: numbers for pk, *numbers in cursor.fetchall()}
    live = _live([one for one in proposals if one.published_id])
    patterns = _left_of_patterns([one.pattern_id for one in proposals if one.is_open and one.pattern_id], window)
    agents = {one.document.agent_id for one in proposals}
    rules = {own.agent_id: own.rule for own in SourceRule.objects.filter(agent__in=agents)}
    return [
        _shaken(one, counts[one.pk], patterns, rules.get(one.document.agent_id) or board_rule(), live)
        for one in proposals
        if one.pk in counts and (one.is_open or one.pk in live)
    ]


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
