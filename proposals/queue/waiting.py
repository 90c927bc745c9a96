"""Whose turn it is: the same rules as `policies.may_decide`, asked of all proposals at once; a test holds the two
together. Every page shows how many wait for who reads it, so this is SQL written by hand: one question, in which each
list that speaks for or against a proposal is worked out once.
"""

from collections.abc import Mapping
from typing import Any, Final

from django.conf import settings
from django.db import connection
from django.db.models import Q

from agents import statements
from agents.compiled import Given
from agents.reach import EVERYWHERE, unseen, untouchable
from people.models import User
from people.roles import PERMISSIONS
from proposals.models import Assignment, Proposal, Rollout

Status = Proposal.Status
DECIDE: Final = "proposals.decide_proposal"
PROPOSE: Final = "proposals.propose_change"

# `p` is a proposal, `who` a person. What `policies.conflict_of_interest` finds, evidence aside.
_CONFLICT: Final = """
    p.author_id = {who} OR p.requested_by_id = {who}
    OR p.id IN (SELECT proposal_id FROM proposals_bypass WHERE actor_id = {who})
    OR EXISTS (SELECT FROM agents_apikey k WHERE k.id = p.author_key_id AND k.owner_id = {who})
    OR EXISTS (SELECT FROM proposals_revision r LEFT JOIN agents_apikey k ON k.id = r.author_key_id
               WHERE r.proposal_id = p.id AND (r.author_id = {who} OR k.owner_id = {who}))
    OR EXISTS (SELECT FROM proposals_coauthor c JOIN proposals_revision r ON r.id = c.revision_id
               WHERE r.proposal_id = p.id AND c.person_id = {who})
    OR EXISTS (SELECT FROM proposals_redraft a
               WHERE a.proposal_id = p.id AND a.asked_by_id = {who} AND a.made_id IS NOT NULL)
"""

# The same for one person, as lists of keys. Revisions are those of what is open: the rest only grows.
_OWN: Final = """
    own_key AS MATERIALIZED (
        SELECT id FROM agents_apikey WHERE owner_id = %(user)s
    ), own AS MATERIALIZED (
        SELECT r.proposal_id FROM proposals_proposal p JOIN proposals_revision r ON r.proposal_id = p.id
        WHERE p.status = ANY (%(open)s)
        AND (r.author_id = %(user)s OR r.author_key_id IN (SELECT id FROM own_key))
        UNION ALL
        SELECT r.proposal_id FROM proposals_coauthor c JOIN proposals_revision r ON r.id = c.revision_id
        WHERE c.person_id = %(user)s
        UNION ALL
        SELECT proposal_id FROM proposals_bypass WHERE actor_id = %(user)s
        UNION ALL
        SELECT proposal_id FROM proposals_redraft WHERE asked_by_id = %(user)s AND made_id IS NOT NULL
    )
"""

_UNBARRED: Final = """
    %(decides)s AND (%(alone)s OR (
        p.author_id IS DISTINCT FROM %(user)s AND p.requested_by_id IS DISTINCT FROM %(user)s
        AND (p.author_key_id IN (SELECT id FROM own_key)) IS NOT TRUE
        AND NOT p.mostly_reported_by @> ARRAY[%(user)s]::bigint[]
        AND p.id NOT IN (SELECT proposal_id FROM own)
    ))
"""

# While a rollout of another change runs for its document, nobody can approve it.
_ROLLING: Final = """
    p.status = 'pending' AND p.document_id IN (
        SELECT s.document_id FROM proposals_rollout o JOIN agents_split s ON s.id = o.split_id
        WHERE o.state = ANY (%(live)s))
"""

_DECIDABLE: Final = f"""
    p.status = ANY (%(decidable)s) AND {_UNBARRED} AND NOT ({_ROLLING}) AND NOT EXISTS (
        SELECT FROM proposals_decision d
        WHERE d.revision_id = p.revision_id AND d.actor_id = %(user)s AND d.verdict = 'approve')
"""

# Where only an owner's approval is missing, it is the turn of those owners, as long as there are any.
_OWNERS: Final = """
    SELECT o.user_id FROM agents_section s JOIN (
        SELECT section_id, user_id FROM agents_section_owners
        UNION ALL
        SELECT t.section_id, m.user_id FROM agents_section_owner_teams t
        JOIN people_team_members m ON m.team_id = t.team_id
    ) o ON o.section_id = s.id
    WHERE s.document_id = p.document_id AND s.is_protected AND s.heading = ANY (p.waits_for_owners_of)
"""

