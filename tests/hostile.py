"""Texts made to cost much, and what one may cost."""

from collections.abc import Callable
from time import thread_time

HOSTILE = {
    "5 MB of one letter": "a" * 5_000_000,
    "10 000 different words": " ".join(f"{chr(97 + i % 26)}word{i}" for i in range(10_000)),
    "invisible characters": "\u200b\u2060" * 100_000,
    "combining marks": "a" + "\u0301" * 100_000,
    "compatibility forms that grow": "\ufdfa" * 10_000,
    "nested repetition": "(a+)+$" * 10_000,
    "open quotes": "'" * 10_000,
    "lone surrogates": "\ud800" * 10_000,
}
HOSTILE |= {
    "open brackets": "([{<" * 10_000,
    "keys and values": "a=b,c=[1,2," * 10_000,
    "one line each": "at line\n" * 100_000,
    "digits": "1234567890" * 100_000,
    "dates": "Mon, 1 Jan 2026 " * 10_000,
}
MOST_MS = 50
"""What the miner may spend on one report."""


def least_ms(work: Callable[[], object], times: int = 3) -> float:
    """Of several times the least, in milliseconds of processor time, so that a busy machine tells no lies."""
    took = []
    for _ in range(times):
        start = thread_time()
        work()
        took.append(thread_time() - start)
    return min(took) * 1000
