"""python -m bench [--seconds N] [--rounds N]: starts everything, measures, prints one table, stops everything."""

import argparse
import tempfile
from pathlib import Path

from bench.board import Board
from bench.measures import measure
from bench.table import show


def main() -> None:
    """Run the whole benchmark."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--seconds", type=float, default=1.0, help="how long each measurement lasts")
    parser.add_argument("--rounds", type=int, default=7, help="how often each is taken; the median is shown")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="countersign-bench-") as folder, Board(Path(folder)) as board:
        show(measure(board, seconds=options.seconds, rounds=options.rounds))


if __name__ == "__main__":
    main()
