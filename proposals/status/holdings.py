"""What few proposals have, and which of it this one has: one question instead of ten that mostly find nothing."""

from dataclasses import dataclass, fields
from typing import Final

from agents import statements
from proposals.models import Proposal, Rollout


@dataclass(frozen=True, slots=True)
class Holdings:
    """Whether there is any of each, on any revision of the proposal; `counter_examples` on its newest.

    `rejected` are earlier drafts for the same document. `rollout` is its own, `rolling` one that runs for its document,
    `outcome` what came of it; `drifts` is about its document. `rivals` is how many others its pattern has open,
    `last` the number of its document's newest version.
    """

    threads: bool
    assignments: bool
    decisions: bool
    trials: bool
    counter_examples: bool
    rejected: bool
    rollout: bool
    rolling: bool
    outcome: bool
    drifts: bool
    rivals: int
    last: int


_OPEN: Final = ", ".join(f"'{status.value}'" for status in Proposal.OPEN)
_LIVE: Final = ", ".join(f"'{state.value}'" for state in Rollout.LIVE)
_ASKED: Final = {
    "threads": "EXISTS (SELECT FROM proposals_thread WHERE proposal_id = p.id)",
    "assignments": "EXISTS (SELECT FROM proposals_assignment WHERE proposal_id = p.id)",
    "decisions": """EXISTS (SELECT FROM proposals_decision d JOIN proposals_revision r ON r.id = d.revision_id
                            WHERE r.proposal_id = p.id)""",
    "trials": """EXISTS (SELECT FROM proposals_trial t JOIN proposals_revision r ON r.id = t.revision_id
                         WHERE r.proposal_id = p.id)""",
    "counter_examples": "EXISTS (SELECT FROM proposals_counterexample WHERE revision_id = p.revision_id)",
    "rejected": """EXISTS (SELECT FROM proposals_proposal e WHERE e.document_id = p.document_id AND e.id < p.id
                           AND e.status = 'rejected' AND e.fingerprint <> '')""",
    "rollout": "EXISTS (SELECT FROM proposals_rollout WHERE proposal_id = p.id)",
    "rolling": f"""EXISTS (SELECT FROM proposals_rollout o JOIN agents_split s ON s.id = o.split_id
                           WHERE o.state IN ({_LIVE}) AND s.document_id = p.document_id)""",
    "outcome": "EXISTS (SELECT FROM proposals_outcome WHERE proposal_id = p.id)",
    "drifts": "EXISTS (SELECT FROM proposals_drift WHERE document_id = p.document_id AND ended_at IS NULL)",
    "rivals": f"""(SELECT count(*) FROM proposals_proposal o WHERE o.pattern_id = p.pattern_id AND o.id <> p.id
                   AND o.status IN ({_OPEN}))""",  # noqa: S608 (nothing in it comes from outside)
    "last": "(SELECT COALESCE(max(number), 0) FROM agents_version WHERE document_id = p.document_id)",
}
_FOUND: Final = ", ".join(_ASKED[one.name] for one in fields(Holdings))
_QUESTION: Final = f"SELECT {_FOUND} FROM proposals_proposal p WHERE id = %(proposal)s"  # noqa: S608 (fixed)


def holdings(proposal: Proposal) -> Holdings:
    """In one query, of an index each."""
    return Holdings(*statements.ask(_QUESTION, {"proposal": "bigint"}, {"proposal": proposal.pk})[0])
