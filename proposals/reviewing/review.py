"""The reads behind the page of one proposal, each bounded whatever the proposal holds."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from django.db.models import BigIntegerField, QuerySet
from django.http import Http404

from agents.compiled import Compiled, hold, key
from agents.models import WHOLE, ApiKey, Section, Version, whole_of
from audit.models import AuditEntry
from audit.numbers import counted
from feedback.models import Pattern
from people.models import User
from proposals import queue
from proposals.authority import policies
from proposals.checking.checks import CheckResult
from proposals.models import Check, Coauthor, Decision, Proposal, Redraft, Revision
from proposals.rollouts.pills import rollout_pills
from proposals.status.holdings import Holdings, holdings
from proposals.status.turns import Pill, pill
from proposals.status.undone import undone

C = TypeVar("C", bound=Check | CheckResult)
HISTORY_SHOWN = 40
_UNREAD = whole_of("revision__base_version")
"""Columns that are large and that its page does not show."""


def _found() -> "QuerySet[Proposal]":
    found = Proposal.objects.select_related(
        "document__agent",
        "revision__base_version",
        "revision__surroundings",
        "bypass",
        "self_start",
        "removal",
        "footing",
    )
    return found.defer(*_UNREAD).filter(pk=key("key"))


_PROPOSAL: Final = Compiled(_found)
_PATTERN: Final = Compiled(lambda: Pattern.objects.defer("centroid", "meaning").filter(pk=key("key")))
_VERSION: Final = Compiled(lambda: Version.objects.defer(*WHOLE).filter(pk=key("key")))
_PERSON: Final = Compiled(lambda: User.objects.filter(pk=key("key")))
_API_KEY: Final = Compiled(lambda: ApiKey.objects.select_related("owner").filter(pk=key("key")))
_REVISIONS: Final = Compiled(
    lambda: Revision.objects.select_related("author", "author_key").defer("text", "diff").filter(proposal=key("key"))
)
_SECTIONS: Final = Compiled(lambda: Section.objects.filter(document=key("key")))
_CHECKS: Final = Compiled(lambda: Check.objects.filter(revision=key("key")))


def find(pk: int) -> Proposal:
    """The proposal with what its page shows; 404 if there is none.

    What every proposal has is joined in. What few have is asked for by itself, for those: planning a join of all would
    take longer than all of these questions.
    """
    proposal = next(iter(_PROPOSAL.ask(key=pk)), None) if pk <= BigIntegerField.MAX_BIGINT else None
    if proposal is None:
        raise Http404("No such proposal.")
    newest_one = newest(proposal)
    _bring(proposal, pattern=_PATTERN, published=_VERSION, author=_PERSON, author_key=_API_KEY, requested_by=_PERSON)
    hold(proposal, "revisions", _REVISIONS.ask(key=pk))
    hold(proposal.document, "sections", _SECTIONS.ask(key=proposal.document_id))
    hold(newest_one, "checks", _CHECKS.ask(key=newest_one.pk))
    base, current = newest_one.base_version, proposal.document.current_id
    if current is not None:
        proposal.document.current = base if base.pk == current else _VERSION.ask(key=current)[0]
    return proposal


def _bring(proposal: Proposal, **links: Compiled[Any]) -> None:
    """Follow these links of the proposal, where they lead anywhere."""
    for name, question in links.items():
        key = getattr(proposal, f"{name}_id")
        if key is not None:
            setattr(proposal, name, question.ask(key=key)[0])


def newest(proposal: Proposal) -> Revision:
    """The revision people are asked about, with its base version."""
    if proposal.revision is None:
        raise Revision.DoesNotExist(f"proposal {proposal.pk} has no revision")
    return proposal.revision


def written(proposal: Proposal) -> Revision:
    """The last revision that somebody wrote: the newest, or the one that was carried over to another version since."""
    return next((one for one in reversed(proposal.revisions.all()) if not one.is_moved), newest(proposal))


def seen(proposal: Proposal, number: int) -> Revision:
    """The revision with this number, with its base version; the newest where there is none."""
    now = newest(proposal)
    if number == now.number:
        return now
    return proposal.revisions.select_related("base_version").filter(number=number).first() or now


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the decision stands, and what this person (`me`, by key) may do about it."""

    me: int
    leave: policies.Leave
    need: policies.Need
    approvals: list[Decision]
    blocking: list[Check]
    asking: list[Check]
    recheck: bool
    lapses: bool
    may_withdraw: bool
    may_take_back: bool
    is_bypasser: bool
    undone: Proposal | None
    pill: Pill
    has_opened: bool

    @property
    def unopened(self) -> bool:
        """Whether this person could approve, but for the evidence, which they have not opened."""
        return self.leave.allowed and self.need.opened and not (self.has_opened or self.approved_by_me)

    @property
    def approvers(self) -> set[int]:
        """Whose approvals count, by key."""
        return {approval.actor_id for approval in self.approvals}

    @property
    def approved_by_me(self) -> bool:
        return self.me in self.approvers

    @property
    def tally(self) -> str:
        """How many of the approvals asked for are there, in words; those of a text that cannot stay end with it."""
        if self.lapses and self.approvals:
            return f"{counted(len(self.approvals), 'approval')}, until it is brought up to date"
        return self.need.tally(self.approvers)

    @property
    def missing(self) -> str:
        """What is still missing, in a sentence; empty when nothing is."""
        return self.need.missing(self.approvers)

    @property
    def missing_after_mine(self) -> str:
        """What would still be missing if this person approved."""
        return self.need.missing(self.approvers | {self.me})

    @property
    def may_bypass(self) -> bool:
        """Not where this person's own approval is all that is missing."""
        return self.is_bypasser and not (self.leave.allowed and not self.missing_after_mine)


