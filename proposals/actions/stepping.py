"""What changed between two revisions: compared once for the two, not each time somebody looks."""

from collections.abc import Sequence

from proposals.diffs import Diff, compute
from proposals.models import Revision, Step


def step(before: Revision, after: Revision, protected: Sequence[str]) -> Diff:
    """The difference of two revisions of one proposal, with the lines of these sections marked; compared here where
    nobody has done it yet.
    """
    known = Step.objects.filter(before=before, after=after, protected=sorted(protected)).first()
    return Diff.from_json(known.diff) if known else _compared(before, after, protected)


def _compared(before: Revision, after: Revision, protected: Sequence[str]) -> Diff:
    """Two who compare at once write the same. What led to an earlier revision is let go: few ask for it again."""
    made = compute(before.text, after.text, protected)
    Step.objects.filter(after__proposal=after.proposal_id, after__number__lt=after.number).delete()
    Step.objects.bulk_create(
        [Step(before=before, after=after, protected=sorted(protected), diff=made.to_json())],
        update_conflicts=True,
        unique_fields=["before", "after"],
        update_fields=["protected", "diff"],
    )
    return made
