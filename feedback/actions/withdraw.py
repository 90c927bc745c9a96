"""Take feedback back: it stays in history and counts no more."""

from django.db import transaction
from django.utils import timezone

from audit.record import Actor, record
from feedback.actions import counting, rollups
from feedback.models import Feedback


@transaction.atomic
def withdraw_feedback(feedback_pk: int, *, actor: Actor) -> bool:
    """Withdraw one report; True the first time, False when it was withdrawn before. Its patterns lose its support."""
    if not Feedback.objects.filter(pk=feedback_pk, withdrawn_at=None).update(withdrawn_at=timezone.now()):
        return False
    feedback = Feedback.objects.select_related("agent").get(pk=feedback_pk)
    rollups.due(feedback)
    linked = list(feedback.evidence.order_by("pattern"))
    patterns = [evidence.pattern_id for evidence in linked]
    for evidence in linked:
        counting.remove(evidence)
    record(
        "feedback.withdrawn",
        actor=actor,
        target=feedback,
        agent=feedback.agent.slug,
        after={"patterns": patterns},
    )
    return True
