"""Which kind of settings a change is of: by the change itself, the same every time, and “none” in any doubt.

    classify(before, after, rules) -> Fits | Unfit

Exactly one value of one key may differ, and the texts must be equal, character by character, outside that value. What
a key is about is read from its words, of which every single one must be known here: `retry_prompt`, `refund_threshold`
and `retries_url` are not, so they wait for a person.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import re2
import yaml

from proposals.checking.checks import is_json
from proposals.drafting.configs import MAX_TEXT, words_of
from proposals.safe.rules import KEY, Bounds, Category, Rules
from proposals.safe.words import BESIDE, KNOWN, SEVERAL, TOUCHY

_MOST_VALUES: Final = 2000
_DEEPEST: Final = 20
_LONGEST_VALUE: Final = 40
_NUMBER = re2.compile(r"^((?:0|[1-9][0-9]{0,8})(?:\.[0-9]{1,6})?)( ?(?:ms|s|sec|seconds|m|min|minutes|h|%)?)$")


@dataclass(frozen=True, slots=True)
class Fits:
    """One setting that may change so: its key with those above it and dots between them, and both its values."""

    category: Category
    key: str
    was: str
    now: str


@dataclass(frozen=True, slots=True)
class Unfit:
    """Why a change waits for a person, in a sentence."""

    why: str


@dataclass(frozen=True, slots=True)
class _Value:
    """A value of the settings: the keys that lead to it (None for a place in a list), and where it stands."""

    path: tuple[str | None, ...]
    start: int
    end: int
    tag: str
    raw: str


class _Unreadable(Exception):
    """Settings in which one place may stand for several, or which are none; the message says which."""


def classify(before: str, after: str, rules: Rules) -> Fits | Unfit:
    """What kind of settings this change is of, if it is of an allowed one, within its bounds."""
    if not _differ_little(before, after):
        return Unfit("More than one value changes.")
    try:
        was, now = _only_change(before, after)
    except _Unreadable as unreadable:
        return Unfit(str(unreadable))
    path = tuple(key for key in was.path if key is not None)
    if was.path[-1:] == (None,):
        return Unfit("It changes a place in a list.")
    category = _category(path)
    if isinstance(category, Unfit):
        return category
    key = ".".join(path)
    bounds = rules.allowed.get(category)
    if bounds is None:
        return Unfit(f"Nothing about {category.value} starts by itself here.")
    if bounds.keys and key not in bounds.keys:
        return Unfit(f"{key} is not among the keys listed for {category.value}.")
    why = _out_of(bounds, category, was, now)
    return Unfit(why) if why else Fits(category, key, was.raw, now.raw)


def _differ_little(before: str, after: str) -> bool:
    """Whether the two may differ in one value: reading them takes long, so most are told apart without."""
    if max(len(before), len(after)) > MAX_TEXT:
        return False
    head = _shared(before, after)
    tail = _shared(before[head:][::-1], after[head:][::-1])
    return max(len(before), len(after)) - head - tail <= _LONGEST_VALUE


def _shared(one: str, other: str) -> int:
    """How many characters both begin with."""
    differs = (at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b)
    return next(differs, min(len(one), len(other)))


def _only_change(before: str, after: str) -> tuple[_Value, _Value]:
    """The one value that differs, before and after. Raises _Unreadable where it is not exactly one."""
    as_json = is_json(before)
    if is_json(after) != as_json:
        raise _Unreadable("One of the texts is JSON and the other is not.")
    old, new = _values(before, as_json=as_json), _values(after, as_json=as_json)
    if [one.path for one in old] != [one.path for one in new]:
        raise _Unreadable("Keys come, go or move.")
    pairs = [(one, two) for one, two in zip(old, new, strict=True) if (one.tag, one.raw) != (two.tag, two.raw)]
    if len(pairs) != 1:
        raise _Unreadable("Not exactly one value changes.")
    was, now = pairs[0]
    if (before[: was.start], before[was.end :]) != (after[: now.start], after[now.end :]):
        raise _Unreadable("More than the value itself changes.")
    if was.tag != now.tag:
        raise _Unreadable("The value becomes another type.")
    return was, now


def _values(text: str, *, as_json: bool) -> list[_Value]:
    """All values of the settings, in order. Raises _Unreadable."""
    try:
        # A tab is a blank to JSON, but not to YAML.
        root = yaml.compose(text.replace("\t", " ") if as_json else text, Loader=yaml.SafeLoader)
        found = list(_walk(root, (), text, set()))
    except (yaml.YAMLError, RecursionError, ValueError):
        raise _Unreadable("It cannot be read as settings.") from None
    if not isinstance(root, yaml.MappingNode) or len(found) > _MOST_VALUES:
        raise _Unreadable("It cannot be read as settings.")
    return found


def _walk(node: yaml.Node | None, path: tuple[str | None, ...], text: str, seen: set[int]) -> Iterator[_Value]:
    if node is None or id(node) in seen or len(path) > _DEEPEST:
        raise _Unreadable("One place of it stands for several.")
    seen.add(id(node))
    match node:
        case yaml.MappingNode():
            names = [_name(key, seen) for key, _ in node.value]
            if len(set(names)) != len(names):
                raise _Unreadable("A key is there twice.")
            for name, (_, value) in zip(names, node.value, strict=True):
                yield from _walk(value, (*path, name), text, seen)
        case yaml.SequenceNode():
            for value in node.value:
                yield from _walk(value, (*path, None), text, seen)
        case yaml.ScalarNode():
            quoted = 1 if node.style in ("'", '"') else 0
            start, end = node.start_mark.index + quoted, node.end_mark.index - quoted
            yield _Value(path, start, end, node.tag, text[start:end])


def _name(key: yaml.Node, seen: set[int]) -> str:
    """A key as it is written. Raises _Unreadable for what takes from elsewhere, and for what is no name."""
    if not isinstance(key, yaml.ScalarNode) or key.tag == "tag:yaml.org,2002:merge" or id(key) in seen:
        raise _Unreadable("One place of it stands for several.")
    seen.add(id(key))
    return str(key.value)


def _category(path: tuple[str, ...]) -> Category | Unfit:
    """By the words of the keys: every one of the last key's must be known for the kind."""
    if not all(KEY.search(key) for key in path):
        return Unfit("A key above it has other characters than letters, digits, - and _.")
    if touchy := sorted(words_of(*path) & TOUCHY):
        return Unfit(f"Its key speaks of “{touchy[0]}”.")
    for category in Category:
        if _is_about(category, path):
            return category
    return Unfit(f"Nothing says what kind of setting “{path[-1]}” is.")


