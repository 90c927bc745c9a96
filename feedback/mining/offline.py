"""The miner's own grouping of a file, nothing stored."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice
from typing import TypeVar

from feedback.mining.errors import joined
from feedback.mining.grouper import LexicalGrouper
from feedback.mining.interface import Group, Grouper, Item, Kind

Id = TypeVar("Id")

_KINDS = {"error": Kind.ERROR, "text": Kind.COMPLAINT}
_BATCH = 1000


def group(items: Iterable[tuple[Id, str, str]], grouper: Grouper | None = None) -> Iterator[tuple[Id, int | None]]:
    """Yields (id, group) for each (id, "error" or "text", text), in order, when all are known.

    Groups are numbered from 1 in order of appearance, with gaps where one turned out to be part of an earlier one;
    None for a text that says nothing to group by. Raises KeyError for another kind.
    """
    grouper = grouper or LexicalGrouper()
    known: dict[int, Group] = {}
    found = list(_streamed(items, known, grouper))
    families = joined({key: group.signature for key, group in known.items() if group.kind is Kind.ERROR})
    yield from ((name, number and families.get(number, number)) for name, number in found)


def _streamed(
    items: Iterable[tuple[Id, str, str]], known: dict[int, Group], grouper: Grouper
) -> Iterator[tuple[Id, int | None]]:
    stream = iter(items)
    while batch := list(islice(stream, _BATCH)):
        result = grouper.assign(
            [Item(number, _KINDS[kind], text) for number, (_, kind, text) in enumerate(batch)],
            list(known.values()),
        )
        keys = store(known, result.groups)
        for (name, _, _), assignment in zip(batch, result.assignments, strict=True):
            yield name, assignment.group and keys.get(assignment.group, assignment.group)


def store(known: dict[int, Group], groups: Iterable[Group]) -> dict[int, int]:
    """Puts changed groups into `known`, new ones under the next free key; {temporary key: key} of the new."""
    keys: dict[int, int] = {}
    for changed in groups:
        if changed.key < 0:
            keys[changed.key] = len(known) + 1
            changed = replace(changed, key=len(known) + 1)
        known[changed.key] = changed
    return keys
