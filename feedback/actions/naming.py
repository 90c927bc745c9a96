"""Say in words what a pattern is about, from what at least the required number of sources said."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from itertools import islice

from django.conf import settings
from django.db import transaction
from django.db.models import F

from feedback.mining import Kind, classify, common, label, replacement, telling, terms, topics, verdict
from feedback.models import Evidence, Pattern

READ_AT_MOST = 300
_NAMED_BY = {kind: 30 if kind is Kind.ERROR else 120 for kind in Kind}
"""So many of the newest reports name a pattern. Those of one error are nearly equal, and its template says most."""


def refresh(pattern: Pattern) -> None:
    """Find label and terms anew, unless the pattern grew by less than a quarter since. Does not save."""
    if pattern.named_support and pattern.support * 4 < pattern.named_support * 5:
        return
    kind = Kind(pattern.kind)
    evidence = newest_evidence(pattern, _NAMED_BY[kind])
    name, pattern.terms = words_for(kind, evidence, _signatures(pattern))
    if not pattern.is_named_by_hand:
        pattern.label = name
    pattern.error_class = (error_class_of(evidence) or "") if kind is Kind.ERROR else ""
    pattern.named_support = pattern.support


def words_for(kind: Kind, evidence: Sequence[Evidence], signatures: Sequence[str]) -> tuple[str, list[str]]:
    """Label and terms of what some evidence says, at least one, the newest first; of errors by their signatures too."""
    said, least = texts_by_source(evidence), settings.COUNTERSIGN_MIN_SOURCES
    found = terms(said, least) or terms(said, least, judging=True)
    first = evidence[0].feedback
    labels = {"predicted": first.predicted, "expected": first.expected} if first and kind is Kind.MISLABEL else {}
    changed = consensus_change(evidence) if kind is Kind.CORRECTION else None
    template = common(signatures) if kind is Kind.ERROR else ""
    return label(kind, telling(said, found, least), template=template, changed=changed, **labels), found


def refresh_all(pattern_ids: Iterable[int]) -> None:
    """Find the names of those of these patterns anew that are shown and grew by a quarter, each in a transaction."""
    grown = Pattern.objects.shown().filter(support__gte=F("named_support") * 5 / 4, named_support__gt=0)
    asked = iter(sorted(pattern_ids))
    while some := list(islice(asked, 1000)):
        for pk in list(grown.filter(pk__in=some).order_by("pk").values_list("pk", flat=True)):
            _refresh(pk)


@transaction.atomic
def _refresh(pattern_id: int) -> None:
    rows = Pattern.objects.shown().select_for_update(no_key=True).defer("centroid", "meaning")
    if pattern := rows.filter(pk=pattern_id, support__gt=0).first():
        refresh(pattern)
        pattern.save(update_fields=["label", "terms", "named_support", "error_class"])


def _signatures(pattern: Pattern) -> list[str]:
    """An error's signature and those the miner merged into it; what a person merged says more."""
    if pattern.kind != Kind.ERROR:
        return []
    joined = Pattern.objects.filter(merged_into=pattern, is_merged_by_miner=True).exclude(signature="").order_by("pk")
    return [pattern.signature, *joined.values_list("signature", flat=True)[:READ_AT_MOST]]


def newest_evidence(pattern: Pattern, most: int = READ_AT_MOST) -> list[Evidence]:
    """The newest evidence with its reports, so much at most."""
    return list(pattern.evidence.select_related("feedback", "run").order_by("-at", "-pk")[:most])


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
