"""Say in words what a pattern is about, from what at least the required number of sources said."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from itertools import islice

from django.conf import settings

from feedback.mining import Kind, classify, common, label, replacement, telling, terms, topics, verdict
from feedback.models import Evidence, Pattern

READ_AT_MOST = 300


def refresh(pattern: Pattern) -> None:
    """Find label and terms anew, unless the pattern grew by less than a quarter since. Does not save."""
    if pattern.named_support and pattern.support * 4 < pattern.named_support * 5:
        return
    evidence = newest_evidence(pattern)
    kind = Kind(pattern.kind)
    said, least = texts_by_source(evidence), settings.COUNTERSIGN_MIN_SOURCES
    pattern.terms = terms(said, least) or terms(said, least, judging=True)
    first = evidence[0].feedback
    labels = {"predicted": first.predicted, "expected": first.expected} if first and kind is Kind.MISLABEL else {}
    changed = consensus_change(evidence) if kind is Kind.CORRECTION else None
    if not pattern.is_named_by_hand:
        found = telling(said, pattern.terms, least)
        pattern.label = label(kind, found, template=_template(pattern), changed=changed, **labels)
    pattern.error_class = (error_class_of(evidence) or "") if kind is Kind.ERROR else ""
    pattern.named_support = pattern.support


def _template(pattern: Pattern) -> str:
    """What an error's signature and those the miner merged into it have in common; what a person merged says more."""
    joined = Pattern.objects.filter(merged_into=pattern, is_merged_by_miner=True).exclude(signature="").order_by("pk")
    return common([pattern.signature, *joined.values_list("signature", flat=True)[:READ_AT_MOST]])


def newest_evidence(pattern: Pattern) -> list[Evidence]:
    """The newest evidence with its reports, at most READ_AT_MOST."""
    return list(pattern.evidence.select_related("feedback", "run").order_by("-at", "-pk")[:READ_AT_MOST])


def texts_by_source(evidence: Iterable[Evidence]) -> dict[str, list[str]]:
    """What each source said, keyed by its hash in hex."""
    said: dict[str, list[str]] = defaultdict(list)
    for item in evidence:
        said[bytes(item.source).hex()].extend(filter(None, _texts(item)))
    return said


def _texts(evidence: Evidence) -> tuple[str, ...]:
    if evidence.run:
        return (evidence.run.error,)
    if evidence.feedback:
        return (evidence.feedback.reason, evidence.feedback.correction or evidence.feedback.edited_output)
    return ()


def topics_of(kind: Kind, evidence: Iterable[Evidence]) -> list[str]:
    """What most sources speak of, as a sentence takes it. Wrong labels are about what the agent was asked."""
    said = texts_by_source(evidence) if kind is not Kind.MISLABEL else _inputs_by_source(evidence)
    return topics(said, settings.COUNTERSIGN_MIN_SOURCES)


def _inputs_by_source(evidence: Iterable[Evidence]) -> dict[str, list[str]]:
    asked: dict[str, list[str]] = defaultdict(list)
    for item in evidence:
        if item.feedback and item.feedback.input:
            asked[bytes(item.source).hex()].append(item.feedback.input)
    return asked


def reason_of(evidence: Sequence[Evidence]) -> str:
    """The reason code that most sources gave, or the one their words mean if none or "other" leads; else empty."""
    given = {(bytes(item.source), item.feedback.reason_code) for item in evidence if item.feedback}
    counts = Counter(code for _, code in given if code)
    code = min(counts, key=lambda code: (-counts[code], code), default="")
    return code if code not in ("", "other") else verdict(texts_by_source(evidence)) or code


def error_class_of(evidence: Iterable[Evidence]) -> str | None:
    """The class that the errors of most sources are of; None where nothing failed."""
    runs = [item.run for item in islice(evidence, READ_AT_MOST) if item.run]
    own = settings.COUNTERSIGN_ERROR_CLASSES
    classes = {(bytes(run.source), classify(run.error, run.error_type, own)) for run in runs}
    counts = Counter(name for _, name in classes)
    return min(counts, key=lambda name: (-counts[name], name), default=None)


def consensus_change(evidence: Iterable[Evidence]) -> tuple[str, str] | None:
    """The replacement (old phrase, new phrase) that enough sources made in their corrections."""
    pairs: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for item in islice(evidence, READ_AT_MOST):
        if item.feedback and item.feedback.output:
            corrected = item.feedback.correction or item.feedback.edited_output
            pairs[bytes(item.source).hex()].append((item.feedback.output, corrected))
    return replacement(pairs, settings.COUNTERSIGN_MIN_SOURCES)
