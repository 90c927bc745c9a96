"""Many sketches added up at once, straight from the bytes the database sends.

A page adds up thousands of tallies with some dozens of steps each. Made into Python's numbers one by one they would
cost more than all else on it.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from feedback.health.sketch import Sketch

# An array as PostgreSQL sends it: a head of 20 bytes (shorter in an empty one), then each element, its size before it.
SENT: Final = "string_agg(substr(array_send(steps), 21), ''), string_agg(substr(array_send(counts), 21), '')"
"""What to select of a group of tallies."""
_STEP: Final = np.dtype([("size", ">i4"), ("value", ">i2")])
_COUNT: Final = np.dtype([("size", ">i4"), ("value", ">i8")])
_STEPS: Final = 256
"""More than there are: the highest latency that is taken, 1e9 ms, is on step 208."""


def added_up(groups: Sequence[tuple[bytes, bytes]]) -> list[Sketch]:
    """The sum of the sketches of each group: all its steps, and all its counts, as `SENT` gives them."""
    if not groups:
        return []
    steps = np.frombuffer(b"".join(steps for steps, _ in groups), _STEP)["value"].astype(np.int64)
    counts = np.frombuffer(b"".join(counts for _, counts in groups), _COUNT)["value"].astype(np.float64)
    group = np.repeat(np.arange(len(groups)), [len(sent) // _STEP.itemsize for sent, _ in groups])
    # Exact: a float holds every whole number up to 2 ** 53.
    sums = np.bincount(group * _STEPS + steps, counts, minlength=len(groups) * _STEPS).astype(np.int64)
    return [_sketch(row) for row in sums.reshape(len(groups), _STEPS)]


def _sketch(counts: npt.NDArray[np.int64]) -> Sketch:
    steps = np.flatnonzero(counts)
    return Sketch(dict(zip(steps.tolist(), counts[steps].tolist(), strict=True)))
