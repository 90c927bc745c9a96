"""Many sketches added up at once, straight from the bytes the database sends.

A page adds up thousands of tallies with some dozens of steps each. Made into Python's numbers one by one they would
cost more than all else on it.
"""

from collections.abc import Hashable, Mapping, Sequence
from typing import Final, TypeVar

import numpy as np
import numpy.typing as npt

from feedback.health.sketch import Sketch

K = TypeVar("K", bound=Hashable)

# An array as PostgreSQL sends it: a head, then each element with its size before it.
_HEAD: Final = 20
_STEP: Final = np.dtype([("size", ">i4"), ("value", ">i2")])
_COUNT: Final = np.dtype([("size", ">i4"), ("value", ">i8")])
_STEPS: Final = 256
"""More than there are: the highest latency that is taken, 1e9 ms, is on step 208."""


def added_up(ladders: Mapping[K, Sequence[tuple[bytes, bytes]]]) -> dict[K, Sketch]:
    """The sum of the sketches of each key; a sketch is its smallint[] of steps and its bigint[] of counts, as sent."""
    if not ladders:
        return {}
    steps, counts, owners = [], [], []
    for number, several in enumerate(ladders.values()):
        for sent_steps, sent_counts in several:
            steps.append(sent_steps[_HEAD:])  # nothing for an empty array, whose head is shorter
            counts.append(sent_counts[_HEAD:])
            owners.append((number, len(steps[-1]) // _STEP.itemsize))
    owner = np.repeat([number for number, _ in owners], [length for _, length in owners]).astype(np.int64)
    places = owner * _STEPS + np.frombuffer(b"".join(steps), _STEP)["value"]
    weights = np.frombuffer(b"".join(counts), _COUNT)["value"].astype(np.float64)
    # Exact: a float holds every whole number up to 2 ** 53.
    sums = np.bincount(places, weights, minlength=len(ladders) * _STEPS).astype(np.int64)
    return {key: _sketch(sums[number * _STEPS : (number + 1) * _STEPS]) for number, key in enumerate(ladders)}


def _sketch(counts: npt.NDArray[np.int64]) -> Sketch:
    steps = np.flatnonzero(counts)
    return Sketch(dict(zip(steps.tolist(), counts[steps].tolist(), strict=True)))