# What `reach.may_act_on` says: whose agent it is. Most are everybody's, and that is found out once.
_REACHES: Final = """
    (p.document_id IN (SELECT id FROM everybodys) OR EXISTS (
        SELECT FROM agents_document d JOIN agents_agent g ON g.id = d.agent_id
        WHERE d.id = p.document_id AND ({who} IN (SELECT id FROM everywhere)
            OR {who} IN (SELECT user_id FROM people_team_members WHERE team_id = g.team_id))))
"""
_OTHER_TEAMS: Final = "p.document_id IN (SELECT id FROM agents_document WHERE agent_id = ANY (%(others)s))"
_OWNERS_TURN: Final = f"""
    p.waits_for_owners_of = '{{{{}}}}' OR %(alone)s OR {{who}} IN ({_OWNERS})
    OR NOT EXISTS ({_OWNERS} AND o.user_id IN (SELECT id FROM decider) AND {_REACHES.format(who="o.user_id")})
"""  # noqa: S608 (nothing in it comes from outside)

# Whose wish it is amends what was sent back. Where none of them is here any more, or it is another team's now, and
# Countersign does not redraft it either, whoever may decide sees to it.
_SENT_BACK: Final = f"""
    p.status = 'changes_requested' AND (
        %(user)s IN (p.author_id, p.requested_by_id)
        OR p.author_key_id IN (SELECT id FROM own_key)
        OR {_UNBARRED} AND p.id NOT IN (SELECT id FROM taken)
        AND p.id NOT IN (SELECT proposal_id FROM proposals_redraft WHERE done_at IS NULL)
        AND (p.author_id IN (SELECT id FROM active) AND {_REACHES.format(who="p.author_id")}) IS NOT TRUE
        AND (p.requested_by_id IN (SELECT id FROM active) AND {_REACHES.format(who="p.requested_by_id")}) IS NOT TRUE
        AND (p.author_key_id IN (
            SELECT k.id FROM agents_apikey k JOIN active ON active.id = k.owner_id
            WHERE {_REACHES.format(who="k.owner_id")})) IS NOT TRUE)
"""  # noqa: S608 (nothing in it comes from outside)

# What nobody can decide before somebody brings it up to date, which all who propose may do.
_STALE: Final = """
    p.status = 'pending' AND %(proposes)s
    AND p.base_version_id NOT IN (SELECT current_id FROM agents_document WHERE current_id IS NOT NULL)
"""

_WAITING: Final = f"""
    WITH {_OWN}, active AS (
        SELECT id FROM people_user WHERE is_active
    ), mine AS (
        SELECT proposal_id FROM proposals_assignment
        WHERE user_id = %(user)s OR group_id IN (SELECT group_id FROM people_user_groups WHERE user_id = %(user)s)
        OR team_id IN (SELECT team_id FROM people_team_members WHERE user_id = %(user)s)
    ), decider AS (
        SELECT DISTINCT u.id FROM people_user u JOIN people_user_groups m ON m.user_id = u.id
        JOIN auth_group g ON g.id = m.group_id WHERE u.is_active AND g.name = ANY (%(roles)s)
    ), everybodys AS MATERIALIZED (
        SELECT d.id FROM agents_document d JOIN agents_agent g ON g.id = d.agent_id WHERE g.team_id IS NULL
    ), everywhere AS (
        SELECT m.user_id AS id FROM people_user_groups m JOIN auth_group g ON g.id = m.group_id
        WHERE g.name = ANY (%(everywhere)s)
    ), taken AS (
        SELECT p.id FROM proposals_proposal p
        WHERE p.status = ANY (%(open)s) AND p.id NOT IN (SELECT proposal_id FROM mine)
        AND p.id IN (SELECT proposal_id FROM proposals_assignment) AND EXISTS (
            SELECT FROM proposals_assignment a LEFT JOIN people_user_groups m ON m.group_id = a.group_id
            LEFT JOIN people_team_members t ON t.team_id = a.team_id
            JOIN decider ON decider.id = COALESCE(a.user_id, m.user_id, t.user_id)
            WHERE a.proposal_id = p.id AND (%(alone)s OR ({_CONFLICT.format(who="decider.id")}) IS NOT TRUE)
            AND {_REACHES.format(who="decider.id")}
            AND ({_OWNERS_TURN.format(who="decider.id")}) AND NOT EXISTS (
                SELECT FROM proposals_decision d
                WHERE d.revision_id = p.revision_id AND d.actor_id = decider.id AND d.verdict = 'approve'))
    )
    SELECT COALESCE(array_agg(p.id), '{{}}') FROM proposals_proposal p
    WHERE p.status = ANY (%(open)s) AND {{mine}} AND (
        {_SENT_BACK}
        OR ({_DECIDABLE} AND ({_OWNERS_TURN.format(who="%(user)s")}) OR {_STALE})
        AND p.id NOT IN (SELECT id FROM taken))
"""  # noqa: S608 (nothing in it comes from outside)

