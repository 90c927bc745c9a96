"""The figures as a table for people."""

import os
from collections.abc import Sequence

from bench.measures import Figure


def show(figures: Sequence[Figure]) -> None:
    """Print them, baselines first in each group."""
    print(f"\n{'':46}{'per second':>12}{'p50 ms':>9}{'p99 ms':>9}{'ratio':>8}{'target':>8}")
    for figure in figures:
        ratio = f"{figure.ratio:8.2f}" if figure.ratio is not None else f"{'':8}"
        target = f"{figure.target:8.2f}" if figure.target is not None else ""
        print(f"{figure.name:46}{figure.rate:12,.0f}{figure.p50:9.2f}{figure.p99:9.2f}{ratio}{target}")
    print(
        f"\nEach ratio is to the bare figure above it. {os.cpu_count()} cores, with generator and PostgreSQL on them."
    )
    print(
        "PostgreSQL with fsync and synchronous_commit on; every write authenticated, validated, durable when answered."
    )
