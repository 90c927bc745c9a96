"""Which shapes are the same error: those that differ in one place only, where the words vary like values.

Whether a word is a value does not show from one message: "Failed password for root" and "Connection for root" look
alike. Beside others it shows: a place that takes numbers as well, or many different words, is a place for values.
How often each word came says little (one user is tried 300 times, another once), so only which shapes there are
counts. More shapes can only join more: what is one family stays one, in whatever order and portions they come.

The bars were set with the logs of eight public systems; drawn on half of them, they score nearly as well on the other
half (`bench/errors.py`).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from feedback.mining.errors.pieces import MARKS, PLACEHOLDER, is_telling

Shape = tuple[str, ...]

_MAX_ROUNDS = 8
_NAME_MARKS = frozenset("_-.$@/\\+#")
_FUNCTION_WORD_LIST = """
a an the of to in on at by for from with without into onto over under after before during as is are was were be
been being am has have had having do does did done will would shall should can could may might must not no nor and
or but if then than that this these those it its he she they we you i me my your our their his her them there here
when while where which who whom whose what why how so such only also just too very via per cannot can't couldn't
won't doesn't didn't isn't wasn't
"""
_FUNCTION_WORDS = frozenset(_FUNCTION_WORD_LIST.split())
_PREPOSITIONS = frozenset(("for", "of", "from", "to", "by", "on", "in", "at", "with", "as", "via", "using"))


@dataclass(frozen=True, slots=True)
class Bar:
    """From when on a place is one for values.

    `words`: it takes so many different ones. `names`: it takes so many that no prose has (snake_case, camelCase,
    dotted.names) or that a noun announces (for user ann), and is not the first. `text`: so many words stay around it,
    `text_beside_value` where it takes one word and values.
    """

    words: int = 5
    names: int = 3
    text: int = 2
    text_beside_value: int = 3


BAR = Bar()


def families(shapes: Sequence[str], bar: Bar = BAR) -> list[int]:
    """For each shape, as from `template`, the number of the first one of its family, its own if it has none.

    Shapes of different numbers of tokens are never of one family. Time and memory grow with the number of tokens
    in all: 10 000 shapes of 15 tokens take about 0.25 s.
    """
    by_length: dict[int, list[int]] = defaultdict(list)
    split = [tuple(shape.split()) for shape in shapes]
    for number, shape in enumerate(split):
        by_length[len(shape)].append(number)
    found = list(range(len(shapes)))
    for numbers in by_length.values():
        if len(numbers) > 1:
            for number, first in zip(numbers, _Closure(bar).close([split[n] for n in numbers]), strict=True):
                found[number] = numbers[first]
    return found


def joined(shapes: Mapping[int, str]) -> dict[int, int]:
    """The keys of shapes that are not alone in their family, each with the least key of it."""
    keys = sorted(shapes)
    firsts = families([shapes[key] for key in keys])
    shared = {first for number, first in enumerate(firsts) if number != first}
    return {key: keys[first] for key, first in zip(keys, firsts, strict=True) if first in shared}


def common(shapes: Iterable[str]) -> str:
    """What shapes of one family have in common, "<*>" where they differ; the first where they have no equal length."""
    split = [shape.split() for shape in shapes]
    alike = [shape for shape in split if len(shape) == len(split[0])]
    return " ".join(column[0] if len(set(column)) == 1 else PLACEHOLDER for column in zip(*alike, strict=True))


class _Closure:
    """Shapes of one length, joined until nothing more can be.

    Every shape is known in each of its places by what is left and right of it, numbered; shapes that share these
    differ in that place alone. What was joined goes on as a shape with a value there, beside the others.
    """

    def __init__(self, bar: Bar) -> None:
        self._bar = bar
        self._left = _Numbers()
        self._right = _Numbers()
        self._places: dict[tuple[int, int], dict[str, int]] = defaultdict(dict)
        self._shapes: list[Shape] = []
        self._numbers: dict[Shape, int] = {}
        self._parents: list[int] = []

    def close(self, given: Sequence[Shape]) -> list[int]:
        """The position of the first of its family for each of the given."""
        members = [self._add(shape) for shape in given]
        fresh = range(len(self._shapes))
        for _ in range(_MAX_ROUNDS):
            touched = {place: at for number in fresh for at, place in self._enter(number)}
            before = len(self._shapes)
            for place, at in touched.items():
                self._join(self._places[place], at)
            fresh = range(before, len(self._shapes))
            if not fresh:
                break
        firsts: dict[int, int] = {}
        return [firsts.setdefault(self._root(number), position) for position, number in enumerate(members)]

    def _add(self, shape: Shape) -> int:
        number = self._numbers.setdefault(shape, len(self._shapes))
        if number == len(self._shapes):
            self._shapes.append(shape)
            self._parents.append(number)
        return number

    def _enter(self, number: int) -> Iterable[tuple[int, tuple[int, int]]]:
        """Each position where the shape could vary, and the place that it is, where the shape is now known."""
        shape = self._shapes[number]
        rights = [0] * (len(shape) + 1)
        for at in range(len(shape) - 1, 0, -1):
            rights[at] = self._right.of(rights[at + 1] if at + 1 < len(shape) else -1, shape[at])
        rights[len(shape)] = -1
        left = -1
        for at, token in enumerate(shape):
            if token not in MARKS:
                place = (left, rights[at + 1])
                self._places[place].setdefault(token, number)
                yield at, place
            left = self._left.of(left, token)

    def _join(self, variants: dict[str, int], at: int) -> None:
        if len(variants) < 2:
            return
        first = self._shapes[min(variants.values())]
        if not self._varies([self._shapes[number][at] for number in variants.values()], first, at):
            return
        number = self._add((*first[:at], PLACEHOLDER, *first[at + 1 :]))
        for variant in variants.values():
            self._parents[self._root(variant)] = self._root(number)

    def _varies(self, words: Sequence[str], shape: Shape, at: int) -> bool:
        """Whether a place that takes these words, in this shape, is one for values."""
        if _names_the_error(shape, at):
            return False
        text = [number for number, token in enumerate(shape) if number != at and is_content(token)]
        if len(text) < self._bar.text:
            return False
        if PLACEHOLDER in words:
            return len(words) > 2 or len(text) >= self._bar.text_beside_value
        words = [word for word in words if not word.isdigit()]  # status codes tell errors apart, however many
        if len(words) >= self._bar.words:
            return True
        names = len(words) if _is_announced(shape, at) else sum(map(is_name, words))
        return text[0] < at and names >= self._bar.names

    def _root(self, number: int) -> int:
        while self._parents[number] != number:
            self._parents[number] = self._parents[self._parents[number]]
            number = self._parents[number]
        return number


def _names_the_error(shape: Shape, at: int) -> bool:
    """Whether the place is behind a key such as in "reason = timeout", "Exception: NotFound"."""
    return at > 1 and shape[at - 1] in ("=", ":") and is_telling(shape[at - 2])


def _is_announced(shape: Shape, at: int) -> bool:
    """Whether a noun before the place says whose name comes, as in "for user ann"; "the user left" is another thing."""
    return at > 1 and shape[at - 2] in _PREPOSITIONS and shape[at - 1].isalpha() and is_content(shape[at - 1])


class _Numbers:
    """Sequences of tokens by number, each made of a shorter one and a further token."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, str], int] = {}

    def of(self, rest: int, token: str) -> int:
        return self._known.setdefault((rest, token), len(self._known))


def is_content(token: str) -> bool:
    """Whether a token says something: a word that is no function word."""
    return token != PLACEHOLDER and sum(map(str.isalpha, token)) > 1 and token.lower() not in _FUNCTION_WORDS


def is_name(token: str) -> bool:
    """Whether a token looks like an identifier, as no word of prose does."""
    return not _NAME_MARKS.isdisjoint(token) or (token[1:] != token[1:].lower() and token != token.upper())
