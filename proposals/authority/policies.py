"""Who may do what, and how many must agree: the rules, in one place, each answered with a reason."""

from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass, replace

from django.conf import settings
from django.db.models import Q, prefetch_related_objects

from agents.models import Agent, Document, Section
from agents.reach import may_act_on, those_who_act_on
from agents.sections import protected_changed
from people.models import User
from proposals.authority.digests import decision_digest
from proposals.authority.needs import Need, Owned
from proposals.checking.risk import Level
from proposals.exceptions import NotAllowed
from proposals.models import Bypass, Coauthor, Decision, Policy, Proposal, Redraft, Revision, Thread
from proposals.rules.terms import BUILT_IN, OPENED, Quorum, Terms, owners_in_words, strictest

DOMINANT_SHARE = 0.4
"""Whose keys reported more than this share of the evidence does not decide; see `Proposal.mostly_reported_by`."""
ACCOUNTS = "people.backends.ByRole"
OPEN_FIRST = "Open the evidence first: the policy asks that of whoever approves this."


@dataclass(frozen=True, slots=True)
class Leave:
    """Whether somebody may do something, in a sentence; `alone` when only the single-operator setting allows it."""

    allowed: bool
    why: str
    alone: bool = False


def may_decide(user: User, proposal: Proposal) -> Leave:
    """Whether this person may approve or reject the proposal's newest revision."""
    if not user.has_perm("proposals.decide_proposal"):
        return Leave(False, "Deciding needs the role reviewer or admin.")
    agent = proposal.document.agent
    if not may_act_on(user, agent):
        return Leave(False, f"{agent} is the team {agent.team}’s: only its members decide.")
    conflict = conflict_of_interest(user, proposal)
    if not conflict:
        return Leave(True, "You may decide: you neither wrote, edited nor asked for this text.")
    if settings.COUNTERSIGN_SINGLE_OPERATOR:
        return Leave(True, f"{conflict} You may decide all the same, because four eyes are off on this board.", True)
    return Leave(False, f"{conflict} Somebody else has to decide.")


def require_may_decide(user: User, proposal: Proposal) -> Leave:
    """Raises NotAllowed with the reason."""
    leave = may_decide(user, proposal)
    if not leave.allowed:
        raise NotAllowed(leave.why)
    return leave


def needs_proof(proposal: Proposal, revision: Revision | None) -> bool:
    """Whether people prove who they are before they approve this revision, or promote what came of it.

    They do for what is of high risk or changes a protected section. A query or two, none for high risk.
    """
    if proposal.risk == Level.HIGH:
        return True
    return bool(revision and touched_protected(revision, proposal.document.sections.all()))


def may_bypass(user: User, proposal: Proposal) -> Leave:
    """Whether this person may publish the proposal in an emergency, without the approvals it needs."""
    if not user.has_perm("proposals.bypass_review"):
        return Leave(False, "Bypassing the review needs the role admin.")
    if settings.COUNTERSIGN_SINGLE_OPERATOR:
        return Leave(False, "Four eyes are off on this board, so you may approve alone; there is nothing to bypass.")
    return Leave(
        True, f"You may publish this without the approvals it needs. Proposal {proposal.pk} will say so for good."
    )


def may_withdraw(user: User, proposal: Proposal, leave: Leave | None = None) -> Leave:
    """Whether this person may take the proposal back: whose wish it is may; a machine's, whoever may decide on it.

    Taking back somebody else's would be rejecting it without a reason, and without the right to decide. `leave` is
    what `may_decide` says, where that is known.
    """
    if not user.has_perm("proposals.propose_change"):
        return Leave(False, "Withdrawing needs the role reviewer, operator or admin.")
    key_owner = proposal.author_key.owner_id if proposal.author_key else None
    if user.pk in (proposal.author_id, proposal.requested_by_id, key_owner):
        return Leave(True, "You may withdraw it: it is your wish.")
    if proposal.author_id is not None:
        return Leave(False, f"Only {proposal.author} can withdraw this; a reviewer can reject it with a reason.")
    leave = leave or may_decide(user, proposal)
    if leave.allowed:
        return Leave(True, "You may withdraw it: no person proposed it, and you may decide on it.")
    return Leave(False, f"{leave.why} Whoever may decide can withdraw this machine's draft, or reject it.")


