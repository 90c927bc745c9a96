"""What proposals and rollouts hold of an end user whose reports are erased."""

from feedback.actions.erasure import Gone
from proposals.models import JudgedUnit, Trial


def erase(gone: Gone) -> None:
    """Empty the outputs handed in for their cases, and forget how often the judge heard of them."""
    Trial.objects.filter(feedback__in=gone.feedback).update(output="", marks={})
    JudgedUnit.objects.filter(unit_hash=gone.subject).delete()
