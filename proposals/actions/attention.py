"""What a person keeps for themselves: what they have looked at, and the filters they use. Neither changes the board,
so neither is on the log."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from django.db import IntegrityError, transaction
from django.utils import timezone

from agents import statements
from agents.exceptions import BadName
from agents.names import clean_name
from people.models import User
from proposals.exceptions import Invalid
from proposals.models import Proposal, SavedFilter

MOST_FILTERS = 30
LONGEST_NAME = 40


class Looked(NamedTuple):
    """The revision that somebody saw when they last opened a proposal."""

    revision_id: int
    number: int


# In a fixed order, so that two tabs opened at once both succeed.
_LOOK: Final = """
    WITH last AS (
        SELECT s.proposal_id, s.revision_id, r.number
        FROM proposals_proposalseen s JOIN proposals_revision r ON r.id = s.revision_id
        WHERE s.user_id = %(user)s AND s.proposal_id = ANY (%(proposals)s)
    ), marked AS (
        INSERT INTO proposals_proposalseen (user_id, proposal_id, revision_id, at)
        SELECT %(user)s, opened.proposal, opened.revision, %(now)s
        FROM unnest(%(proposals)s, %(revisions)s) AS opened (proposal, revision)
        ORDER BY opened.proposal
        ON CONFLICT (user_id, proposal_id) DO UPDATE SET revision_id = excluded.revision_id, at = excluded.at
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