def may_take_back(user: User, said: Iterable[Decision]) -> Leave:
    """Whether this person may take back the changes that were requested last: who requested them may. No query.

    `said` are the decisions on the proposal, oldest first.
    """
    asked = [one for one in said if one.verdict == Decision.Verdict.REQUEST_CHANGES]
    last = asked[-1] if asked else None
    if last and last.actor_id == user.pk and user.has_perm("proposals.decide_proposal"):
        return Leave(True, "You requested the changes, so you may take that back.")
    return Leave(False, f"Only {last.actor if last else 'who requested the changes'} can take the request back.")


def may_comment(user: User, proposal: Proposal) -> Leave:
    """Whether this person may write a comment, or settle a thread that is theirs to settle."""
    if not user.has_perm("proposals.propose_change"):
        return Leave(False, "Commenting needs the role reviewer, operator or admin.")
    if not proposal.is_open:
        return Leave(False, f"This proposal is {proposal.get_status_display().lower()}; comments on it are closed.")
    return Leave(True, "")


def may_resolve(user: User, thread: Thread, proposal: Proposal) -> Leave:
    """Whether this person may resolve or reopen a thread: who opened it, whose proposal it is, and who decides.

    A decision does not end that: what was left open can be settled after it.
    """
    if not user.has_perm("proposals.propose_change"):
        return Leave(False, "Resolving needs the role reviewer, operator or admin.")
    key_owner = proposal.author_key.owner_id if proposal.author_key else None
    own = user.pk in (thread.author_id, proposal.author_id, proposal.requested_by_id, key_owner)
    if own or user.has_perm("proposals.decide_proposal"):
        return Leave(True, "")
    return Leave(False, "Only who opened the thread, the author of the proposal, or a reviewer settles it.")


def _asked_for(user: User, proposal: Proposal) -> int | None:
    """The newest revision that the drafter wrote because this person asked. No query for what it did not draft."""
    if proposal.origin != Proposal.Origin.DRAFTER or not _is_reworked(proposal):
        return None
    return Redraft.objects.made_for(user).filter(proposal=proposal).values_list("made__number", flat=True).last()


def _suggested(user: User, proposal: Proposal) -> int | None:
    """The newest revision that took over wording of this person."""
    if not _is_reworked(proposal):
        return None
    return Coauthor.of(proposal).filter(person=user).values_list("revision__number", flat=True).last()


def _is_reworked(proposal: Proposal) -> bool:
    """Whether there is more than the first text, which nobody suggested and nobody asked the drafter to write again."""
    return len(proposal.revisions.all()) > 1


def conflict_of_interest(user: User, proposal: Proposal) -> str:
    """Why four eyes would not be four if this person decided; empty when they would."""
    own = [r.number for r in proposal.revisions.all() if user.pk in (r.author_id, _owner(r))]
    if own:
        return f"You wrote revision {own[-1]}."
    if suggested := _suggested(user, proposal):
        return f"Revision {suggested} has wording that you suggested."
    if user.pk in (proposal.author_id, proposal.author_key.owner_id if proposal.author_key else None):
        return "You proposed this change."
    if user.pk == proposal.requested_by_id:
        return "You asked for this draft."
    if asked := _asked_for(user, proposal):
        return f"You asked for revision {asked}."
    if user.pk == bypasser_id(proposal):
        return "You published this without its approvals."
    if user.pk in proposal.mostly_reported_by:
        return "Your API keys reported most of the evidence."
    return ""


def bypasser_id(proposal: Proposal) -> int | None:
    """Who published it by emergency bypass, if anybody did."""
    bypass: Bypass | None = getattr(proposal, "bypass", None)
    return bypass.actor_id if bypass else None


def _owner(revision: Revision) -> int | None:
    return revision.author_key.owner_id if revision.author_key else None


