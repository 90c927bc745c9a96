"""Reports by the hundred thousand, made by rule: what recurs follows a long tail, and a share is said once.

Errors are sentences of a shape each, with identifiers, numbers, paths and names where values stand. A complaint has the
three words of its subject, which come again whenever it does, among others; one-off ones have three of their own.
"""

import random
from bisect import bisect
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate

from feedback.mining.wordpiece import VOCABULARY

ONE_OFF = 0.3
"""The share of complaints that nobody else makes."""
ONE_OFF_ERRORS = 0.003
SHAPES, SUBJECTS = 4_000, 6_000
_FRAMES = (
    "why does the {0} not {1} when I ask about the {2}",
    "I asked for {0} and it told me {1} {2} instead",
    "the answer about {0} is wrong, {1} has no {2}",
    "it forgot the {1} of my {0}, and the {2}",
    "please {1} the {0} before the {2} {3}",
    "{0} {1} again, and nothing about {2} or {3}",
    "wrong {2} for the {0}, I said {1} {3} twice",
)
_VALUES = (
    lambda rng: str(rng.randrange(10**6)),
    lambda rng: f"{rng.getrandbits(64):016x}",
    lambda rng: f"10.{rng.randrange(256)}.{rng.randrange(256)}.{rng.randrange(256)}:{rng.randrange(1024, 65536)}",
    lambda rng: f"/var/data/{rng.randrange(9999)}/part-{rng.randrange(99):05}.json",
    lambda rng: f'"user_{rng.randrange(5000)}"',
)


@dataclass(frozen=True)
class Stream:
    """Texts in the order in which they come. The same seed gives the same."""

    seed: int = 1

    def errors(self, count: int) -> Iterator[str]:
        """Error messages: SHAPES of them that recur, and one-off ones."""
        rng = random.Random(f"errors {self.seed}")
        shapes = [self._shape(random.Random(f"shape {number}")) for number in range(SHAPES)]
        often = _long_tail(SHAPES)
        for _ in range(count):
            shape = self._shape(rng) if rng.random() < ONE_OFF_ERRORS else shapes[_drawn(often, rng)]
            yield " ".join(word or rng.choice(_VALUES)(rng) for word in shape)

    def complaints(self, count: int) -> Iterator[str]:
        """Complaints about SUBJECTS, and one-off ones."""
        rng = random.Random(f"complaints {self.seed}")
        words, often = _words(), _long_tail(SUBJECTS)
        for _ in range(count):
            one_off = rng.random() < ONE_OFF
            subject = rng if one_off else random.Random(f"subject {_drawn(often, rng)}")
            yield rng.choice(_FRAMES).format(*subject.sample(words, 3), rng.choice(words))

    def _shape(self, rng: random.Random) -> list[str]:
        """Six to fourteen words, with an empty one where a value stands."""
        words = _words()
        shape = [rng.choice(words) for _ in range(rng.randrange(6, 15))]
        shape[0] = shape[0].capitalize() + "Error:"
        for at in rng.sample(range(2, len(shape)), rng.randrange(1, 4)):
            shape[at] = ""
        return shape


_known: list[str] = []


def _words() -> list[str]:
    """Plain words, the more usual ones first."""
    if not _known:
        lines = VOCABULARY.read_text(encoding="utf-8").split("\n")
        _known.extend(line for line in lines if len(line) > 3 and line.isascii() and line.isalpha())
    return _known


def _long_tail(count: int) -> list[float]:
    return list(accumulate(1 / (rank + 3) for rank in range(count)))


def _drawn(often: list[float], rng: random.Random) -> int:
    return bisect(often, rng.random() * often[-1])
