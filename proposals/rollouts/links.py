"""Addresses of rollouts, one of them for whoever has it."""

from datetime import timedelta
from typing import Final

from django.core import signing
from django.urls import reverse

LINK_LIVES: Final = timedelta(days=7)
_SIGNER: Final = signing.TimestampSigner(salt="proposals.rollout.gate")


def queue_path() -> str:
    return reverse("queue")


def rollout_path(rollout_id: int) -> str:
    return reverse("rollout", args=[rollout_id])


def gate_path(rollout_id: int) -> str:
    """The path of a page that tells whoever has it how a rollout does, for LINK_LIVES; acting takes signing in."""
    return reverse("gate", args=[_SIGNER.sign(str(rollout_id))])


def from_link(token: str) -> int | None:
    """The rollout a signed link is for; None if it is not ours, or too old."""
    try:
        return int(_SIGNER.unsign(token, max_age=LINK_LIVES))
    except (signing.BadSignature, ValueError):
        return None