def approvals_needed(
    proposal: Proposal, revision: Revision, *, by_risk: bool = True, touched: list[Section] | None = None
) -> Need:
    """What the policy asks for: the stricter of the one kept with the revision and the present one. One query.

    `revision` is the newest, whose risk the proposal has. A rollback is in effect already and takes one approval,
    whatever it changed. Without `by_risk`, the risk asks for nothing: it is itself weighed by what is needed. `touched`
    are the protected sections that the revision changes, where they are known; else its texts are compared.
    """
    if proposal.status == Proposal.Status.IN_EFFECT and proposal.origin == Proposal.Origin.ROLLBACK:
        return Need(1, "One approval.")
    kept, today = Terms.from_json(revision.terms), terms_today(proposal.document)
    terms = kept.or_stricter(today)
    if touched is None:
        touched = touched_protected(revision, proposal.document.sections.all())
    level = proposal.risk if by_risk else 0
    quorum, now, plain = (
        fitting(terms.asked(level, protected=bool(touched)), proposal),
        fitting(today.asked(level, protected=bool(touched)), proposal),
        terms.asked(0, protected=bool(touched)),
    )
    if touched:
        prefetch_related_objects(touched, "owners", "owner_teams__members")
    risk = Level(level).word.lower() if quorum != plain else ""
    return _need(quorum, _owned(proposal, touched, quorum.owners), touched, risk, is_older=quorum != now)


def fitting(quorum: Quorum, proposal: Proposal) -> Quorum:
    """The same for this proposal: what has no evidence asks nobody to open it."""
    return quorum if proposal.rests_on_evidence else replace(quorum, opened=False)


def _owned(proposal: Proposal, touched: Sequence[Section], count: int) -> tuple[Owned, ...]:
    """As many owners of each section as are asked, or as can decide. Two queries where owners are asked."""
    owners = {owner.pk for section in touched for owner in section.all_owners} if count else set()
    able = _reviewers(owners, proposal.document.agent) - barred(proposal) if owners else owners
    named = (tuple((one.pk, str(one)) for one in section.all_owners if one.pk in able) for section in touched)
    found = (
        Owned(section.heading, min(count, len(names)), names) for section, names in zip(touched, named, strict=True)
    )
    return tuple(found) if count else ()


def _need(quorum: Quorum, owned: Sequence[Owned], touched: Sequence[Section], risk: str, *, is_older: bool) -> Need:
    """“Two approvals, one by an owner of Safety: high risk, protected section.”

    Where too few owners can decide, anybody's approval stands in for theirs; one person's never does for an owner's.
    """
    short = [section.heading for section in owned if section.count < quorum.owners]
    approvals = max(quorum.approvals, quorum.owners + 1) if short else quorum.approvals
    parts = [str(Quorum(approvals))]
    if asked := " and ".join(owners_in_words(one.count, one.heading) for one in owned if one.count):
        parts.append(asked)
    parts += [OPENED] if quorum.opened else []
    protected = ["protected section" if len(touched) == 1 else "protected sections"] if touched else []
    reasons = ", ".join([f"{risk} risk"] * bool(risk) + protected)
    said = ", ".join(parts) + (f": {reasons}." if reasons else ".")
    if short:
        said += f" {_stand_in(owned, short)}"
    if is_older:
        said += " The policy asked for that when this text was written."
    return Need(approvals, said, tuple(one for one in owned if one.count), quorum.opened)


def _stand_in(owned: Sequence[Owned], short: Sequence[str]) -> str:
    who = "Too few owners" if any(one.count for one in owned if one.heading in short) else "No owner"
    return f"{who} of {' or '.join(short)} can decide on this; anybody’s approval stands in."


def in_force(need: Need) -> Need:
    """What is asked of people on this board: where there is a single operator, one approval is enough."""
    if not settings.COUNTERSIGN_SINGLE_OPERATOR or (need.approvals == 1 and not need.owned):
        return need
    return Need(1, f"{need.why} Four eyes are off on this board, so one approval is enough.", opened=need.opened)


