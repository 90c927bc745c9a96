"""The open proposals for one pattern, as the page that compares them shows them. A fixed number of queries."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Prefetch

from feedback.models import Pattern
from people.models import User
from proposals.actions.proposals import MOST_CANDIDATES
from proposals.checking.risk import Level
from proposals.diffs import Diff
from proposals.models import Check, Proposal, Revision, Rollout
from proposals.queue import decidable_by, waiting_for
from proposals.reviewing import shown
from proposals.status.turns import Pill, pill

_HEAVY = ("revision__text", "base_version__text", "document__current__text", "pattern__centroid")


@dataclass(frozen=True, slots=True)
class Candidate:
    """One of several. `raised` are its checks that did not pass; `can_choose` is whether this person may keep it."""

    proposal: Proposal
    revision: Revision
    lines: Sequence[shown.Line]
    raised: list[Check]
    passed: int
    pill: Pill
    can_choose: bool

    @property
    def risk(self) -> Level:
        return Level(self.proposal.risk)

    @property
    def seen(self) -> str:
        """What the form carries of it: number and digest."""
        return f"{self.proposal.pk}:{self.revision.digest}"


def of_pattern(pattern: Pattern, user: User) -> list[Candidate]:
    """The oldest first, at most as many as can be open."""
    found = Proposal.objects.open().filter(pattern=pattern).for_page().select_related("requested_by").defer(*_HEAVY)
    checks = Prefetch("revision__checks", Check.objects.order_by("pk"))
    proposals = list(found.prefetch_related(checks).order_by("pk")[:MOST_CANDIDATES])
    mine, able = set(waiting_for(user)), set(decidable_by(user))
    live = Rollout.objects.live().filter(split__document__agent=pattern.agent_id)
    rolling = set(live.values_list("split__document", flat=True))
    return [_candidate(p, p.revision, mine, able, rolling) for p in proposals if p.revision]


def _candidate(proposal: Proposal, revision: Revision, mine: set[int], able: set[int], rolling: set[int]) -> Candidate:
    checks = list(revision.checks.all())
    raised = [check for check in checks if check.verdict in (Check.Verdict.WARN, Check.Verdict.FAIL)]
    blocked = any(check.verdict == Check.Verdict.FAIL for check in raised)
    return Candidate(
        proposal=proposal,
        revision=revision,
        lines=shown.inline(Diff.from_json(revision.diff).rows),
        raised=raised,
        passed=sum(check.verdict == Check.Verdict.PASS for check in checks),
        pill=pill(proposal, my_turn=proposal.pk in mine, blocked=blocked, rolling=proposal.document_id in rolling),
        can_choose=proposal.pk in able,
    )
