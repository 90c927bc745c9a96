"""What proposals and rollouts hold of an end user whose reports are erased."""

from dataclasses import replace

from feedback.actions.erasure import Gone
from feedback.models import Pattern
from proposals.judging.outcomes import Compared
from proposals.models import JudgedUnit, Outcome, Trial


def erase(gone: Gone) -> None:
    """Empty the outputs handed in for their cases, forget how often the judge heard of them, and call patterns as they
    are called now where an outcome tells of them.
    """
    Trial.objects.filter(feedback__in=gone.feedback).update(output="", marks={})
    JudgedUnit.objects.filter(unit_hash=gone.subject).delete()
    names = {one.pk: str(one) for one in Pattern.objects.filter(pk__in=gone.patterns).only("label", "kind")}
    agents = Pattern.objects.filter(pk__in=names).values("agent")
    for outcome in Outcome.objects.filter(proposal__document__agent__in=agents).select_for_update(of=("self",)):
        _rename(outcome, names)


def _rename(outcome: Outcome, names: dict[int, str]) -> None:
    def named(one: Compared) -> Compared:
        return replace(one, label=names.get(one.pattern or 0, one.label))

    found = outcome.found
    target = named(found.target) if found.target else None
    told = replace(found, target=target, others=tuple(map(named, found.others))).to_json()
    if told != outcome.findings:
        outcome.findings = told
        outcome.save(update_fields=["findings"])
