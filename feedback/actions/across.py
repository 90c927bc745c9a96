"""Find what recurs at several agents, every night: patterns and candidates of theirs that are one thing.

What is found keeps its number while any of its patterns are in it. Patterns themselves do not change, and nothing is
drafted from what agents have in common: a document is of one agent, and changes by what that agent's own sources say.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from django.conf import settings
from django.db import connection, transaction

from feedback.actions import locks, naming
from feedback.actions.items import seconds
from feedback.mining import EXACT_KINDS, Group, Kind
from feedback.mining.across import Placed, together
from feedback.models import Evidence, Pattern, SharedMember, SharedPattern

MOST = 20_000
"""So many groups of a kind are compared, those that came last: the bound on what one night costs."""

Status = Pattern.Status
_COUNTS = """
    SELECT asked.number, count(DISTINCT counted.source)
    FROM unnest(%s::int[], %s::bigint[]) AS asked (number, pattern)
    JOIN feedback_patternsource counted ON counted.pattern_id = asked.pattern GROUP BY asked.number
"""


@dataclass(slots=True)
class Found:
    """Patterns of several agents that are one thing, the one with most sources first."""

    kind: Kind
    patterns: list[Pattern]
    sources: int = 0
    shared: SharedPattern | None = field(default=None)

    @property
    def support(self) -> int:
        return sum(pattern.support for pattern in self.patterns)

    @property
    def seen(self) -> list[datetime]:
        """The first and the last time any of them was seen."""
        firsts = [pattern.first_seen for pattern in self.patterns if pattern.first_seen]
        lasts = [pattern.last_seen for pattern in self.patterns if pattern.last_seen]
        return [min(firsts), max(lasts)]


def link_across() -> int:
    """Find anew what recurs at several agents; how many things that is. Comparing takes no lock."""
    together = [found for kind in Kind for found in _together(kind)]
    return _store(together)


def _together(kind: Kind) -> Iterator[set[int]]:
    """Keys of patterns of several agents that are one thing; those of merged ones as what they were merged into."""
    placed = _placed(kind)
    if len({one.agent for one in placed}) < 2:
        return
    roots = Pattern.objects.roots_of([one.group.key for one in placed])
    into: dict[int, int] = {}
    keys = [roots.get(one.group.key, one.group.key) for one in placed]
    for key, first in zip(keys, together(kind, placed), strict=True):
        one, other = _last(into, key), _last(into, keys[first])
        if one != other:
            into[max(one, other)] = min(one, other)
    one_thing: dict[int, set[int]] = defaultdict(set)
    for key in keys:
        one_thing[_last(into, key)].add(key)
    yield from (found for found in one_thing.values() if len(found) > 1)


def _last(into: Mapping[int, int], key: int) -> int:
    while key in into:
        key = into[key]
    return key


def _placed(kind: Kind) -> list[Placed]:
    """The groups that came last, oldest first."""
    rows = Pattern.objects.filter(kind=kind).exclude(status=Status.DISMISSED).order_by("-pk")
    if kind is Kind.ERROR:
        rows = rows.filter(is_kept_apart=False)
    if kind in EXACT_KINDS:  # what has no signature any more is like nothing
        rows = rows.exclude(signature="")
    else:
        rows = rows.exclude(status=Status.MERGED).exclude(centroid=b"", meaning=b"").order_by("-last_seen", "-pk")
    columns = ("agent", "pk", "signature", "centroid", "meaning", "grouped", "first_seen", "last_seen")
    groups = []
    for agent, pk, signature, words, total, size, first, last in rows.values_list(*columns)[:MOST].iterator(2000):
        group = Group(pk, kind, signature, b"" if total else bytes(words), size, bytes(total))
        groups.append(Placed(replace(group, first=seconds(first), last=seconds(last)), agent))
    return sorted(groups, key=lambda one: one.group.key)


@transaction.atomic
def _store(together: Sequence[Collection[int]]) -> int:
    """Keep what recurs enough, under the numbers that people know."""
    asked = {pk for keys in together for pk in keys} | set(SharedMember.objects.values_list("pattern", flat=True))
    for agent in sorted(Pattern.objects.filter(pk__in=asked).order_by().values_list("agent", flat=True).distinct()):
        locks.regroup(agent)
    found = _counted(together)
    _number(found)
    for one in found:
        _save(one)
    wanted = {pattern.pk: one.shared for one in found if one.shared for pattern in one.patterns}
    known = dict(SharedMember.objects.values_list("pattern", "shared"))
    gone = [pk for pk, shared in known.items() if pk not in wanted or wanted[pk].pk != shared]
    SharedMember.objects.filter(pk__in=gone).delete()
    new = [SharedMember(pattern_id=pk, shared=shared) for pk, shared in wanted.items() if known.get(pk) != shared.pk]
    SharedMember.objects.bulk_create(new)
    SharedPattern.objects.exclude(pk__in=[one.shared.pk for one in found if one.shared]).delete()
    return len(found)


def _counted(together: Sequence[Collection[int]]) -> list[Found]:
    """Those that enough sources of at least two agents reported."""
    alive = Pattern.objects.exclude(status__in=[Status.MERGED, Status.DISMISSED]).filter(support__gt=0)
    rows = alive.filter(pk__in={pk for keys in together for pk in keys}).defer("centroid", "meaning")
    patterns = {pattern.pk: pattern for pattern in rows}
    found = []
    for keys in together:
        members = sorted((patterns[pk] for pk in keys if pk in patterns), key=lambda one: (-one.sources, one.pk))
        if len({pattern.agent_id for pattern in members}) > 1:
            found.append(Found(Kind(members[0].kind), members))
    counts = _sources(found)
    for number, one in enumerate(found):
        one.sources = counts.get(number, 0)
    return [one for one in found if one.sources >= settings.COUNTERSIGN_MIN_SOURCES]


def _sources(found: Sequence[Found]) -> Mapping[int, int]:
    """How many distinct sources each has, by its place."""
    rows = [(number, pattern.pk) for number, one in enumerate(found) for pattern in one.patterns]
    if not rows:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_COUNTS, [list(column) for column in zip(*rows, strict=True)])
        return dict(cursor.fetchall())


def _number(found: Sequence[Found]) -> None:
    """Each goes on as the known one that most of its reports were in."""
    known = {member.pattern_id: member.shared for member in SharedMember.objects.select_related("shared")}
    claims: Counter[tuple[int, int]] = Counter()
    for place, one in enumerate(found):
        for pattern in one.patterns:
            if pattern.pk in known:
                claims[known[pattern.pk].pk, place] += pattern.support
    by_key = {shared.pk: shared for shared in known.values()}
    for (shared, place), _ in sorted(claims.items(), key=lambda claim: (-claim[1], claim[0])):
        if found[place].shared is None and shared in by_key:
            found[place].shared = by_key.pop(shared)


def _save(found: Found) -> None:
    shared = found.shared or SharedPattern(kind=found.kind, support=0)
    was = shared.support
    shared.support, shared.sources = found.support, found.sources
    shared.agents = len({pattern.agent_id for pattern in found.patterns})
    shared.first_seen, shared.last_seen = found.seen
    if shown := _shown_label(found):
        shared.label = shown
    elif was != shared.support:
        shared.label = _label(found)
    shared.save()
    found.shared = shared


def _shown_label(found: Found) -> str:
    """Of the first that people see; empty while none is shown."""
    return next((one.label for one in found.patterns if one.status != Status.CANDIDATE and one.label), "")


def name_anew(patterns: Collection[int]) -> None:
    """Find the names anew of what these patterns are with others; the caller keeps their evidence where it is."""
    for shared in SharedPattern.objects.filter(members__pattern__in=patterns).distinct().order_by("pk"):
        members = Pattern.objects.filter(shared_member__shared=shared).defer("centroid", "meaning")
        found = Found(Kind(shared.kind), sorted(members, key=lambda one: (-one.sources, one.pk)), shared=shared)
        SharedPattern.objects.filter(pk=shared.pk).update(label=_shown_label(found) or _label(found))


def _label(found: Found) -> str:
    rows = Evidence.objects.filter(pattern__in=found.patterns).select_related("feedback", "run").order_by("-at", "-pk")
    signatures = [pattern.signature for pattern in found.patterns if pattern.signature]
    return naming.words_for(found.kind, list(rows[: naming.READ_AT_MOST]), signatures)[0]
