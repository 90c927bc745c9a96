"""What is known of the soundness of the log, as its page says it."""

from dataclasses import dataclass

from audit import signing
from audit.models import ChainHead, Checkpoint, Verification


@dataclass(frozen=True, slots=True)
class State:
    """The last walk along the log and the newest checkpoint, if there are any; how many entries came since each; and
    why no checkpoint can be made, if so.
    """

    verification: Verification | None
    checkpoint: Checkpoint | None
    not_verified: int
    not_covered: int
    trouble: str


def state(head: ChainHead | None) -> State:
    """Three queries at most."""
    size = head.sequence if head else 0
    verification = Verification.objects.order_by("-pk").first()
    checkpoint = Checkpoint.objects.defer("leaves").order_by("-size").first()
    return State(
        verification,
        checkpoint,
        max(0, size - (verification.entries if verification else 0)),
        max(0, size - (checkpoint.size if checkpoint else 0)),
        signing.trouble(),
    )
