"""What a rollback not long ago means for what happens by itself, for people to read before the next change."""

from datetime import timedelta

from django.utils import timezone

from agents.models import Document, Version


def resting(document: Document) -> str:
    """Why drafts of this document wait, while they rest after a rollback; empty otherwise. No query.

    Nobody is held up by it; see `proposals.actions.timing` and `proposals.actions.self_starts`.
    """
    current = document.current
    if current is None or current.origin != Version.Origin.ROLLBACK:
        return ""
    until = current.created_at + timedelta(hours=document.agent.profile.numbers.cooldown_h)
    if until <= timezone.now():
        return ""
    return (
        f"Version {current.number} is a rollback by {current.created_by}. Until {until:%-d %B, %H:%M} UTC what is "
        "drafted by itself takes reports since then. You are not held up; see why it was rolled back first."
    )
