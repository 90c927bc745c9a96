"""Why one report is in its pattern, in what a person can check with their own eyes."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from feedback.actions import naming
from feedback.mining import Kind
from feedback.mining.reasons import Piece, changes_of, fitted, shared, spoken_by, template_pieces
from feedback.mining.typical import stems_of
from feedback.models import Evidence, Feedback, Pattern

COMPARED = 200
"""So many of the newest other reports are compared with."""
DIFFED = 50
"""Of corrections so many, for finding what one changes takes up to 2 ms."""
MANY = 4
"""Among so many other sources a word that only one of them used ties nothing."""


@dataclass(frozen=True, slots=True)
class Why:
    """`pieces` is the report's text with what ties it to the pattern marked; `words` are the marked ones, each once,
    those that most sources use first, as (word, number of other sources). `changes` are those of a correction, as
    (old words, new words, number of other sources that made the same one). `template` is an error's, with the places
    that vary marked. `group` is the pattern the miner put it in, if that was merged into this one since.
    """

    evidence: Evidence
    pieces: list[Piece]
    words: list[tuple[str, int]] = field(default_factory=list)
    changes: list[tuple[str, str, int]] = field(default_factory=list)
    template: list[Piece] = field(default_factory=list)
    labels: tuple[str, str] | None = None
    others: int = 0
    group: Pattern | None = None

    @property
    def is_by_hand(self) -> bool:
        """Whether a person put it there, by splitting a pattern, or it came before similarities were kept."""
        return self.evidence.similarity is None


def why(pattern: Pattern, evidence: Evidence) -> Why:
    """At most three queries. `evidence` comes with its report, and is of the pattern."""
    group = Pattern.objects.filter(pk=evidence.grouped_in_id).first() if evidence.grouped_in_id else None
    feedback, kind = evidence.feedback, Kind(pattern.kind)
    if kind is Kind.ERROR:
        signature = (group or pattern).signature
        text = evidence.run.error or evidence.run.error_type if evidence.run else ""
        return Why(evidence, fitted(text, signature), template=template_pieces(signature), group=group)
    if kind is Kind.MISLABEL and feedback:
        return Why(evidence, [Piece(feedback.input)], labels=(feedback.predicted, feedback.expected), group=group)
    return _by_words(pattern, evidence, group)


def _by_words(pattern: Pattern, evidence: Evidence, group: Pattern | None) -> Why:
    rows = pattern.evidence.exclude(source=evidence.source).select_related("feedback", "run").order_by("-at", "-pk")
    rows = rows.defer("feedback__input", "feedback__metadata", "run__metadata")
    said = naming.texts_by_source(rows.defer("feedback__output")[:COMPARED])
    least = 2 if len(said) >= MANY else 1
    used = {word: sources for word, sources in spoken_by(said).items() if sources >= least}
    text = _text(evidence)
    pieces = shared(text, used)
    words: dict[str, tuple[str, int]] = {}
    for piece in pieces:
        if piece.is_marked:
            words.setdefault(" ".join(stems_of(piece.text)), (piece.text.lower(), piece.sources))
    ranked = sorted(words.values(), key=lambda word: (-word[1], word[0]))
    changes = _changes(evidence, rows[:DIFFED]) if pattern.kind == Kind.CORRECTION else []
    return Why(evidence, pieces, words=ranked[:12], changes=changes, others=len(said), group=group)


def _changes(evidence: Evidence, others: Iterable[Evidence]) -> list[tuple[str, str, int]]:
    """What this correction changes, and how many others change the same."""
    made: dict[tuple[str, str], set[bytes]] = defaultdict(set)
    for other in others:
        for change in _changes_of(other.feedback):
            made[change].add(bytes(other.source))
    own = [(old, new, len(made[old, new])) for old, new in _changes_of(evidence.feedback)]
    return sorted(own, key=lambda change: -change[2])


def _changes_of(feedback: Feedback | None) -> list[tuple[str, str]]:
    if feedback is None or not feedback.output:
        return []
    return changes_of(feedback.output, feedback.correction or feedback.edited_output)


def _text(evidence: Evidence) -> str:
    """What the miner compared: the correction where there is one, else the reason."""
    feedback = evidence.feedback
    if feedback is None:
        return evidence.run.error if evidence.run else ""
    return feedback.correction or feedback.edited_output or feedback.reason
