"""Verdicts in words, for pages, mails and the log."""

from collections.abc import Callable, Mapping

from proposals.judging.metrics import METRICS
from proposals.judging.verdicts import Finding, Rule, Trouble, Verdict


def sentence(verdict: Verdict) -> str:
    """What was found and by which rule, in one or two sentences."""
    return _WORDINGS[verdict.rule](verdict)


def line(finding: Finding) -> str:
    """One metric with its two values and its interval, without a full stop."""
    if finding.candidate is None or finding.current is None:
        return f"{_capital(finding.title)}: not reported by {_missing(finding)}"
    values = f"{_value(finding, finding.candidate)} against {_value(finding, finding.current)}"
    if finding.low is None or finding.high is None:
        return f"{_capital(finding.title)}: {values}"
    low, high = (_difference(finding, end) for end in (finding.low, finding.high))
    return f"{_capital(finding.title)}: {values}, a difference between {low} and {high}"


def warning(trouble: Trouble) -> str:
    """Why the comparison may not be trusted."""
    if trouble.kind == "silence":
        return (
            f"No run of the candidate among the last {_runs(trouble.current_in_a_row)}, "
            f"though its share is {_percent(trouble.share)}."
        )
    return (
        f"{trouble.candidate_units:,} of {trouble.units:,} units had the candidate where about "
        f"{trouble.expected_units:,.0f} were expected: runs are lost or assigned wrongly on one side, so the two "
        "versions cannot be compared."
    )


def _evidence(verdict: Verdict) -> str:
    finding = verdict.finding(verdict.metric or "success")
    return (
        f"Worse: {_compared(finding)}. After {_runs(finding.crossed_at or 0)} of the candidate the evidence was at "
        f"least {finding.needed:,.0f} to 1, which rolls back."
    )


def _interval(verdict: Verdict) -> str:
    if verdict.kind == "inconclusive":
        return _doubtful(verdict)
    better = [one.title for one in verdict.findings if one.standing == "better"]
    rest = [_at_worst(one) for one in verdict.findings if one.standing == "no_worse"]
    if not better:
        return f"No worse: {_listed(rest)}."
    return f"Better: {_listed(better)}." + (f" No worse: {_listed(rest)}." if rest else "")


def _doubtful(verdict: Verdict) -> str:
    if verdict.metric is None:
        return "Not clear: the current version reports nothing to compare with."
    finding = verdict.finding(verdict.metric)
    if finding.low is None:
        return f"Not clear yet: there is too little to compare in {finding.title}."
    return f"Not clear yet: {_at_worst(finding)}; no worse means {_margin(finding)}."


def _quick(verdict: Verdict) -> str:
    candidate, current = verdict.broken or (0.0, None)
    after = f"after {_runs(verdict.rolled_back_at or 0)} of the candidate"
    if verdict.rule == "quick_failures" or current is None:
        return f"Worse by a quick rule: {candidate:.0f} failures in a row {after}."
    if verdict.rule == "quick_latency":
        return (
            f"Worse by a quick rule: the last runs took {_ms(candidate)} on average, against {_ms(current)} with the "
            f"current version, {after}."
        )
    succeeded = f"{_percent(candidate)} of the last runs succeeded, against {_percent(current)}"
    return f"Worse by a quick rule: {succeeded}, {after}."


def _first(kind: str) -> Callable[[Verdict], str]:
    return lambda verdict: next(warning(one) for one in verdict.troubles if one.kind == kind)


def _least_runs(verdict: Verdict) -> str:
    return f"Too early to tell: {_runs(verdict.runs['candidate'])} of the candidate, of at least {verdict.least_runs}."


_WORDINGS: Mapping[Rule, Callable[[Verdict], str]] = {
    "evidence": _evidence,
    "interval": _interval,
    "least_runs": _least_runs,
    "sample_ratio": _first("mismatch"),
    "silence": _first("silence"),
    "quick_success": _quick,
    "quick_latency": _quick,
    "quick_failures": _quick,
}


def _compared(finding: Finding) -> str:
    if finding.candidate is None or finding.current is None:
        return finding.title
    candidate, current = _value(finding, finding.candidate), _value(finding, finding.current)
    return f"{finding.title} {candidate}, against {current} with the current version"


def _at_worst(finding: Finding) -> str:
    worst = _worst(finding)
    if finding.unit == "ratio":
        return f"{finding.title} {_percent(max(0.0, worst - 1))} longer at worst"
    loss = max(0.0, abs(worst) if _is_loss(finding, worst) else 0.0)
    direction = "lower" if METRICS[finding.metric].more_is_better else "higher"
    return f"{finding.title} {_amount(finding, loss)} {direction} at worst"


def _worst(finding: Finding) -> float:
    end = finding.low if METRICS[finding.metric].more_is_better else finding.high
    return 0.0 if end is None else end


def _is_loss(finding: Finding, worst: float) -> bool:
    return worst < 0 if METRICS[finding.metric].more_is_better else worst > 0


def _margin(finding: Finding) -> str:
    if finding.unit == "ratio":
        return f"at most {_percent(finding.margin - 1)}"
    return f"at most {_amount(finding, finding.margin)}"


def _amount(finding: Finding, size: float) -> str:
    return f"{size * 100:.1f} points" if finding.unit == "points" else f"{size:.2f}"


def _value(finding: Finding, value: float) -> str:
    if finding.unit == "points":
        return _percent(value, 1)
    return _ms(value) if finding.unit == "ratio" else f"{value:.2f}"


def _difference(finding: Finding, value: float) -> str:
    if finding.unit == "points":
        return f"{value * 100:+.1f} points".replace("-", "−")
    return (_percent(value - 1, sign="+") if finding.unit == "ratio" else f"{value:+.2f}").replace("-", "−")


def _percent(value: float, digits: int = 0, sign: str = "") -> str:
    return f"{value:{sign}.{digits}%}".replace("%", "\u00a0%")


def _ms(value: float) -> str:
    return f"{value / 1000:.1f} s" if value >= 1000 else f"{value:.0f} ms"


def _runs(count: int) -> str:
    return f"{count:,} run" if count == 1 else f"{count:,} runs"


def _missing(finding: Finding) -> str:
    if finding.candidate is None and finding.current is None:
        return "either version"
    return "the candidate" if finding.candidate is None else "the current version"


def _listed(parts: list[str]) -> str:
    return ", ".join(parts)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
