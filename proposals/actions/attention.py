"""What a person keeps for themselves: what they have looked at, and the filters they use. Neither changes the board,
so neither is on the log."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from django.db import IntegrityError, transaction
from django.db.models import OuterRef, Subquery
from django.utils import timezone

from agents import statements
from agents.exceptions import BadName
from agents.names import clean_name
from people.models import User
from proposals.exceptions import Invalid
from proposals.models import EvidenceOpened, Proposal, ProposalSeen, Revision, SavedFilter

MOST_FILTERS = 30
LONGEST_NAME = 40


class Looked(NamedTuple):
    """The revision that somebody saw when they last opened a proposal, and when they first opened its evidence."""

    revision_id: int | None
    number: int | None
    evidence_opened_at: datetime | None


# In a fixed order, so that two tabs opened at once both succeed.
_LOOK: Final = """
    WITH last AS (
        SELECT opened.proposal, s.revision_id, r.number, e.at
        FROM unnest(%(proposals)s) AS opened (proposal)
        LEFT JOIN proposals_proposalseen s ON s.proposal_id = opened.proposal AND s.user_id = %(user)s
        LEFT JOIN proposals_revision r ON r.id = s.revision_id
        LEFT JOIN proposals_evidenceopened e ON e.proposal_id = opened.proposal AND e.user_id = %(user)s
    ), marked AS (
        INSERT INTO proposals_proposalseen AS s (user_id, proposal_id, revision_id, at, first_at)
        SELECT %(user)s, opened.proposal, opened.revision, %(now)s, %(now)s
        FROM unnest(%(proposals)s, %(revisions)s) AS opened (proposal, revision)
        ORDER BY opened.proposal
        ON CONFLICT (user_id, proposal_id) DO UPDATE SET revision_id = excluded.revision_id, at = excluded.at,
            first_at = CASE WHEN s.revision_id = excluded.revision_id THEN s.first_at ELSE excluded.first_at END
    )
    SELECT * FROM last
"""
_TYPES: Final = {"user": "bigint", "proposals": "bigint[]", "revisions": "bigint[]", "now": "timestamptz"}


def look(proposals: Sequence[Proposal], *, user: User) -> dict[int, Looked]:
    """Note that this person opened the newest revisions; returns what they saw the last time, by proposal."""
    newest = {one.pk: one.revision_id for one in proposals if one.revision_id}
    keys, revisions = list(newest), list(newest.values())
    known = {"user": user.pk, "proposals": keys, "revisions": revisions, "now": timezone.now()}
    return {proposal: Looked(*seen) for proposal, *seen in statements.ask(_LOOK, _TYPES, known)}


# Written once, and only for who decides: opening it again changes nothing.
_OPENED: Final = """
    INSERT INTO proposals_evidenceopened (user_id, proposal_id, at)
    SELECT %(user)s, id, %(now)s FROM proposals_proposal
    WHERE (id = %(proposal)s OR pattern_id = %(pattern)s AND status = ANY (%(open)s)) AND evidence_items > 0
    ORDER BY id
    ON CONFLICT (user_id, proposal_id) DO NOTHING RETURNING proposal_id
"""
_OPENED_TYPES: Final = {
    "user": "bigint", "proposal": "bigint", "pattern": "bigint", "open": "varchar[]", "now": "timestamptz"
}  # fmt: skip


def open_evidence(*, user: User, proposal: int | None = None, pattern: int | None = None) -> None:
    """Note that this person was shown the reports behind a proposal, or behind all open ones of a pattern."""
    if not user.has_perm("proposals.decide_proposal"):
        return
    still = [status.value for status in Proposal.OPEN]
    known = {"user": user.pk, "proposal": proposal, "pattern": pattern, "open": still, "now": timezone.now()}
    statements.ask(_OPENED, _OPENED_TYPES, known)


class Attention(NamedTuple):
    """When somebody first opened the revision that is up for decision, and the evidence; None: never."""

    seen_at: datetime | None
    evidence_opened_at: datetime | None


def attention_of(user: User, revision: Revision) -> Attention:
    """What this person had before them. One query."""
    seen = ProposalSeen.objects.filter(user=user, proposal=OuterRef("proposal"), revision=OuterRef("pk"))
    opened = EvidenceOpened.objects.filter(user=user, proposal=OuterRef("proposal"))
    known = Revision.objects.filter(pk=revision.pk).annotate(
        seen=Subquery(seen.values("first_at")), opened=Subquery(opened.values("at"))
    )
    return Attention(*known.values_list("seen", "opened").get())


@transaction.atomic
def save_filter(
    *, user: User, name: str, query: str, place: SavedFilter.Place = SavedFilter.Place.QUEUE
) -> SavedFilter:
    """Keep a view of queue or log under a name; the same name again means the new view. Raises Invalid("name")."""
    name = _clean(name)
    User.objects.select_for_update(no_key=True).get(pk=user.pk)  # so that two tabs count the same filters
    others = user.saved_filters.exclude(name=name, place=place)
    if others.count() >= MOST_FILTERS:
        raise Invalid("name", f"You keep {MOST_FILTERS} filters already; delete one first.")
    kept, _made = SavedFilter.objects.update_or_create(user=user, place=place, name=name, defaults={"query": query})
    return kept


def rename_filter(pk: int, *, user: User, name: str) -> None:
    """Give one's own filter another name. Raises Invalid("name"); nothing happens to a filter that is gone."""
    name = _clean(name)
    try:
        with transaction.atomic():
            user.saved_filters.filter(pk=pk).update(name=name)
    except IntegrityError:
        raise Invalid("name", f"You have a filter named “{name}” already.") from None


def delete_filter(pk: int, *, user: User) -> None:
    """Keep one's own filter no longer."""
    user.saved_filters.filter(pk=pk).delete()


def _clean(name: str) -> str:
    try:
        name = clean_name(name)
    except BadName as bad:
        raise Invalid("name", str(bad)) from None
    if not name:
        raise Invalid("name", "Give the filter a name.")
    if len(name) > LONGEST_NAME:
        raise Invalid("name", f"The name has {len(name)} characters; at most {LONGEST_NAME} are allowed.")
    return name
