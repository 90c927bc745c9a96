"""The miner's own grouping of a file, nothing stored."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice
from typing import TypeVar

from feedback.mining.errors import joined
from feedback.mining.grouper import TextGrouper
from feedback.mining.interface import Group, Grouper, Item, Kind, Middle, Result
from feedback.mining.meaning import Model, point_of

Id = TypeVar("Id")

_KINDS = {"error": Kind.ERROR, "text": Kind.COMPLAINT}
_BATCH = 1000


class Store:
    """Groups as a database would keep them, in memory."""

    def __init__(self) -> None:
        self.groups: dict[int, Group] = {}
        self.middles: dict[Kind, Middle] = {}
        self._last = 0
        self._into: dict[int, int] = {}

    def keep(self, result: Result) -> dict[int, int]:
        """Puts changed groups in, new ones under the next free key; {temporary key: key} of the new."""
        keys: dict[int, int] = {}
        for changed in result.groups:
            if changed.key < 0:
                self._last += 1
                keys[changed.key] = self._last
                changed = replace(changed, key=self._last)
            self.groups[changed.key] = changed
        for goes, stays in result.merged:
            del self.groups[goes]
            self._into[goes] = keys.get(stays, stays)
        self.middles.update(result.middles)
        return keys

    def last(self, key: int) -> int:
        """Where a group is now that others may have been put together with it."""
        while key in self._into:
            key = self._into[key]
        return key


def group(
    items: Iterable[tuple[Id, str, str]], grouper: Grouper | None = None, model: Model | None = None
) -> Iterator[tuple[Id, int | None]]:
    """Yields (id, group) for each (id, "error" or "text", text), in order, when all are read.

    With a model, texts are grouped by meaning and put right at the end, as every night, else grouped by their words.
    Groups are numbered from 1 in order of appearance;
    None for a text that says nothing to group by. Raises KeyError for another kind.
    """
    grouper = grouper or TextGrouper()
    store = Store()
    found: list[tuple[Id, int | None]] = []
    texts: dict[int, Item] = {}
    stream = iter(items)
    while batch := list(islice(stream, _BATCH)):
        given = [_item(number, kind, text, model) for number, (_, kind, text) in enumerate(batch)]
        result = grouper.assign(given, list(store.groups.values()), store.middles)
        keys = store.keep(result)
        texts |= {len(found) + at: item for at, item in enumerate(given) if item.point}
        for (name, _, _), assignment in zip(batch, result.assignments, strict=True):
            found.append((name, assignment.group and keys.get(assignment.group, assignment.group)))
    families = joined({key: group.signature for key, group in store.groups.items() if group.kind is Kind.ERROR})
    keys_now = [key and families.get(key, store.last(key)) for _, key in found]
    if texts:
        settled, _ = grouper.settled(Kind.COMPLAINT, list(texts.values()), [keys_now[at] or 0 for at in texts])
        for at, now in zip(texts, settled, strict=True):
            keys_now[at] = now
    numbers: dict[int, int] = {}
    for (name, _), key in zip(found, keys_now, strict=True):
        yield name, key and numbers.setdefault(key, len(numbers) + 1)


def _item(number: int, kind: str, text: str, model: Model | None) -> Item:
    item = Item(number, _KINDS[kind], text)
    return replace(item, point=point_of(item, model)) if model and kind == "text" else item