def _is_about(category: Category, path: tuple[str, ...]) -> bool:
    last, above = words_of(path[-1]), words_of(*path[-2:-1])
    known, all_known = KNOWN[category], KNOWN[category] | BESIDE[category]
    below = bool(above & known) and above <= all_known
    if last <= all_known:
        return bool(last & known) or below
    return below and bool(above & SEVERAL)


def _out_of(bounds: Bounds, category: Category, was: _Value, now: _Value) -> str:
    """Why the step from one value to the other is not within bounds; empty when it is."""
    if category == Category.ROUTING:
        fits = was.raw in bounds.names and now.raw in bounds.names and was.tag == "tag:yaml.org,2002:str"
        return "" if fits else "It goes to a name that is not listed, or comes from one."
    old, new = _NUMBER.search(was.raw), _NUMBER.search(now.raw)
    if old is None or new is None or old.group(2) != new.group(2):
        return "It is no number in the same unit."
    return _too_far(bounds, category, Decimal(old.group(1)), Decimal(new.group(1)))


def _too_far(bounds: Bounds, category: Category, old: Decimal, new: Decimal) -> str:
    if old <= 0 or new <= 0 or old == new:
        return "It goes from or to nothing."
    factor = Decimal(str(bounds.factor))
    if new > old * factor or old > new * factor:
        return f"From {old} to {new} is more than ×{bounds.factor:g}."
    if bounds.lowest is not None and new < Decimal(str(bounds.lowest)):
        return f"{new} is below {bounds.lowest:g}."
    if bounds.highest is not None and new > Decimal(str(bounds.highest)):
        return f"{new} is above {bounds.highest:g}."
    if category == Category.THRESHOLD and old < 1 <= new:
        return f"{new} is no share of one any more."
    return ""
