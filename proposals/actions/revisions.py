"""The only creator of revisions: text in, diff, digest and checks beside it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings

from agents.models import ApiKey, Version
from agents.versions import sha256
from feedback.models import Feedback, Run
from people.models import User
from proposals import checks, diffs, policies
from proposals.digests import decision_digest
from proposals.exceptions import Invalid
from proposals.models import Check, Proposal, Revision

MAX_TEXT = 400_000
EVIDENCE_READ = 500
RUNS_READ = 500


@dataclass(frozen=True, slots=True)
class Author:
    """Who wrote a text: a person, a key, or, with neither, Countersign itself."""

    user: User | None = None
    key: ApiKey | None = None

    @property
    def is_person(self) -> bool:
        return self.user is not None


def clean_text(text: str) -> str:
    """The text as it is kept: line feeds only, one at the end. Raises Invalid for what cannot be kept."""
    if "\x00" in text:
        raise Invalid("text", "The text contains a NUL character; remove it.")
    if len(text) > MAX_TEXT:
        raise Invalid("text", f"The text has {len(text):,} characters; at most {MAX_TEXT:,} are allowed.")
    if not text.strip():
        raise Invalid("text", "The text is empty.")
    return text.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n") + "\n"


def add_revision(proposal: Proposal, text: str, *, base: Version, author: Author, note: str = "") -> Revision:
    """Append a revision, run the checks on it and make it the proposal's newest. The caller holds the transaction."""
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
    )
    _run_checks(proposal, revision, author, protected)
    proposal.revision, proposal.base_version = revision, base
    proposal.save(update_fields=["revision", "base_version"])
    return revision


def protected_headings(proposal: Proposal) -> list[str]:
    """Headings of the document's protected sections."""
    return list(
        proposal.document.sections.filter(is_protected=True).order_by("heading").values_list("heading", flat=True)
    )


def _run_checks(proposal: Proposal, revision: Revision, author: Author, protected: Sequence[str]) -> None:
    context = _check_context(proposal, author, protected)
    results = checks.run(revision.base_version.text, revision.text, context)
    Check.objects.bulk_create(
        Check(revision=revision, name=result.name, verdict=result.verdict, message=result.message) for result in results
    )


def _check_context(proposal: Proposal, author: Author, protected: Sequence[str]) -> checks.Context:
    reports = evidence_reports(proposal)
    shares = Counter(report.source for report in reports)
    return checks.Context(
        kind=proposal.document.kind,
        author=_role(proposal, author),
        protected=tuple(protected),
        tools=_tools_seen(proposal),
        reports=tuple(reports),
        sources=len(shares),
        loudest_share=max(shares.values(), default=0) / (len(reports) or 1),
        min_sources=settings.COUNTERSIGN_MIN_SOURCES,
        max_share=policies.DOMINANT_SHARE,
    )


def _tools_seen(proposal: Proposal) -> tuple[str, ...]:
    """Tools that the agent's newest runs used: those it certainly has."""
    newest = Run.objects.filter(agent=proposal.document.agent_id).order_by("-at").values_list("tool")[:RUNS_READ]
    return tuple(sorted({tool for (tool,) in newest if tool}))


def _role(proposal: Proposal, author: Author) -> checks.Author:
    if proposal.origin == Proposal.Origin.ROLLBACK:
        return "rollback"
    if author.is_person:
        return "person"
    return "agent" if author.key else "drafter"


def evidence_reports(proposal: Proposal) -> list[checks.Report]:
    """What the evidence says, with its sources; at most EVIDENCE_READ reports."""
    rows = proposal.evidence.select_related("feedback", "run").order_by("-pk")[:EVIDENCE_READ]
    return [checks.Report(bytes(row.report.source), _said(row.report)) for row in rows]


def _said(report: Feedback | Run) -> str:
    if isinstance(report, Run):
        return report.error
    return "\n".join(filter(None, (report.reason, report.correction, report.edited_output)))
