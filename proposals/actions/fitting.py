"""How changes fit the version that is current: merged once for the two, not each time somebody looks."""

from dataclasses import asdict
from time import monotonic

from django.db.models import Exists, F, OuterRef, QuerySet

from agents.models import Version
from proposals.actions.proposals import merged_onto_current
from proposals.models import Fit, Proposal

SWEEP_S = 5.0


def fit_of(proposal: Proposal, current: Version) -> Fit:
    """How its newest revision fits the current version; merged here where nobody has done it yet."""
    known = Fit.objects.filter(revision=proposal.revision_id, version=current.pk).first()
    return known or _merged(proposal, current)


def fit_all(*, within: float = SWEEP_S) -> int:
    """Merge what stands behind its document and was not merged with the current version; how many, in about `within`
    seconds.
    """
    until, done = monotonic() + within, 0
    for pk in _unmerged().values_list("pk", flat=True):
        if monotonic() > until:
            break
        proposal = Proposal.objects.for_page().get(pk=pk)
        if proposal.is_open and proposal.is_stale and proposal.document.current:
            _merged(proposal, proposal.document.current)
            done += 1
    return done


def _unmerged() -> QuerySet[Proposal]:
    known = Fit.objects.filter(revision=OuterRef("revision"), version=OuterRef("document__current"))
    behind = Proposal.objects.open().exclude(status=Proposal.Status.IN_EFFECT)
    behind = behind.filter(document__current__isnull=False).exclude(base_version=F("document__current"))
    return behind.filter(~Exists(known)).order_by("pk")


def _merged(proposal: Proposal, current: Version) -> Fit:
    """Two that merge at once write the same; where they merged with two versions, the last one stays."""
    merged = merged_onto_current(proposal)
    applies = merged.is_clean and merged.text != current.text
    conflicts = [asdict(conflict) for conflict in merged.conflicts]
    fit = Fit(revision=proposal.revision, version=current, applies=applies, conflicts=conflicts)
    Fit.objects.bulk_create(
        [fit],
        update_conflicts=True,
        unique_fields=["revision"],
        update_fields=["version", "applies", "conflicts"],
    )
    return fit
