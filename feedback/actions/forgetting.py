"""What patterns keep of words that are erased: nothing but what others said as well.

Names, terms and centres are found anew from the reports that are left. The shape of an error, and the two labels of a
mislabel, stay where somebody else reported the same; a pattern without either keeps its reports and its number.
"""

from collections.abc import Collection, Iterator
from typing import Final

from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet

from audit.models import AuditEntry
from feedback.actions import across, consolidation, locks, meaning, naming
from feedback.mining import EXACT_KINDS, Item, Kind, label
from feedback.models import Evidence, Exclusion, Feedback, HeldEvidence, Pattern, Run

ERASED: Final = bytes(4)
"""What the source of an erased report begins with; the rest is chance. It speaks for no word any more."""
_SPEAKS: Final = b"\0\0\0\1"
"""Less than this are all those, and no others."""
STAND_INS: Final = ("[erased]", "[erased label]")
"""In the place of the right label, and of one given that is another."""
_LABELS: Final = """
    WITH gone AS (SELECT id, agent_id, expected, predicted FROM feedback_feedback WHERE id = ANY(%(keys)s)),
    alone AS (
        SELECT agent_id, lower(word) AS word FROM gone, unnest(ARRAY[expected, predicted]) AS word WHERE word <> ''
        EXCEPT
        SELECT o.agent_id, lower(word) FROM feedback_feedback o, unnest(ARRAY[o.expected, o.predicted]) AS word
        WHERE o.agent_id IN (SELECT agent_id FROM gone) AND o.expected <> ''
            AND o.source >= %(speaks)s
    )
    UPDATE feedback_feedback f SET
        expected = CASE WHEN (f.agent_id, lower(f.expected)) IN (SELECT * FROM alone) THEN %(right)s
            ELSE f.expected END,
        predicted = CASE WHEN (f.agent_id, lower(f.predicted)) NOT IN (SELECT * FROM alone) THEN f.predicted
            WHEN f.predicted = f.expected THEN %(right)s ELSE %(given)s END
    WHERE f.id = ANY(%(keys)s) AND (f.expected <> '' OR f.predicted <> '')
"""


def touched(feedback: Collection[int], runs: Collection[int]) -> set[int]:
    """The patterns, merged ones and candidates too, that may hold words of these reports: by where they count or
    counted, and by what they say; to be asked while they still say it.
    """
    said = Feedback.objects.filter(pk__in=feedback).defer("input", "metadata")
    failed = Run.objects.filter(pk__in=runs, success=False).defer("metadata")
    return _by_evidence(Q(feedback__in=feedback) | Q(run__in=runs)) | _by_words([*said, *failed]) | _withdrawn(said)


def _by_evidence(of_them: Q) -> set[int]:
    counted = Evidence.objects.filter(of_them).values_list("pattern", "grouped_in", "pattern__merged_into")
    held = HeldEvidence.objects.filter(of_them).values_list("group")
    excluded = Exclusion.objects.filter(of_them).values_list("patterns", flat=True)
    return {key for row in [*counted, *held, *excluded] for key in row if key is not None}


def _by_words(reports: Collection[Feedback | Run]) -> set[int]:
    """Those of the exact kinds with the signature of one of these reports, also where it counts there no more."""
    grouper = meaning.grouper()
    wanted = {(one.agent_id, item.kind, grouper.signature(item)) for one in reports for item in _exact(one)}
    rows = Pattern.objects.exclude(signature="").filter(signature__in={signature for *_, signature in wanted})
    rows = rows.filter(agent__in={agent for agent, *_ in wanted})
    found = rows.values_list("pk", "agent", "kind", "signature")
    return {pk for pk, agent, kind, signature in found if (agent, Kind(kind), signature) in wanted}


def _exact(report: Feedback | Run) -> Iterator[Item]:
    if isinstance(report, Run):
        yield Item(0, Kind.ERROR, report.error or report.error_type)
    elif report.expected and report.predicted:
        yield Item(0, Kind.MISLABEL, "", predicted=report.predicted, expected=report.expected)


def _withdrawn(said: Collection[Feedback]) -> set[int]:
    """Where withdrawn reports counted, the log knows, and nothing else."""
    keys = [str(one.pk) for one in said if one.withdrawn_at]
    entries = AuditEntry.objects.filter(verb="feedback.withdrawn", target_kind="feedback", target_id__in=keys)
    found = {pk for entry in entries for pk in (entry.fact["after"] or {}).get("patterns", ())} if keys else set()
    return found | set(Pattern.objects.filter(merged_into__in=found).values_list("pk", flat=True))


def labels(feedback: Collection[int]) -> None:
    """Take the labels that nobody else gave at the agent from these reports; their sources were renamed before."""
    right, given = STAND_INS
    with connection.cursor() as cursor:
        cursor.execute(
            _LABELS,
            {"keys": list(feedback), "right": right, "given": given, "speaks": _SPEAKS},
        )


def forget(groups: Collection[int]) -> set[int]:
    """Find anew what these patterns are named and where they lie, once the words are gone and the sources renamed.

    Returns all patterns whose name may be another now. The caller keeps miners out.
    """
    rows = Pattern.objects.filter(pk__in=groups)
    for agent in rows.order_by("agent").values_list("agent", flat=True).distinct():
        locks.regroup(agent)
    roots = set(Pattern.objects.roots_of(groups).values())
    both = list(Pattern.objects.select_for_update(no_key=True).filter(pk__in=roots.union(groups)).order_by("pk"))
    rows.filter(kind__in=EXACT_KINDS).exclude(signature="").exclude(Exists(_others())).update(signature="")
    for pattern in both:
        if pattern.pk in groups and Kind(pattern.kind) not in EXACT_KINDS:
            _center(pattern)
    named = {pattern.pk for pattern in both}
    _name(named)
    across.name_anew(named)
    return named


def _others() -> QuerySet[Evidence]:
    """What somebody who is not erased reported that has a pattern's signature."""
    grouped = Q(pattern=OuterRef("pk"), grouped_in=None) | Q(grouped_in=OuterRef("pk"))
    return Evidence.objects.filter(grouped, source__gte=_SPEAKS)


def _center(pattern: Pattern) -> None:
    grown = pattern.grown
    consolidation.form(pattern)
    Pattern.objects.filter(pk=pattern.pk).update(
        centroid=pattern.centroid, meaning=pattern.meaning, grouped=pattern.grouped, grown=grown
    )


def _name(pks: Collection[int]) -> None:
    naming.name_anew(pks)
    silent = Pattern.objects.filter(pk__in=pks).filter(Q(status__in=Pattern.HIDDEN) | Q(support=0))
    for pattern in silent.exclude(label="", terms=[]).only("kind", "signature", "label", "is_named_by_hand"):
        shape = pattern.signature if pattern.kind == Kind.ERROR else ""
        own = label(Kind.ERROR, template=shape) if shape else ""
        kept = pattern.label if pattern.is_named_by_hand else own
        Pattern.objects.filter(pk=pattern.pk).update(label=kept, terms=[])
