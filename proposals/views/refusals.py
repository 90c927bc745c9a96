"""From the refusals of the domain to the answers of HTTP, in one place."""

from proposals.exceptions import Invalid, NotAllowed, ReviewError
from proposals.forms.proposals import TypedForm


def status_of(refusal: ReviewError) -> int:
    """403 for those who may not, 422 for a bad field, 409 for what changed meanwhile."""
    if isinstance(refusal, NotAllowed):
        return 403
    return 422 if isinstance(refusal, Invalid) else 409


def show_in(form: TypedForm, refusal: ReviewError) -> int:
    """Put the refusal into the form it answers; returns the status of the answer."""
    form.refuse(refusal.field if isinstance(refusal, Invalid) else "", str(refusal))
    return status_of(refusal)
