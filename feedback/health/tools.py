"""How well a tool does by its last calls: half success, then quickness, then evenness.

    0.5 x success + 0.3 x quickness + 0.2 x consistency

Success is the share of calls that succeeded. Quickness is 1 for a mean latency of a second or less and 0 for five
seconds or more, in a straight line between. Consistency is one less the standard deviation of the latencies over their
mean, and not below 0: a tool that takes about as long each time can be planned with. Where no call tells its latency,
success alone is the score.
"""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

LAST: Final = 20
"""So many of the last calls count."""
LEAST: Final = 3
"""With fewer there is no score."""
REWRITE_BELOW: Final = 0.6
QUICK_MS: Final = 1_000.0
SLOW_MS: Final = 5_000.0


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a tool, with the fingerprints of what went in and came out ("" where it does not tell)."""

    at: datetime
    success: bool
    latency_ms: float | None
    document: str
    version: int
    input_hash: str
    output_hash: str
    error: str


@dataclass(frozen=True, slots=True)
class ToolQuality:
    """`value` is None below LEAST calls. `inputs` and `outputs` are different fingerprints among the calls, `unsteady`
    the inputs that came back with more than one output. `versions` were in use, newest call first.
    """

    calls: int
    value: float | None
    success: float | None
    quickness: float | None
    consistency: float | None
    inputs: int
    outputs: int
    unsteady: int
    versions: tuple[tuple[str, int], ...]
    last_error: str
    last_at: datetime | None

    @property
    def asks_for_rewrite(self) -> bool:
        return self.value is not None and self.value < REWRITE_BELOW


def quality(calls: Sequence[Call]) -> ToolQuality:
    """By the LAST of these calls; they come newest first."""
    last = calls[:LAST]
    seen: dict[str, set[str]] = defaultdict(set)
    for call in last:
        if call.input_hash and call.output_hash:
            seen[call.input_hash].add(call.output_hash)
    success = sum(call.success for call in last) / len(last) if last else None
    quick, even = _pace([call.latency_ms for call in last if call.latency_ms is not None])
    return ToolQuality(
        calls=len(last),
        value=_value(success, quick, even) if len(last) >= LEAST else None,
        success=success,
        quickness=quick,
        consistency=even,
        inputs=len({call.input_hash for call in last} - {""}),
        outputs=len({call.output_hash for call in last} - {""}),
        unsteady=sum(len(outputs) > 1 for outputs in seen.values()),
        versions=tuple(dict.fromkeys((call.document, call.version) for call in last if call.version)),
        last_error=next((call.error for call in last if call.error), ""),
        last_at=last[0].at if last else None,
    )


def _value(success: float | None, quick: float | None, even: float | None) -> float | None:
    if success is None or quick is None or even is None:
        return success
    return 0.5 * success + 0.3 * quick + 0.2 * even


def _pace(latencies: Sequence[float]) -> tuple[float | None, float | None]:
    if not latencies:
        return None, None
    mean = math.fsum(latencies) / len(latencies)
    quick = min(1.0, max(0.0, (SLOW_MS - mean) / (SLOW_MS - QUICK_MS)))
    if not mean:
        return quick, 1.0
    spread = math.sqrt(math.fsum((latency - mean) ** 2 for latency in latencies) / len(latencies))
    return quick, max(0.0, 1 - spread / mean)
