"""Take in what the agent answered to past inputs under a proposed text. A tool outside ran it; nothing runs here."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.db import transaction
from django.db.models import QuerySet

from agents.models import ApiKey
from audit.record import Actor
from feedback.ingest.rows import mask
from feedback.models import Feedback
from proposals import diffs
from proposals.actions.locking import lock
from proposals.actions.proposals import record_on
from proposals.exceptions import Duplicate, Invalid, NotPending
from proposals.models import Proposal, Revision, Trial

MOST_AT_ONCE = 50
MOST_PER_REVISION = 500


@dataclass(frozen=True, slots=True)
class NewOutput:
    """One case with what the agent says now. `model` is whatever names it to people, or empty."""

    feedback: Feedback
    output: str
    model: str = ""


def cases_of(proposal: Proposal) -> "QuerySet[Feedback]":
    """The reports behind a proposal that can be tried again: they have the input, and count. Newest first."""
    counted = proposal.evidence.counted().filter(feedback__isnull=False)
    return Feedback.objects.filter(pk__in=counted.values("feedback")).exclude(input="").order_by("-at", "-pk")


@transaction.atomic
def hand_in(proposal_id: int, *, key: ApiKey, digest: str, outputs: Sequence[NewOutput]) -> int:
    """Keep new outputs under the revision with this digest, which may be older than the newest; how many were new.

    The same again changes nothing. Raises NotPending, Invalid (field revision or outputs), and Duplicate, with nothing
    kept, where another output for the same case and model is there.
    """
    outputs = [replace(one, output=_masked(one.output)) for one in outputs]
    proposal = lock(proposal_id, by=None)
    if not proposal.is_open:
        raise NotPending(f"This proposal is {proposal.get_status_display().lower()}; it takes no outputs any more.")
    revision = proposal.revisions.defer("text", "diff").filter(digest=digest).last()
    if revision is None:
        raise Invalid("revision", "No revision of this proposal has this digest.")
    new = _new(revision, outputs)
    if revision.trials.count() + len(new) > MOST_PER_REVISION:
        raise Invalid("outputs", f"A revision takes at most {MOST_PER_REVISION} outputs.")
    Trial.objects.bulk_create(
        Trial(
            revision=revision,
            feedback=one.feedback,
            model=one.model,
            output=one.output,
            marks=diffs.compute(_ended(one.feedback.output), _ended(one.output)).to_json(),
            key=key,
        )
        for one in new
    )
    if new:
        _record(proposal, revision, key, len(new))
    return len(new)


def _masked(text: str) -> str:
    """Without what the setting takes out of reports: an answer repeats what the end user said."""
    taken = mask()
    return taken.text(text, Counter()) if taken else text


def _ended(text: str) -> str:
    """With a line break at the end, which no answer of an agent is compared by."""
    return text if not text or text.endswith("\n") else f"{text}\n"


def _new(revision: Revision, outputs: Sequence[NewOutput]) -> list[NewOutput]:
    """Those that are not there yet, each once. Raises Duplicate."""
    there = {(row.feedback_id, row.model): row.output for row in revision.trials.defer("marks")}
    new: dict[tuple[int, str], NewOutput] = {}
    for one in outputs:
        place = (one.feedback.pk, one.model)
        known = new[place].output if place in new else there.get(place)
        if known is None:
            new[place] = one
        elif known != one.output:
            raise Duplicate(
                f"Another output for feedback {one.feedback.external_id} of the same model is there for revision "
                f"{revision.number}. Outputs are not replaced; name the model otherwise. Nothing was kept."
            )
    return list(new.values())


def _record(proposal: Proposal, revision: Revision, key: ApiKey, count: int) -> None:
    facts = {"revision": revision.number, "digest": revision.digest, "outputs": count}
    record_on(proposal, "proposal.outputs_handed_in", Actor.key(key.prefix, key.label), after=facts)
