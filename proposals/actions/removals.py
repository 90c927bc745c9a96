"""Propose to take a rule out again when nothing supports it any more.

A rule is one line that a proposal added whole. It is proposed for removal when the pattern behind it lost all its
support, or has been silent for COUNTERSIGN_REMOVE_AFTER_DAYS since the rule took effect; once for each silence. The
draft is a machine's like any other: it never touches protected sections, and people decide.
"""

from datetime import timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from agents.models import Document, Version
from agents.sections import lines_of, under
from agents.versions import lock_document
from feedback.models import Pattern
from proposals.actions.proposals import MAX_TITLE, open_proposal
from proposals.actions.revisions import Author, protected_headings
from proposals.actions.wishes import Wish
from proposals.checking import pile
from proposals.diffs import Diff
from proposals.drafting import Draft, fingerprint
from proposals.drafting.placement import unmarked
from proposals.exceptions import ReviewError
from proposals.models import Proposal, Removal
from proposals.models.proposal import ProposalQuerySet

log = structlog.get_logger(__name__)


def propose_all() -> int:
    """Propose every removal that is due; how many there were."""
    return sum(propose(pk) is not None for pk in list(due().order_by("pk").values_list("pk", flat=True)))


def due() -> ProposalQuerySet:
    """Approved proposals whose pattern nothing supports any more, and whose rule was not proposed for removal since."""
    days = settings.COUNTERSIGN_REMOVE_AFTER_DAYS
    if not days:
        return Proposal.objects.none()
    before = timezone.now() - timedelta(days=days)
    silent = Q(pattern__support=0) | Q(pattern__last_seen__lt=before, decided_at__lt=before)
    same = Q(silent_since=OuterRef("pattern__last_seen"))
    neither = Q(silent_since=None, origin__pattern__last_seen=None)
    told = Removal.objects.filter(same | neither, origin=OuterRef("pk"))
    in_force = Proposal.objects.filter(status=Proposal.Status.APPROVED, published__isnull=False)
    return in_force.filter(silent, ~Exists(told)).exclude(pattern__status=Pattern.Status.PROPOSED)


@transaction.atomic
def propose(origin_id: int) -> Proposal | None:
    """Propose to cut the rule that a proposal brought; None where it is not due, or the rule no longer stands so."""
    document_id = Proposal.objects.values_list("document_id", flat=True).get(pk=origin_id)
    lock_document(document_id)
    Pattern.objects.select_for_update(no_key=True).filter(proposals=origin_id).order_by("pk").first()
    origin = due().select_related("document__agent", "document__current", "revision", "published", "pattern")
    found = origin.filter(pk=origin_id).first()
    current = found.document.current if found else None
    if found is None or current is None:
        return None
    number = rule_line(found, current)
    if number is None:
        return None
    return _open(found, current, number)


def _open(origin: Proposal, current: Version, number: int) -> Proposal | None:
    lines = lines_of(current.text)
    line = lines[number].strip()
    wish = Wish(
        document=origin.document,
        base=current,
        text=pile.without_line(lines, number),
        title=_title(line),
        rationale=_rationale(origin),
        origin=Proposal.Origin.DRAFTER,
        author=Author(),
        fingerprint=_fingerprint(origin.document, line),
    )
    try:
        with transaction.atomic():
            made = open_proposal(wish)
    except ReviewError as refused:
        log.info("removal_not_proposed", proposal=origin.pk, why=str(refused))
        return None
    pattern = origin.pattern
    if pattern is None:  # `due` asks for one
        raise ValueError(f"proposal {origin.pk} has no pattern")
    Removal.objects.create(proposal=made, origin=origin, pattern=pattern, line=line, silent_since=pattern.last_seen)
    return made


def rule_line(origin: Proposal, current: Version) -> int | None:
    """Where (from 0) the one rule a proposal added still stands word for word, by blame; None if it may not be cut.

    A proposal that added more than one line, or reworded one that was there before, has no line of its own to cut.
    """
    if origin.published is None or origin.revision is None:
        return None
    lines = [line.rstrip("\r\n") for line in lines_of(current.text)]
    rules = {rule.line - 1 for rule in pile.rules(current.text)}
    brought = [
        n for n, version in enumerate(current.line_versions) if version == origin.published.number and n in rules
    ]
    if len(brought) != 1:
        return None
    (number,) = brought
    rows = Diff.from_json(origin.revision.diff).rows
    added = [row for row in rows if row.kind == "add" and not row.heading and row.text.strip()]
    whole = [row.text.rstrip("\r\n") for row in added if not row.changed and not row.moved]
    locked = under(current.text, protected_headings(origin))
    if len(added) != 1 or whole != [lines[number]] or locked[number] or pile.holds_more(lines, number):
        return None
    return number


def _title(line: str) -> str:
    return f"Remove “{pile.shortened(unmarked(line), MAX_TITLE - len('Remove “”'))}”"


def _rationale(origin: Proposal) -> str:
    pattern = origin.pattern
    brought = f"Proposal {origin.pk} brought this rule because of “{pattern}”."
    if pattern is None or pattern.last_seen is None:
        return f"{brought} None of the reports behind it counts any more."
    days = (timezone.now() - pattern.last_seen).days
    return (
        f"{brought} Nobody has reported that since {pattern.last_seen:%-d %B %Y}, {days} days ago. "
        "If it is the rule that keeps it away, reject this."
    )


def _fingerprint(document: Document, line: str) -> str:
    """Unlike that of any rule: a removal says the opposite of the line it removes."""
    rule = unmarked(line)
    mark = Draft(document.slug, "", "", "", "", template="removal", rule=f"remove {rule}", names=(rule,))
    return fingerprint(mark)
