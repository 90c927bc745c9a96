"""Say in words what a pattern is about, from what at least the required number of sources said."""

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from itertools import islice

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Left

from feedback.actions import columns
from feedback.actions.spoken import Spoken, newest
from feedback.contrast import Row, asked_by_source, contrast, contrast_in, labelled
from feedback.mining import Kind, asides, classify, common, label, replacement, telling, terms, topics, verdict
from feedback.mining.cleaning import clean, words
from feedback.models import Evidence, Feedback, Pattern

READ_AT_MOST = 300
COMPARED_CHARS = 400
AT_ONCE = 50
"""So many patterns are named at once."""
_NAMED_BY = {kind: 30 if kind is Kind.ERROR else 120 for kind in Kind}
"""So many of the newest reports name a pattern. Those of one error are nearly equal, and its template says most."""


def refresh(pattern: Pattern) -> None:
    """Find label and terms anew, unless the pattern grew by less than a quarter since. Does not save."""
    refresh_each([pattern])


def refresh_each(patterns: Sequence[Pattern]) -> None:
    """As `refresh`, for several at once: two queries for AT_ONCE of them."""
    grown = [one for one in patterns if not one.named_support or one.support * 4 >= one.named_support * 5]
    known = {agent: labelled(agent) for agent in {one.agent_id for one in grown if one.kind == Kind.MISLABEL}}
    for start in range(0, len(grown), AT_ONCE):
        some = grown[start : start + AT_ONCE]
        said, signatures = newest({one.pk: _NAMED_BY[Kind(one.kind)] for one in some}), _signatures(some)
        for pattern in some:
            _name(pattern, said[pattern.pk], signatures[pattern.pk], known.get(pattern.agent_id, []))


def _name(pattern: Pattern, said: Sequence[Spoken], signatures: Sequence[str], rows: Sequence[Row]) -> None:
    kind = Kind(pattern.kind)
    name, pattern.terms = words_for(kind, said, signatures)
    first = said[0].feedback if said and kind is Kind.MISLABEL else None
    if first:
        told = contrast_in(rows, first.expected, first.predicted)
        pattern.terms = told.for_expected
        name = label(kind, told.for_expected, predicted=told.predicted, expected=told.expected)
    if not pattern.is_named_by_hand:
        pattern.label = name
    pattern.error_class = (error_class_of(said) or "") if kind is Kind.ERROR else ""
    pattern.named_support = pattern.support


def words_for(kind: Kind, reports: Sequence[Spoken], signatures: Sequence[str]) -> tuple[str, list[str]]:
    """Label and terms of what some reports say, the newest first; of errors by their signatures too."""
    said, least = texts_by_source(reports), settings.COUNTERSIGN_MIN_SOURCES
    found = terms(said, least) or terms(said, least, judging=True)
    if kind is Kind.ERROR:
        return label(kind, template=common(signatures) if signatures else ""), found
    first = reports[0].feedback if reports else None
    if first and kind is Kind.MISLABEL:
        return label(kind, predicted=first.predicted, expected=first.expected), found
    changed = consensus_change(reports) if kind is Kind.CORRECTION else None
    told = telling(said, found, least)
    code = reason_of(reports) if kind is Kind.COMPLAINT and not told else ""
    return label(kind, told, changed=changed, reason_code=code), found


def refresh_all(agent_id: int) -> None:
    """Find the names of an agent's patterns anew that are shown and grew by a quarter, some in a transaction."""
    shown = Pattern.objects.filter(agent=agent_id, status__in=_SHOWN, named_support__gt=0)
    grown = shown.filter(support__gte=F("named_support") * 5 / 4).order_by("pk")
    found = list(grown.values_list("pk", flat=True))
    for start in range(0, len(found), AT_ONCE):
        _refresh(found[start : start + AT_ONCE])


_SHOWN = [status for status in Pattern.Status if status not in Pattern.HIDDEN]
_NAMED = """
    UPDATE feedback_pattern p
    SET label = new.label, terms = new.terms, named_support = new.named_support, error_class = new.error_class
    FROM unnest(%s::bigint[], %s::text[], %s::jsonb[], %s::int[], %s::text[])
        AS new (id, label, terms, named_support, error_class)
    WHERE p.id = new.id
"""


def name_anew(pattern_ids: Collection[int]) -> None:
    """Find the names of these patterns anew, of those that are shown and count something, however little they grew."""
    Pattern.objects.filter(pk__in=pattern_ids).update(named_support=0)
    _refresh(sorted(pattern_ids))


@transaction.atomic
def _refresh(pattern_ids: Sequence[int]) -> None:
    rows = Pattern.objects.shown().select_for_update(no_key=True).defer("centroid", "meaning").order_by("pk")
    patterns = list(rows.filter(pk__in=pattern_ids, support__gt=0))
    refresh_each(patterns)
    columns.run(
        _NAMED, [(one.pk, one.label, json.dumps(one.terms), one.named_support, one.error_class) for one in patterns]
    )


def _signatures(patterns: Iterable[Pattern]) -> dict[int, list[str]]:
    """Of each error its signature and those the miner merged into it; what a person merged says more."""
    patterns = list(patterns)
    found = {one.pk: [one.signature] if one.kind == Kind.ERROR and one.signature else [] for one in patterns}
    errors = [one.pk for one in patterns if one.kind == Kind.ERROR]
    joined = Pattern.objects.filter(merged_into__in=errors, is_merged_by_miner=True).exclude(signature="")
    for pk, signature in joined.order_by("pk").values_list("merged_into", "signature") if errors else ():
        if pk is not None and len(found[pk]) <= READ_AT_MOST:
            found[pk].append(signature)
    return found


