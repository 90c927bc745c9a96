"""The only creator of revisions: text in, diff, digest and checks beside it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from agents import texts
from agents.exceptions import BadText
from agents.models import ApiKey, Version
from agents.versions import sha256
from feedback.mining.typical import stems_of
from feedback.models import Feedback, Pattern, Run
from people.models import User
from proposals import diffs
from proposals.actions import surroundings
from proposals.actions.anchoring import reanchor
from proposals.actions.stepping import keep_step
from proposals.authority import policies
from proposals.authority.digests import decision_digest
from proposals.checking import checks
from proposals.checking.praise import Praised
from proposals.checking.risk import Facts, Risk, assess
from proposals.exceptions import Invalid, NotPending
from proposals.grounds import sourcing
from proposals.models import Check, Proposal, Quoting, Revision
from proposals.rules.terms import Terms

EVIDENCE_READ = 500
RUNS_READ = 500
PRAISE_READ = 50


@dataclass(frozen=True, slots=True)
class Author:
    """Who wrote a text: a person, a key, or, with neither, Countersign itself."""

    user: User | None = None
    key: ApiKey | None = None

    @property
    def is_person(self) -> bool:
        return self.user is not None


def clean_text(text: str) -> str:
    """The text as it is kept, see `agents.texts`. Raises Invalid("text") for what cannot be kept."""
    try:
        return texts.clean_text(text)
    except BadText as bad:
        raise Invalid("text", str(bad)) from None


def add_revision(proposal: Proposal, text: str, *, base: Version, author: Author, note: str = "") -> Revision:
    """Append a revision, run the checks on it and make it the proposal's newest. The caller holds the transaction.

    Raises NotPending when somebody decided or amended since `proposal` was read.
    """
    protected = protected_headings(proposal)
    diff = diffs.compute(base.text, text, protected)
    revision = Revision.objects.create(
        proposal=proposal,
        number=proposal.revisions.count() + 1,
        base_version=base,
        text=text,
        sha256=sha256(text),
        digest=decision_digest(base_sha256=base.sha256, text=text, protected=protected),
        diff=diff.to_json(),
        words_added=diff.words_added,
        words_removed=diff.words_removed,
        author=author.user,
        author_key=author.key,
        note=note,
        terms=_terms(proposal, author).to_json(),
    )
    if proposal.revision:
        keep_step(proposal.revision, revision, protected)
    found = _run_checks(proposal, revision, protected)
    reanchor(proposal, revision)
    surroundings.look_around(revision, diff, agent_id=proposal.document.agent_id, protected=protected)
    risk = _risk(proposal, revision, found)
    update_unmoved(
        proposal,
        revision=revision,
        base_version=base,
        risk=risk.level.value,
        risk_reasons=list(risk.reasons),
        waits_for_owners_of=[],
    )
    return revision


def _risk(proposal: Proposal, revision: Revision, found: Sequence[checks.CheckResult]) -> Risk:
    facts = Facts(
        kind=proposal.document.kind,
        author=_role(proposal),
        words=revision.words_added + revision.words_removed,
        approvals=policies.approvals_needed(proposal, revision, by_risk=False).approvals,
        warning={result.name for result in found if result.verdict == "warn"},
        failing={result.name for result in found if result.verdict == "fail"},
    )
    return assess(facts)


def _terms(proposal: Proposal, author: Author) -> Terms:
    """The policy of today; what only moves a text keeps what was asked for it before, where that is stricter."""
    today = policies.terms_today(proposal.document)
    if author != Author() or proposal.revision is None:
        return today
    return Terms.from_json(proposal.revision.terms).or_stricter(today)


def update_unmoved(proposal: Proposal, **changes: Any) -> None:
    """Change fields of a proposal that still has the status and revision it was read with. Raises NotPending.

    The lock makes it certain that it has; this keeps it true where somebody forgets the lock.
    """
    unmoved = Proposal.objects.filter(pk=proposal.pk, status=proposal.status, revision=proposal.revision_id)
    if unmoved.update(**changes) != 1:
        raise NotPending("Somebody decided or amended this proposal at the same time. Nothing was recorded.")
    for name, value in changes.items():
        setattr(proposal, name, value)


def protected_headings(proposal: Proposal) -> list[str]:
    """Headings of the document's protected sections."""
    return list(
        proposal.document.sections.filter(is_protected=True).order_by("heading").values_list("heading", flat=True)
    )


def _run_checks(proposal: Proposal, revision: Revision, protected: Sequence[str]) -> list[checks.CheckResult]:
    context = _check_context(proposal, protected)
    results = checks.run(revision.base_version.text, revision.text, context)
    Check.objects.bulk_create(
        Check(revision=revision, name=one.name, verdict=one.verdict, message=one.message, asks=one.asks)
        for one in results
    )
    return results


def _check_context(proposal: Proposal, protected: Sequence[str]) -> checks.Context:
    reports = evidence_reports(proposal)
    rule = sourcing.rule_for(proposal.document.agent_id)
    backing = sourcing.backing_of_proposal(proposal, rule)
    return checks.Context(
        kind=proposal.document.kind,
        author=_role(proposal),
        protected=tuple(protected),
        tools=tools_seen(proposal.document.agent_id),
        reports=tuple(reports),
        backing=backing,
        rule=rule,
        praised=_praised(proposal.document.agent_id),
        quoting=quoting_for(proposal.document.agent_id),
    )


def quoting_for(agent_id: int) -> int:
    """How many sources each quote in a draft takes; 0 where drafts may quote nothing."""
    return Quoting.objects.filter(agent=agent_id).values_list("sources", flat=True).first() or 0


def _praised(agent_id: int) -> tuple[Praised, ...]:
    """What most sources praise of the agent."""
    rows = Pattern.objects.shown().filter(agent=agent_id, kind=Pattern.Kind.SUCCESS)
    liked = rows.exclude(status=Pattern.Status.DISMISSED).order_by("-sources", "pk")
    found = liked.values_list("label", "sources", "terms")[:PRAISE_READ]
    return tuple(Praised(label, sources, stems_of(f"{label} {' '.join(terms)}")) for label, sources, terms in found)


def tools_seen(agent_id: int) -> tuple[str, ...]:
    """Tools that the agent's newest runs used: those it certainly has."""
    newest = Run.objects.filter(agent=agent_id).order_by("-at").values_list("tool")[:RUNS_READ]
    return tuple(sorted({tool for (tool,) in newest if tool}))


def _role(proposal: Proposal) -> checks.Author:
    if proposal.origin == Proposal.Origin.ROLLBACK:
        return "rollback"
    # A moved revision has no author of its own; it is judged as the wording that was moved.
    worded = policies.last_worded(proposal)
    if worded is None:
        return "drafter"
    return "person" if worded.author_id else "agent"


def evidence_reports(proposal: Proposal) -> list[checks.Report]:
    """What the evidence that counts says, with its sources; at most EVIDENCE_READ reports."""
    rows = proposal.evidence.counted().select_related("feedback", "run").order_by("-pk")[:EVIDENCE_READ]
    return [checks.Report(bytes(row.report.source), _said(row.report)) for row in rows]


def _said(report: Feedback | Run) -> str:
    if isinstance(report, Run):
        return report.error
    return "\n".join(filter(None, (report.reason, report.correction, report.edited_output)))