def barred(proposal: Proposal) -> set[int]:
    """All who `conflict_of_interest` finds something about. One query, two for a draft of Countersign's."""
    found = {pk for r in proposal.revisions.all() for pk in (r.author_id, _owner(r))}
    found |= {proposal.author_id, proposal.requested_by_id, bypasser_id(proposal), *proposal.mostly_reported_by}
    found |= {proposal.author_key.owner_id if proposal.author_key else None}
    found |= set(Coauthor.of(proposal).values_list("person", flat=True))
    if proposal.origin == Proposal.Origin.DRAFTER:
        found |= set(proposal.redrafts.filter(made__isnull=False).values_list("asked_by", flat=True))
    return {pk for pk in found if pk is not None}


def terms_today(document: Document) -> Terms:
    """What the rules in force ask of changes of this document. One query."""
    return _terms(Policy.objects.fitting(document))


def _terms(rules: Iterable[Policy]) -> Terms:
    quorums: dict[str, list[Quorum]] = {covers: [] for covers in Policy.Covers.values}
    general = set()
    for rule in rules:
        quorums[rule.covers].append(rule.quorum)
        general |= {rule.covers} if rule.is_general else set()
    for covers in set(quorums) - general:
        quorums[covers].append(built_in(covers))
    of = Policy.Covers
    return strictest(quorums[of.ANY], quorums[of.PROTECTED], [quorums[one] for one in (of.LOW, of.MEDIUM, of.HIGH)])


def built_in(covers: str) -> Quorum:
    """What is asked of these changes where no rule for all agents and kinds says otherwise."""
    match covers:
        case Policy.Covers.PROTECTED:
            return BUILT_IN.protected
        case Policy.Covers.ANY:
            return BUILT_IN.usual
        case Policy.Covers.HIGH:
            return BUILT_IN.risks[2]
        case _:
            return Quorum()


def last_worded(proposal: Proposal) -> Revision | None:
    """The newest revision that a person or a key worded; None while every word is Countersign's own.

    Moving a change onto another version words nothing, so a moved revision is still its earlier author's wording.
    """
    worded = proposal.revisions.filter(Q(author__isnull=False) | Q(author_key__isnull=False))
    return worded.select_related("author", "author_key").defer("text", "diff").order_by("-number").first()


def protection_changed(proposal: Proposal, revision: Revision) -> bool:
    """Whether other sections are protected today than when the revision was checked and its digest made.

    `revision` is the newest. One in effect is past this: approving it publishes nothing.
    """
    if proposal.status == Proposal.Status.IN_EFFECT:
        return False
    today = decision_digest(
        base_sha256=revision.base_version.sha256,
        text=revision.text,
        protected=[section.heading for section in proposal.document.sections.all() if section.is_protected],
    )
    return revision.digest != today


def touched_protected(revision: Revision, sections: Iterable[Section]) -> list[Section]:
    """The protected sections this revision changes."""
    protected = {section.heading: section for section in sections if section.is_protected}
    names = protected_changed(revision.base_version.text, revision.text, protected)
    return [protected[name] for name in names]


def missing(need: Need, approvals: Iterable[Decision], agent: Agent) -> str:
    """What is still missing after these approvals, in a sentence; empty when nothing is. One query.

    An approval counts while its actor is active and may still decide.
    """
    return need.missing({decision.actor_id for decision in counting(approvals, agent)})


def counting(approvals: Iterable[Decision], agent: Agent) -> list[Decision]:
    """Those of people who are still active and may still decide on this agent. One query, none without approvals."""
    given = list(approvals)
    if not given:
        return []
    active = _reviewers({one.actor_id for one in given}, agent)
    return [one for one in given if one.actor_id in active]


def _reviewers(people: Set[int], agent: Agent) -> set[int]:
    """Those of these who are active and may decide on this agent."""
    reviewers = User.objects.with_perm("proposals.decide_proposal", backend=ACCOUNTS)
    return set(those_who_act_on(agent, reviewers.filter(pk__in=people)).values_list("pk", flat=True))
