"""What changed between two revisions: compared once for the two, not each time somebody looks."""

from collections.abc import Sequence
from typing import Final

from django.db.models import F, Q

from proposals.diffs import Diff, compute
from proposals.models import Revision, Step

MOST: Final = 20
"""Of one proposal, so many differences of revisions that do not follow one another are kept, the newest of them."""


def step(before: Revision, after: Revision, protected: Sequence[str]) -> Diff:
    """The difference of two revisions of one proposal, with the lines of these sections marked; compared here where
    nobody has done it yet.
    """
    known = Step.objects.filter(before=before, after=after, protected=sorted(protected)).first()
    return Diff.from_json(known.diff) if known else keep_step(before, after, protected)


def keep_step(before: Revision, after: Revision, protected: Sequence[str]) -> Diff:
    """Compare them, and keep the difference: for good where one follows the other.

    Two who do so at once write the same.
    """
    made = compute(before.text, after.text, protected)
    Step.objects.bulk_create(
        [Step(before=before, after=after, protected=sorted(protected), diff=made.to_json())],
        update_conflicts=True,
        unique_fields=["before", "after"],
        update_fields=["protected", "diff"],
    )
    if after.number != before.number + 1:
        others = Step.objects.filter(~Q(after__number=F("before__number") + 1), after__proposal=after.proposal_id)
        Step.objects.filter(pk__in=list(others.order_by("-pk").values_list("pk", flat=True)[MOST:])).delete()
    return made
