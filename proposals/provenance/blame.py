"""Why each line of a text is there: the reads behind blame."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from agents.compiled import Compiled, keys
from agents.models import WHOLE, Version
from proposals.models import Decision, Proposal
from proposals.reviewing.shown import TextLine

_PROPOSALS: Final = Compiled(
    lambda: (
        Proposal.objects.filter(**{"published__pk__any_of": keys("versions")})
        .select_related("pattern", "author", "author_key")
        .defer("rationale", "pattern__centroid")
    )
)
_APPROVALS: Final = Compiled(
    lambda: (
        Decision.objects.filter(
            **{"revision__proposal__pk__any_of": keys("proposals")}, verdict=Decision.Verdict.APPROVE
        )
        .select_related("actor", "revision")
        .defer("revision__text", "revision__diff")
    )
)


@dataclass(frozen=True, slots=True)
class Origin:
    """A version, the proposal it came from, and who approved that."""

    version: Version
    proposal: Proposal | None
    approvers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Stretch:
    """Neighbouring lines of one origin."""

    origin: Origin
    lines: list[TextLine]


def stretches(version: Version, lines: Sequence[TextLine]) -> list[Stretch]:
    """These lines of the text by who brought them. Three queries, whatever the length of text and history."""
    brought_by = [version.line_versions[line.number - 1] for line in lines]
    found = origins(version, brought_by)
    return [
        Stretch(found[number], [line for line, _ in run])
        for number, run in groupby(zip(lines, brought_by, strict=True), key=lambda item: item[1])
    ]


def origins(version: Version, numbers: Collection[int] | None = None) -> dict[int, Origin]:
    """What is known of these versions, or else of every one that lines of this one come from, by their number."""
    wanted = set(version.line_versions if numbers is None else numbers)
    versions = Version.objects.filter(document=version.document_id, number__in=wanted).defer(*WHOLE)
    return {origin.version.number: origin for origin in origins_of(versions).values()}


def origins_of(versions: Iterable[Version]) -> dict[int, Origin]:
    """What is known of versions of any documents, by their key. Two queries, and what reading them takes."""
    found = {one.pk: one for one in versions}
    proposals = {proposal.published_id: proposal for proposal in _PROPOSALS.ask(versions=list(found))}
    approvers = _approvers([proposal.pk for proposal in proposals.values()])
    return {
        pk: Origin(one, proposal, approvers.get(proposal.pk, ()) if proposal else ())
        for pk, one in found.items()
        for proposal in [proposals.get(pk)]
    }


def _approvers(proposals: Sequence[int]) -> dict[int, tuple[str, ...]]:
    """Who approved, by proposal, in the order they did."""
    names: dict[int, dict[str, None]] = {}
    for approval in _APPROVALS.ask(proposals=list(proposals)):
        names.setdefault(approval.revision.proposal_id, {})[str(approval.actor)] = None
    return {proposal: tuple(people) for proposal, people in names.items()}
