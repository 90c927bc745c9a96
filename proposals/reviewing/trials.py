"""Old and new outputs of real cases, as the pages show them. A fixed number of queries, whatever was handed in."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Exists, OuterRef

from feedback.models import Feedback
from proposals.actions.trials import cases_of
from proposals.diffs import Diff
from proposals.models import Proposal, Trial
from proposals.reviewing import shown

PER_PAGE = 10
SHOWN_FIRST = 2


@dataclass(frozen=True, slots=True)
class NewAnswer:
    """One new output with its difference from the old one, laid out; `is_older` says it was made under another text."""

    trial: Trial
    lines: Sequence[shown.Line]
    is_older: bool


@dataclass(frozen=True, slots=True)
class Case:
    """One report, with the new outputs for its input, those under the newest text first."""

    feedback: Feedback
    answers: list[NewAnswer]


def first_cases(proposal: Proposal) -> tuple[list[Case], bool]:
    """The first cases with new outputs, and whether there are more. One query."""
    found = list(Trial.objects.of(proposal)[: SHOWN_FIRST + 1])
    cases: list[Case] = []
    for trial in found[:SHOWN_FIRST]:
        cases.append(Case(trial.feedback, [_answer(proposal, trial)]))
    return cases, len(found) > SHOWN_FIRST


def page_of_cases(proposal: Proposal, number: str | None) -> "Page[Any]":
    """One page of all cases with their new outputs; those that were tried first, the newest of each first."""
    tried = Exists(Trial.objects.filter(revision__proposal=proposal, feedback=OuterRef("pk")))
    cases = cases_of(proposal).annotate(tried=tried).order_by("-tried", "-at", "-pk")
    page: Page[Any] = Paginator(cases, PER_PAGE).get_page(number)
    reports = list(page.object_list)
    answers: dict[int, list[NewAnswer]] = defaultdict(list)
    for trial in Trial.objects.of(proposal).filter(feedback__in=reports)[: PER_PAGE * PER_PAGE]:
        answers[trial.feedback_id].append(_answer(proposal, trial))
    page.object_list = [Case(report, answers[report.pk]) for report in reports]
    return page


def _answer(proposal: Proposal, trial: Trial) -> NewAnswer:
    lines = shown.beside(Diff.from_json(trial.marks).rows)
    return NewAnswer(trial, lines, trial.revision_id != proposal.revision_id)