def newest_evidence(pattern: Pattern, most: int = READ_AT_MOST) -> list[Evidence]:
    """The newest evidence with its reports, so much at most."""
    return list(pattern.evidence.select_related("feedback", "run").order_by("-at", "-pk")[:most])


def texts_by_source(reports: Iterable[Spoken]) -> dict[str, list[str]]:
    """What each source said, keyed by its hash in hex."""
    said: dict[str, list[str]] = defaultdict(list)
    for item in reports:
        said[bytes(item.source).hex()].extend(filter(None, _texts(item)))
    return said


def _texts(report: Spoken) -> tuple[str, ...]:
    if report.run:
        return (report.run.error,)
    if report.feedback:
        return (report.feedback.reason, report.feedback.correction or report.feedback.edited_output)
    return ()


def compared(pattern: Pattern, evidence: Sequence[Evidence]) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """What each source said in this evidence, and in the agent's other reports of the same time; praise is left out.

    Both are empty where so much else was reported lately that too little of the evidence is of that time. One query.
    """
    other = Feedback.objects.counted().exclude(rating=Feedback.Rating.POSITIVE).exclude(evidence__pattern=pattern)
    texts = [Left(name, COMPARED_CHARS) for name in ("reason", "correction", "edited_output")]
    since = min(item.at for item in evidence)
    rows = other.filter(agent=pattern.agent_id, at__gte=since).order_by("-at", "-pk")
    found = list(rows.values_list("at", "source", *texts)[:READ_AT_MOST])
    if len(found) == READ_AT_MOST:
        since = found[-1][0]
    own = texts_by_source(item for item in evidence if item.at >= since)
    if len(own) < settings.COUNTERSIGN_MIN_SOURCES:
        return {}, {}
    said: dict[str, list[str]] = defaultdict(list)
    for _, source, *parts in found:
        said[bytes(source).hex()].extend(filter(None, parts))
    return own, said


def topics_of(kind: Kind, evidence: Sequence[Evidence]) -> list[str]:
    """What most sources speak of, as a sentence takes it. Of wrong labels what tells them apart in what was asked."""
    least = settings.COUNTERSIGN_MIN_SOURCES
    if kind is not Kind.MISLABEL:
        return topics(texts_by_source(evidence), least)
    told = contrast(evidence)
    apart = [f"“{word}”" for word in told.for_expected] if told else []
    # Unless it is told apart, a word that names nothing may as well speak for the wrong label.
    return apart or [topic for topic in topics(asked_by_source(evidence), least) if topic[0] != "“"]


def asides_of(evidence: Iterable[Evidence]) -> list[str]:
    """What a third of the sources speak of, as a sentence takes it."""
    return asides(texts_by_source(evidence), settings.COUNTERSIGN_MIN_SOURCES)


def reason_of(evidence: Iterable[Spoken]) -> str:
    """The reason code that most sources gave, or the one their words mean if none or "other" leads; else empty.

    Who says "slow" and names a subject means that it is slow, not the answer.
    """
    evidence = list(evidence)
    given = {(bytes(item.source), item.feedback.reason_code) for item in evidence if item.feedback}
    counts = Counter(code for _, code in given if code)
    code = min(counts, key=lambda code: (-counts[code], code), default="")
    if code not in ("", "other"):
        return code
    said = texts_by_source(evidence)
    meant = verdict(said)
    of_subject = meant == "slow" and topics(said, settings.COUNTERSIGN_MIN_SOURCES)
    return code if of_subject else meant or code


def error_class_of(reports: Iterable[Spoken]) -> str | None:
    """The class that the errors of most sources are of; None where nothing failed."""
    failed = [(bytes(item.source), item.run) for item in islice(reports, READ_AT_MOST) if item.run]
    own = settings.COUNTERSIGN_ERROR_CLASSES
    classes = {(source, classify(run.error, run.error_type, own)) for source, run in failed}
    counts = Counter(name for _, name in classes)
    return min(counts, key=lambda name: (-counts[name], name), default=None)


def repeated_corrections(evidence: Iterable[Evidence], least: int) -> list[str]:
    """Corrections that at least so many sources made in the same words, as most of them wrote them; most said first."""
    made: dict[str, dict[str, set[bytes]]] = defaultdict(lambda: defaultdict(set))
    for item in islice(evidence, READ_AT_MOST):
        said = (item.feedback.correction or item.feedback.edited_output) if item.feedback else ""
        if 0 < len(said) <= COMPARED_CHARS:
            made[" ".join(words(clean(said)))][said].add(bytes(item.source))
    sources = {key: len(set().union(*ways.values())) for key, ways in made.items()}
    best = sorted((key for key in made if key and sources[key] >= least), key=lambda key: (-sources[key], key))
    return [min(made[key], key=lambda way: (-len(made[key][way]), way)) for key in best]


def consensus_change(reports: Iterable[Spoken]) -> tuple[str, str] | None:
    """The replacement (old phrase, new phrase) that enough sources made in their corrections."""
    pairs: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for item in islice(reports, READ_AT_MOST):
        if item.feedback and item.feedback.output:
            corrected = item.feedback.correction or item.feedback.edited_output
            pairs[bytes(item.source).hex()].append((item.feedback.output, corrected))
    return replacement(pairs, settings.COUNTERSIGN_MIN_SOURCES)
