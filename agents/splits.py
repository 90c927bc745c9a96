"""Serve a candidate to a share of the units beside the current version, and end that. Whoever calls writes the log."""

import secrets
from datetime import datetime

from django.db import IntegrityError, transaction

from agents.exceptions import RolloutRuns, SplitEnded
from agents.models import Document, Split, Version


def begin(document: Document, candidate: Version, *, share: int, at: datetime) -> Split:
    """Serve the candidate to `share` percent of the units from now on. Raises RolloutRuns if another one is served so.

    Once its transaction commits, at the next reading of the instructions.
    """
    try:
        with transaction.atomic():
            return Split.objects.create(
                document=document, candidate=candidate, share=share, salt=secrets.token_hex(16), started_at=at
            )
    except IntegrityError:
        live = Split.objects.live().select_related("candidate").filter(document=document).first()
        if live is None:  # some other constraint
            raise
        raise RolloutRuns(f"A rollout of {live.candidate} is running.", rollout=live.pk) from None


def set_share(split: Split, share: int) -> None:
    """Give the candidate another share, in percent. A unit that had it keeps it as long as the share does not shrink.

    Raises SplitEnded if it ended or changed since it was read.
    """
    _update(split, share=share)


def end(split: Split, *, at: datetime) -> None:
    """Serve the candidate to nobody any more. Raises SplitEnded if it ended or changed since it was read."""
    _update(split, ended_at=at)


def _update(split: Split, **changes: object) -> None:
    if Split.objects.live().filter(pk=split.pk, share=split.share).update(**changes) != 1:
        raise SplitEnded("This rollout ended or changed meanwhile.")
    for name, value in changes.items():
        setattr(split, name, value)
