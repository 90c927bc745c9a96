"""Keep the threads of a proposal at the lines they are about, whatever becomes of the text."""

from proposals.diffs.anchors import Follower, Place
from proposals.models import Proposal, Revision, Thread


def reanchor(proposal: Proposal, revision: Revision) -> None:
    """Move every thread from the proposal's newest revision to its place in `revision`, which follows it.

    Those whose lines are gone lose their place. The caller holds the transaction, and the lock on the proposal.
    """
    before = proposal.revision
    threads = list(proposal.threads.all()) if before else []
    if before is None or not threads:
        return
    texts = {
        Thread.Side.NEW: Follower(before.text, revision.text),
        Thread.Side.OLD: Follower(before.base_version.text, revision.base_version.text),
    }
    for thread in threads:
        put(thread, texts[Thread.Side(thread.side)].follow(place_of(thread), thread.quote))
    Thread.objects.bulk_update(threads, ["place", "end_place"])


def place_of(thread: Thread) -> Place | None:
    """Where it stands in the newest revision; None for an orphan."""
    return Place(thread.place, thread.end_place) if thread.place and thread.end_place else None


def put(thread: Thread, place: Place | None) -> None:
    """Set the place, without saving it."""
    thread.place, thread.end_place = (place.start, place.end) if place else (None, None)
