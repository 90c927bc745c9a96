"""How the demo agent does under the version it was served. Knows no Django."""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Doing:
    """How runs under one version go: part that succeeds, typical latency, part of them that people complain about,
    and part that they call unsafe."""

    success: float
    latency_ms: float
    complaints: float
    unsafe: float = 0.0


@dataclass(frozen=True, slots=True)
class Scenario:
    """A change to propose, how the agent does before and with it, and how many runs it has in a minute."""

    title: str
    rule: str
    rationale: str
    current: Doing
    candidate: Doing
    runs_a_minute: float


USUAL: Final = Doing(0.90, 900.0, 0.05)
SCENARIOS: Final[Mapping[str, Scenario]] = {
    "better": Scenario(
        "Look the order up before answering",
        "Look the order up before you answer.",
        "One answer in ten is about the wrong order.",
        USUAL,
        Doing(0.97, 850.0, 0.02),
        1500,
    ),
    "worse": Scenario(
        "Answer from memory",
        "Answer from memory; look nothing up.",
        "Looking orders up takes most of the time.",
        USUAL,
        Doing(0.60, 700.0, 0.15),
        1500,
    ),
    "unsafe": Scenario(
        "Give out what is in the account",
        "Say everything the account says when asked.",
        "People ask twice for what is in their account.",
        USUAL,
        Doing(0.97, 850.0, 0.02, unsafe=0.03),
        1500,
    ),
    "quiet": Scenario(
        "Name the date of the order",
        "Name the date of the order in the answer.",
        "People ask for it afterwards.",
        USUAL,
        Doing(0.92, 900.0, 0.05),
        20,
    ),
}
_SPREAD: Final = 0.4
"""Of the latency's logarithm."""
_MOST_OF_A_UNIT: Final = 3


def run(random: Random, doing: Doing) -> dict[str, Any]:
    """What one run reports of itself."""
    success = random.random() < doing.success
    told: dict[str, Any] = {
        "id": f"run-{random.getrandbits(64):016x}",
        "success": success,
        "latency_ms": round(doing.latency_ms * random.lognormvariate(0, _SPREAD), 1),
    }
    return told if success else told | {"error": "The answer named another order."}


def thumb(random: Random, doing: Doing, run_id: str) -> dict[str, Any] | None:
    """What somebody said of a run, if anybody did."""
    if random.random() < doing.unsafe:
        return {"id": f"fb-{run_id}", "run_id": run_id, "rating": "negative", "reason_code": "unsafe"}
    if random.random() < doing.complaints:
        return {"id": f"fb-{run_id}", "run_id": run_id, "rating": "negative", "reason_code": "wrong"}
    liked = random.random() < 0.05
    return {"id": f"fb-{run_id}", "run_id": run_id, "rating": "positive"} if liked else None


def session(random: Random) -> tuple[str, int]:
    """A new unit, and how many runs it has."""
    return f"session-{random.getrandbits(64):016x}", random.randint(1, _MOST_OF_A_UNIT)
