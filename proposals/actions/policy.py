"""Change how many approvals are needed."""

from django.db import IntegrityError, transaction

from agents.models import Agent, Document
from audit.record import Actor, record
from people.models import User
from proposals.authority.policies import built_in
from proposals.exceptions import Invalid, NotAllowed
from proposals.models import Policy, Proposal
from proposals.rules.terms import MOST, Quorum


@transaction.atomic
def set_policy(
    *,
    user: User,
    agent: Agent | None,
    kind: str,
    covers: str,
    approvals: int,
    owner_approvals: int,
    opens_evidence: bool = False,
) -> Policy:
    """Make the rule for exactly this scope say this. What is open keeps the stricter of its terms and these.

    Raises NotAllowed, Invalid.
    """
    _require_manager(user)
    _refuse_bad(kind, covers, approvals, owner_approvals)
    if opens_evidence and covers not in (Policy.Covers.MEDIUM, Policy.Covers.HIGH):
        raise Invalid("opens_evidence", "Only changes of medium or high risk can ask for that; cover one of these.")
    found = Policy.objects.select_for_update(of=("self",)).filter(agent=agent, kind=kind, covers=covers).first()
    policy = found or Policy(agent=agent, kind=kind, covers=covers)
    before = _facts(policy) if found else _built_in(policy)
    policy.approvals, policy.owner_approvals, policy.opens_evidence = approvals, owner_approvals, opens_evidence
    if before != _facts(policy) or not found:
        _save(policy)
        _record("policy.set", policy, user, before, _facts(policy))
    return policy


@transaction.atomic
def remove_policy(policy_id: int, *, user: User) -> Policy | None:
    """Take a rule back; None if it is gone. Without the general one its built-in terms apply. Raises NotAllowed."""
    _require_manager(user)
    policy = Policy.objects.select_for_update(of=("self",)).select_related("agent").filter(pk=policy_id).first()
    if policy:
        _record("policy.removed", policy, user, _facts(policy), _built_in(policy))
        policy.delete()
    return policy


def _save(policy: Policy) -> None:
    # Where only an owner was missing, more may be asked from now on.
    Proposal.objects.exclude(waits_for_owners_of=[]).update(waits_for_owners_of=[])
    try:
        with transaction.atomic():
            policy.save()
    except IntegrityError:
        raise Invalid("", "Somebody made a rule for the same at this moment. Look at it, and save again.") from None


def _require_manager(user: User) -> None:
    if not user.has_perm("proposals.manage_policy"):
        raise NotAllowed("Changing the policy needs the role admin.")


def _refuse_bad(kind: str, covers: str, approvals: int, owner_approvals: int) -> None:
    if covers not in Policy.Covers.values:
        raise Invalid("covers", "Choose which changes it covers.")
    if kind and kind not in Document.Kind.values:
        raise Invalid("kind", "There is no such kind of document.")
    if not 1 <= approvals <= MOST:
        raise Invalid("approvals", f"Ask for 1 to {MOST} approvals.")
    if covers not in (Policy.Covers.PROTECTED, Policy.Covers.HIGH) and owner_approvals:
        raise Invalid(
            "owner_approvals",
            "Only protected sections have owners. Cover changes of protected sections, or of high risk.",
        )
    if not 0 <= owner_approvals <= approvals:
        raise Invalid("owner_approvals", f"At most all of them can come from owners: 0 to {approvals}.")


def _facts(policy: Policy) -> dict[str, object]:
    return _asked(policy.quorum)


def _built_in(policy: Policy) -> dict[str, object] | None:
    return _asked(built_in(policy.covers)) if policy.is_general else None


def _asked(quorum: Quorum) -> dict[str, object]:
    opened = {"opens_evidence": True} if quorum.opened else {}
    return {"approvals": quorum.approvals, "owner_approvals": quorum.owners, **opened}


def _record(
    verb: str, policy: Policy, user: User, before: dict[str, object] | None, after: dict[str, object] | None
) -> None:
    agent = policy.agent.slug if policy.agent else ""
    record(verb, actor=Actor.person(user), target=policy, agent=agent, before=before, after=after)