_MAY_DECIDE: Final = f"""
    WITH {_OWN} SELECT COALESCE(array_agg(p.id), '{{}}') FROM proposals_proposal p WHERE {{mine}} AND {_DECIDABLE}
"""  # noqa: S608

_TYPES: Final = {"others": "bigint[]", "user": "bigint"}


def waiting_for(user: User) -> list[int]:
    """Keys of the proposals whose next step is this person's: to decide, to rework what was sent back, or to bring what
    is stale up to date.

    An assignment takes a proposal off the list of those it does not name, for as long as somebody it names can decide.
    It never puts one on the list of somebody who may not.
    """
    return _ask(_WAITING, user)


def decidable_by(user: User) -> list[int]:
    """Keys of what this person may decide and has not decided on yet, whoever it is assigned to."""
    return _ask(_MAY_DECIDE, user)


def _ask(question: str, user: User) -> list[int]:
    others = untouchable(user)
    known: dict[str, Any] = {
        "others": list(others),
        "everywhere": EVERYWHERE,
        "user": user.pk,
        "decides": user.has_perm(DECIDE),
        "proposes": user.has_perm(PROPOSE),
        "alone": settings.COUNTERSIGN_SINGLE_OPERATOR,
        "open": [status.value for status in Proposal.OPEN],
        "decidable": [status.value for status in Proposal.DECIDABLE],
        "live": [state.value for state in Rollout.LIVE],
        "roles": [role.value for role, names in PERMISSIONS.items() if DECIDE in names],
    }
    found: list[int] = statements.ask(_scoped(question, others), _TYPES, known)[0][0]
    return found


def _scoped(question: str, others: Mapping[int, str]) -> str:
    """Without the proposals of other teams' agents; on a board without teams nothing is asked about them."""
    return question.replace("{mine}", f"NOT {_OTHER_TEAMS}" if others else "TRUE")


def assigned_to(user: "int | Given") -> Q:
    """Proposals that name the person with this key, or a role or team of theirs; for `filter`."""
    by_name = Assignment.objects.filter(user=user).order_by().values("proposal")
    by_role = Assignment.objects.filter(group__user=user).order_by().values("proposal")
    by_team = Assignment.objects.filter(team__members=user).order_by().values("proposal")
    return Q(pk__in=by_name) | Q(pk__in=by_role) | Q(pk__in=by_team)


_COUNTS: Final = """
    SELECT (SELECT count(*) FROM proposals_proposal p WHERE {mine}), count(*),
           count(*) FILTER (WHERE status = %(effect)s)
    FROM proposals_proposal p WHERE status = ANY (%(open)s) AND {mine}
"""


def counts(user: User) -> dict[str, int]:
    """How many proposals each view holds whosever turn it is: keys open, effect, decided, all.

    The decided are those that are not open: counting them by themselves takes longer than counting all.
    """
    others = unseen(user)
    opened_in = [status.value for status in Proposal.OPEN]
    known: dict[str, Any] = {"effect": Status.IN_EFFECT.value, "open": opened_in, "others": list(others)}
    with connection.cursor() as cursor:
        cursor.execute(_scoped(_COUNTS, others), known)
        everything, opened, in_effect = cursor.fetchone()
    return {"open": opened, "effect": in_effect, "decided": everything - opened, "all": everything}