def standing(
    proposal: Proposal,
    desk: queue.Desk,
    said: Sequence[Decision] | None = None,
    *,
    has: Holdings | None = None,
    has_opened: bool = False,
) -> Standing:
    """The rules applied to the newest revision, for the person whose desk this is; `said` are the decisions and `has`
    is what there is of other things, where they are known. `has_opened`: that person opened the evidence.
    """
    has = has or holdings(proposal)
    said = decisions(proposal) if said is None else said
    leave = policies.may_decide(desk.user, proposal)
    recheck = proposal.is_open and policies.protection_changed(proposal, newest(proposal))
    blocking, asking = _raised(proposal)
    rolled_back = undone([proposal]).get(proposal.pk)
    return Standing(
        me=desk.user.pk,
        leave=leave,
        need=_need(proposal, recheck=recheck),
        approvals=_approvals(proposal, said),
        blocking=blocking,
        asking=asking,
        recheck=recheck,
        lapses=recheck or (proposal.is_open and proposal.is_stale),
        may_withdraw=proposal.is_open and policies.may_withdraw(desk.user, proposal, leave).allowed,
        may_take_back=_is_sent_back(proposal) and policies.may_take_back(desk.user, said).allowed,
        is_bypasser=_is_bypasser(proposal, desk.user),
        undone=rolled_back,
        pill=_pill(proposal, desk, bool(blocking), bool(rolled_back), has),
        has_opened=has_opened,
    )


def _need(proposal: Proposal, *, recheck: bool) -> policies.Need:
    """As its check found what it touches, unless that has to be compared anew."""
    revision = newest(proposal)
    as_then = not recheck and proposal.status != Proposal.Status.IN_EFFECT
    touched = _touched_then(revision) if as_then else None
    return policies.in_force(policies.approvals_needed(proposal, revision, touched=touched))


def _approvals(proposal: Proposal, said: Sequence[Decision]) -> list[Decision]:
    """Those of the newest revision that count."""
    approving = [one for one in said if one.revision_id == proposal.revision_id and one.verdict == "approve"]
    return policies.counting(approving, proposal.document.agent)


def _raised(proposal: Proposal) -> tuple[list[Check], list[Check]]:
    """The checks that stop an approval, and those that only a reason gets past."""
    found = newest(proposal).checks.all()
    blocking = [check for check in found if check.verdict == Check.Verdict.FAIL and not check.asks]
    return blocking, [check for check in found if check.asks and proposal.status != Proposal.Status.IN_EFFECT]


def _pill(proposal: Proposal, desk: queue.Desk, blocked: bool, undone: bool, has: Holdings) -> Pill:
    rollout = rollout_pills([proposal]).get(proposal.pk) if has.rollout else None
    mine = proposal.pk in desk
    return pill(proposal, my_turn=mine, blocked=blocked, undone=undone, rollout=rollout, rolling=has.rolling)


def _touched_then(revision: Revision) -> list[Section] | None:
    """No sections where the check of the revision found none touched, None where the texts have to be compared anew.

    It holds as long as the same sections are protected. Deciding does not rely on it.
    """
    untouched = any(
        check.name == "protected" and check.verdict == Check.Verdict.PASS for check in revision.checks.all()
    )
    return [] if untouched else None


def _is_sent_back(proposal: Proposal) -> bool:
    return proposal.status == Proposal.Status.CHANGES_REQUESTED


def _is_bypasser(proposal: Proposal, user: User) -> bool:
    return proposal.status == Proposal.Status.PENDING and policies.may_bypass(user, proposal).allowed


def coauthors(revision: Revision) -> list[Coauthor]:
    """Whose suggestions it took over. No query for a first text."""
    return list(revision.coauthors.select_related("person")) if revision.number > 1 else []


_DECISIONS: Final = Compiled(
    lambda: (
        Decision.objects.filter(revision__proposal=key("proposal"))
        .select_related("actor", "revision")
        .defer("revision__text", "revision__diff")
        .order_by("pk")
    )
)


def decisions(proposal: Proposal) -> list[Decision]:
    """Everybody's word on any of its revisions, oldest first."""
    return _DECISIONS.ask(proposal=proposal.pk)


_HISTORY: Final = Compiled(lambda: AuditEntry.objects.filter(proposal=key("key")).newest_first()[:HISTORY_SHOWN])


def history(proposal: Proposal) -> list[AuditEntry]:
    """What the log says about it, newest first."""
    return _HISTORY.ask(key=proposal.pk)


def last_redraft(proposal: Proposal) -> Redraft | None:
    """What the drafter was last asked to write again, while the changes requested are not made. No query otherwise."""
    if not _is_sent_back(proposal):
        return None
    asked = proposal.redrafts.select_related("asked_by").order_by("-pk").first()
    return asked if asked and asked.revision_id == proposal.revision_id else None


def by_need(found: Sequence[C]) -> tuple[list[C], list[C], str]:
    """The checks that ask for a look, what blocks first; the others, which need no reading; and how many these are."""
    raised = sorted((c for c in found if c.verdict in ("warn", "fail")), key=lambda check: check.verdict != "fail")
    settled = [check for check in found if check.verdict not in ("warn", "fail")]
    passed = sum(check.verdict == "pass" for check in settled)
    skipped = f", {len(settled) - passed} skipped" if passed < len(settled) else ""
    return raised, settled, f"{passed} passed{skipped}"


@dataclass(frozen=True, slots=True)
class Effect:
    """What approving does: the number the text gets."""

    number: int


def effect(proposal: Proposal, last: int) -> Effect:
    """What approving the newest revision would do now; for one in effect, what it did.

    `last` is the number of the document's newest version.
    """
    return Effect(proposal.published.number if proposal.published else last + 1)
