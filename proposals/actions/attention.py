"""What a person keeps for themselves: what they have looked at, and the filters they use. Neither changes the board,
so neither is on the log."""

from collections.abc import Sequence

from django.db import IntegrityError, transaction
from django.utils import timezone

from agents.exceptions import BadName
from agents.names import clean_name
from people.models import User
from proposals.exceptions import Invalid
from proposals.models import Proposal, ProposalSeen, SavedFilter

MOST_FILTERS = 30
LONGEST_NAME = 40


def look(proposals: Sequence[Proposal], *, user: User) -> dict[int, ProposalSeen]:
    """Note that this person opened the newest revisions; returns the marks they left the last time, by proposal."""
    before = ProposalSeen.objects.filter(user=user, proposal__in=proposals).select_related("revision")
    before = before.defer("revision__text", "revision__diff")
    last = {one.proposal_id: one for one in before}
    now = timezone.now()
    marks = [ProposalSeen(user=user, proposal=p, revision_id=p.revision_id, at=now) for p in proposals if p.revision_id]
    # One statement in a fixed order, so that two tabs opened at once both succeed.
    ProposalSeen.objects.bulk_create(
        sorted(marks, key=lambda mark: mark.proposal_id),
        update_conflicts=True,
        unique_fields=["user", "proposal"],
        update_fields=["revision", "at"],
    )
    return last


@transaction.atomic
def save_filter(*, user: User, name: str, query: str) -> SavedFilter:
    """Keep a view of the queue under a name; the same name again means the new view. Raises Invalid("name")."""
    name = _clean(name)
    User.objects.select_for_update(no_key=True).get(pk=user.pk)  # so that two tabs count the same filters
    others = user.saved_filters.exclude(name=name)
    if others.count() >= MOST_FILTERS:
        raise Invalid("name", f"You keep {MOST_FILTERS} filters already; delete one first.")
    kept, _made = SavedFilter.objects.update_or_create(user=user, name=name, defaults={"query": query})
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
