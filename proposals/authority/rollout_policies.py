"""Who may do what with a rollout, each answered with a reason."""

from collections.abc import Collection
from typing import Final

from django.conf import settings
from django.db.models import Q

from agents.compiled import Compiled, keys
from agents.models import Document
from people.models import User
from proposals.authority.policies import Leave, conflict_of_interest
from proposals.models import Proposal, RolloutPlan
from proposals.rules.plans import BUILT_IN, Plan

_PLANS: Final = Compiled(
    lambda: RolloutPlan.objects.filter(Q(**{"document__pk__any_of": keys("documents")}) | Q(document=None))
)


def plan_for(document: Document) -> Plan:
    """The plan in force for a document: its own, else the general one, else the built-in. One query."""
    return plans_for([document.pk])[document.pk]


def plans_for(documents: Collection[int]) -> dict[int, Plan]:
    """The plan in force for each of these documents, by key. One query."""
    found = {one.document_id: Plan.from_json(one.plan) for one in _PLANS.ask(documents=list(documents))}
    return {document: found.get(document) or found.get(None, BUILT_IN) for document in documents}


def may_promote(user: User, proposal: Proposal) -> Leave:
    """Whether this person may pass the gate: somebody with the right, and not whose own change it is."""
    if not user.has_perm("proposals.promote_rollout"):
        return Leave(False, "Promoting needs the role reviewer, operator or admin.")
    if proposal.status == Proposal.Status.IN_EFFECT:
        return Leave(False, f"It started by itself, and nobody confirmed it yet: approve proposal {proposal.pk} first.")
    conflict = conflict_of_interest(user, proposal)
    if not conflict:
        return Leave(True, "")
    if settings.COUNTERSIGN_SINGLE_OPERATOR:
        return Leave(True, f"{conflict} You may promote it all the same: four eyes are off on this board.", True)
    return Leave(False, f"{conflict} Somebody else has to promote it.")


def may_end(user: User) -> Leave:
    """Whether this person may take a candidate away from everybody."""
    allowed = user.has_perm("proposals.roll_back")
    return Leave(allowed, "" if allowed else "Stopping a rollout needs the role reviewer, operator or admin.")


def may_set_share(user: User) -> Leave:
    """Whether this person may change how many get the candidate."""
    allowed = user.has_perm("proposals.set_share")
    return Leave(allowed, "" if allowed else "Setting the share needs the role operator or admin.")
