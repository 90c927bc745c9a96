"""The figures as a table for people."""

import os
from collections.abc import Sequence

from bench.measures import Figure


def show(figures: Sequence[Figure]) -> None:
    """Print them, baselines first in each group."""
    print(f"\n{'':46}{'per second':>10}{'least':>9}{'most':>9}{'p50 ms':>8}{'p99 ms':>8}{'ratio':>7}{'target':>7}")
    for figure in figures:
        ratio = f"{figure.ratio:7.2f}" if figure.ratio is not None else f"{'':7}"
        target = f"{figure.target:7.2f}" if figure.target is not None else ""
        rates = f"{figure.rate:10,.0f}{figure.least:9,.0f}{figure.most:9,.0f}"
        print(f"{figure.name:46}{rates}{figure.p50:8.2f}{figure.p99:8.2f}{ratio}{target}")
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    print(
        f"\nEach ratio is to the bare figure above it. {os.cpu_count()} cores, with generator and PostgreSQL on them; "
        f"load {load} over 1, 5 and 15 minutes."
    )
    print(
        "PostgreSQL with fsync and synchronous_commit on; every write authenticated, validated, durable when answered."
    )
