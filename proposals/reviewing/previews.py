"""What a text somebody is writing would change, before it is sent: read-only, nothing is kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from agents.models import Document
from proposals.actions.revisions import clean_text, evidence_reports, tools_seen
from proposals.checking import checks
from proposals.diffs import Diff, Row, compute
from proposals.exceptions import Invalid
from proposals.grounds import sourcing
from proposals.models import Check, Proposal, Revision
from proposals.reviewing import shown

SPEAKING: Final = ("warn", "fail")


@dataclass(frozen=True, slots=True)
class Preview:
    """The difference of a text to the current version, and what the checks would say of it.

    `refusal` says why the text could not be sent at all; the rest is empty then. `size` is the sentence on growth,
    `speaking` are the checks that warn or fail, `left_out` counts lines beyond those shown.
    """

    words_added: int = 0
    words_removed: int = 0
    lines: Sequence[shown.Line] = ()
    left_out: int = 0
    speaking: Sequence[checks.CheckResult | Check] = ()
    size: str = ""
    refusal: str = ""

    @property
    def is_same(self) -> bool:
        """Nothing would change."""
        return not self.refusal and not self.lines

    @property
    def first_changed(self) -> int:
        """The line of the new text where the first change is, from 1; 0 without one."""
        return _first_changed([line.row for line in self.lines if line.row])


def of_text(document: Document, text: str, proposal: Proposal | None = None) -> Preview:
    """Compare a typed text with the document's current version, as the action that takes it would."""
    try:
        text = clean_text(text)
    except Invalid as refusal:
        return Preview(refusal=str(refusal))
    before = document.current.text if document.current else ""
    protected = [section.heading for section in document.sections.all() if section.is_protected]
    difference = compute(before, text, protected)
    if difference.is_empty:
        return Preview()
    return _laid_out(difference, checks.run(before, text, _context(document, protected, proposal)))


def of_revision(revision: Revision) -> Preview:
    """The same of a revision that stands on the current version, from what was computed when it was made."""
    return _laid_out(Diff.from_json(revision.diff), list(revision.checks.all()))


def _laid_out(difference: Diff, results: Sequence[checks.CheckResult | Check]) -> Preview:
    part = shown.part(shown.inline(difference.rows), {})
    return Preview(
        words_added=difference.words_added,
        words_removed=difference.words_removed,
        lines=part.lines,
        left_out=part.whole - part.last,
        speaking=[result for result in results if result.verdict in SPEAKING],
        size=next((result.message for result in results if result.name == "size"), ""),
    )


def _context(document: Document, protected: Sequence[str], proposal: Proposal | None) -> checks.Context:
    """What the checks know of a person's text; whether the evidence suffices is no matter of wording."""
    return checks.Context(
        kind=document.kind,
        author="person",
        protected=tuple(protected),
        tools=tools_seen(document.agent_id),
        reports=tuple(evidence_reports(proposal)) if proposal else (),
        rule=sourcing.rule_for(document.agent_id),
    )


def _first_changed(rows: Sequence[Row]) -> int:
    """For a line that only went, the one that took its place."""
    last = 0
    for row in rows:
        if row.kind == "cut" and not row.changed:
            return last + 1
        if row.kind == "add":
            return row.new or 0
        last = row.new or last
    return 0
