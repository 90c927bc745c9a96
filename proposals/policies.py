"""Who may do what, and how many must agree: the rules, in one place, each answered with a reason."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings
from django.db.models import Count

from agents.models import Section
from agents.sections import protected_changed
from people.models import User
from proposals.exceptions import NotAllowed
from proposals.models import Decision, Proposal, Revision

DOMINANT_SHARE = 0.4


@dataclass(frozen=True, slots=True)
class Leave:
    """Whether somebody may decide, in a sentence; `alone` when only the single-operator setting allows it."""

    allowed: bool
    why: str
    alone: bool = False


def may_decide(user: User, proposal: Proposal) -> Leave:
    """Whether this person may approve or reject the proposal's newest revision."""
    if not user.has_perm("proposals.decide_proposal"):
        return Leave(False, "Deciding needs the role reviewer or admin.")
    conflict = conflict_of_interest(user, proposal)
    if not conflict:
        return Leave(True, "You may decide: you neither wrote, edited nor asked for this text.")
    if settings.COUNTERSIGN_SINGLE_OPERATOR:
        return Leave(True, f"{conflict} You may decide all the same, because this board has a single operator.", True)
    return Leave(False, f"{conflict} Somebody else has to decide.")


def require_may_decide(user: User, proposal: Proposal) -> Leave:
    """Raises NotAllowed with the reason."""
    leave = may_decide(user, proposal)
    if not leave.allowed:
        raise NotAllowed(leave.why)
    return leave


def conflict_of_interest(user: User, proposal: Proposal) -> str:
    """Why four eyes would not be four if this person decided; empty when they would."""
    own = [r.number for r in proposal.revisions.all() if user.pk in (r.author_id, _owner(r))]
    if own:
        return f"You wrote revision {own[-1]}."
    if user.pk in (proposal.author_id, proposal.author_key.owner_id if proposal.author_key else None):
        return "You proposed this change."
    if user.pk == proposal.requested_by_id:
        return "You asked for this draft."
    if user.pk in dominant_key_owners(proposal):
        return "Your API keys reported most of the evidence."
    return ""


def _owner(revision: Revision) -> int | None:
    return revision.author_key.owner_id if revision.author_key else None


def dominant_key_owners(proposal: Proposal) -> set[int]:
    """People whose keys reported more than DOMINANT_SHARE of the evidence."""
    counts: dict[int | None, int] = {}
    for path in ("feedback__key__owner", "run__key__owner"):
        report = path.split("__")[0]
        rows = proposal.evidence.filter(**{f"{report}__isnull": False}).values_list(path).annotate(Count("pk"))
        for owner, count in rows:
            counts[owner] = counts.get(owner, 0) + count
    total = sum(counts.values())
    return {owner for owner, count in counts.items() if owner is not None and count > DOMINANT_SHARE * total}


@dataclass(frozen=True, slots=True)
class Need:
    """How many approvals a revision needs, whether one must be a section owner's, and why."""

    approvals: int
    owners: frozenset[int]
    why: str


def approvals_needed(proposal: Proposal, revision: Revision) -> Need:
    """One approval; two, one of them a section owner's, when a protected section changes."""
    touched = touched_protected(revision, proposal.document.sections.all())
    if not touched or proposal.status == Proposal.Status.IN_EFFECT:
        return Need(1, frozenset(), "One approval is needed.")
    owners = frozenset(owner.pk for section in touched for owner in section.owners.all())
    names = ", ".join(section.heading for section in touched)
    return Need(2, owners, f"Two approvals are needed, one by an owner of {names}: it is protected.")


def touched_protected(revision: Revision, sections: Iterable[Section]) -> list[Section]:
    """The protected sections this revision changes."""
    protected = {section.heading: section for section in sections if section.is_protected}
    names = protected_changed(revision.base_version.text, revision.text, protected)
    return [protected[name] for name in names]


def missing(need: Need, approvals: Iterable[Decision], *, alone: bool) -> str:
    """What is still missing after these approvals, in a sentence; empty when nothing is.

    Under the single-operator setting one person's approval stands for all.
    """
    actors = {decision.actor_id for decision in approvals}
    if alone and actors:
        return ""
    if len(actors) < need.approvals:
        return f"{need.approvals - len(actors)} more approval needed."
    if need.approvals > 1 and not actors & need.owners:
        return "An owner of the protected section has still to approve."
    return ""
