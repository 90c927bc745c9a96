"""From what is remembered to a verdict."""

import math
from collections.abc import Mapping
from typing import Any

from proposals.judging import intervals
from proposals.judging.metrics import GUARDS, METRICS, Metric
from proposals.judging.quick import FALSE_ALARMS, QuickRules
from proposals.judging.settings import Settings
from proposals.judging.strands import Strand
from proposals.judging.traffic import Traffic
from proposals.judging.verdicts import Finding, Kind, Rule, Standing, Trouble, Verdict

MOST_EVIDENCE = 300.0
"""Log capital shown at most; more does not fit a number."""


def deliberate(
    settings: Settings, traffic: Traffic, quick: QuickRules, strands: Mapping[str, Strand], rolled_back_at: int | None
) -> Verdict:
    """The verdict; worse if `rolled_back_at` says so, by which rule is looked up here."""
    findings = tuple(_finding(settings, METRICS[name], strand) for name, strand in strands.items())
    troubles = tuple(_troubles(settings, traffic))
    kind, rule, metric = _ruling(settings, traffic, quick, findings, troubles, rolled_back_at)
    broken = quick.broken if rule.startswith("quick") else None
    return Verdict(
        kind=kind,
        rule=rule,
        metric=metric,
        is_better=kind == "no_worse" and any(one.standing == "better" for one in findings),
        runs={"candidate": traffic.candidate_runs, "current": traffic.current_runs},
        least_runs=settings.least_runs,
        alpha=settings.alpha,
        confidence=settings.confidence,
        findings=findings,
        troubles=troubles,
        broken=(broken.candidate, broken.current) if broken else None,
        rolled_back_at=rolled_back_at,
        false_alarms=FALSE_ALARMS if settings.rules == "quick" else _bound(settings),
    )


def _bound(settings: Settings) -> str:
    part = f"{settings.alpha * 100:.3g}\u00a0%"
    return f"an identical candidate is undone in at most {part} of rollouts, however long they are"


def _ruling(
    settings: Settings,
    traffic: Traffic,
    quick: QuickRules,
    findings: tuple[Finding, ...],
    troubles: tuple[Trouble, ...],
    rolled_back_at: int | None,
) -> tuple[Kind, Rule, str | None]:
    """Worse goes before everything: undoing is safe. Trouble goes before good news, which it would make doubtful."""
    if rolled_back_at is not None:
        return ("worse", *_cause(settings, quick, findings))
    if traffic.candidate_runs < settings.least_runs:
        return "inconclusive", "silence" if _is_silent(troubles) else "least_runs", None
    if troubles:
        return "inconclusive", "silence" if _is_silent(troubles) else "sample_ratio", None
    judged = [one for one in findings if one.metric in settings.needed and one.standing != "not_reported"]
    doubtful = next((one.metric for one in judged if one.standing not in ("better", "no_worse")), None)
    if judged and doubtful is None:
        return "no_worse", "interval", None
    return "inconclusive", "interval", doubtful


def _is_silent(troubles: tuple[Trouble, ...]) -> bool:
    return any(one.kind == "silence" for one in troubles)


_QUICK: Mapping[str, tuple[Rule, str]] = {
    "success": ("quick_success", "success"),
    "latency": ("quick_latency", "latency"),
    "failures": ("quick_failures", "success"),
}


def _cause(settings: Settings, quick: QuickRules, findings: tuple[Finding, ...]) -> tuple[Rule, str]:
    heeded = [one for one in findings if settings.rules != "quick" or one.metric in GUARDS]
    crossed = [(one.crossed_at, one.metric) for one in heeded if one.crossed_at is not None]
    first = min(crossed, key=lambda found: (found[0], found[1] not in GUARDS), default=None)
    broken = quick.broken if settings.rules == "quick" else None
    if broken and (first is None or broken.candidate_runs < first[0]):
        return _QUICK[broken.rule]
    if first is None:
        raise ValueError("nothing was found that rolls back")
    return "evidence", first[1]


def _finding(settings: Settings, metric: Metric, strand: Strand) -> Finding:
    (current_runs, candidate_runs), (current, candidate) = strand.counts, strand.sums
    better = intervals.mean(strand.down, strand.up)
    low, high = intervals.interval(strand.down, strand.up, settings.confidence)
    ends = sorted((metric.difference(low), metric.difference(high)))
    margin = settings.margins[metric.name]
    return Finding(
        metric=metric.name,
        title=metric.title,
        unit=metric.unit,
        standing=_standing(metric, strand, low, margin),
        candidate=metric.shown(candidate / candidate_runs) if candidate_runs else None,
        current=metric.shown(current / current_runs) if current_runs else None,
        candidate_runs=candidate_runs,
        current_runs=current_runs,
        difference=None if better is None else metric.difference(better),
        low=None if better is None else ends[0],
        high=None if better is None else ends[1],
        margin=margin,
        evidence=math.exp(min(strand.purse.peak, MOST_EVIDENCE)),
        needed=settings.threshold(metric.name),
        crossed_at=strand.crossed_at,
    )


def _standing(metric: Metric, strand: Strand, low: float, margin: float) -> Standing:
    if strand.crossed_at is not None:
        return "worse"
    if not strand.counts[0]:
        return "not_reported"
    if low > 0:
        return "better"
    return "no_worse" if low >= -metric.bearable(margin) else "inconclusive"


def _troubles(settings: Settings, traffic: Traffic) -> list[Trouble]:
    facts: dict[str, Any] = {
        "share": traffic.share,
        "candidate_units": traffic.candidate_units,
        "expected_units": traffic.expected_units,
        "units": traffic.candidate_units + traffic.current_units,
        "current_in_a_row": traffic.current_in_a_row,
        "evidence": math.exp(min(traffic.purse.peak, MOST_EVIDENCE)),
        "needed": 1 / settings.mismatch_alpha,
    }
    found = []
    if traffic.is_silent:
        found.append(Trouble("silence", **facts))
    if traffic.is_mismatched(settings.mismatch_alpha):
        found.append(Trouble("mismatch", **facts))
    return found
