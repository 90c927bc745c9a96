"""python -m bench.neutral: works out anew the middle of the neutral texts that the miner ships with."""

import numpy as np

from feedback.mining.meaning import NEUTRAL, Model, model


def middle(of: Model) -> bytes:
    """The average of the points of the neutral texts, one signed byte for each dimension."""
    lines = NEUTRAL.read_text(encoding="utf-8").splitlines()
    return np.rint(np.mean([of.point(line) for line in lines], axis=0)).astype(np.int8).tobytes()


if __name__ == "__main__":
    NEUTRAL.with_suffix(".middle").write_bytes(middle(model()))
