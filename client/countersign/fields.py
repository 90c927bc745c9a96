"""The fields of reports, as the API has them; `id`, `at` and `agent` are filled in by the client."""

from typing import Any, Literal, TypedDict


class Feedback(TypedDict, total=False):
    """What somebody said of a run. At least one of rating, reason_code, reason, correction, signals, expected."""

    id: str
    run_id: str
    version: int
    rating: Literal["positive", "negative"]
    reason_code: Literal[
        "wrong", "outdated", "unsafe", "incomplete", "too_long", "too_short",
        "style", "format", "wrong_tool", "slow", "refused", "other",
    ]  # fmt: skip
    reason: str
    correction: str
    signals: dict[str, bool]
    expected: str
    predicted: str
    input: str
    output: str
    edited_output: str
    user: str
    at: str
    metadata: dict[str, Any]


class Run(TypedDict, total=False):
    """How one execution of an agent went, beside whether it succeeded."""

    id: str
    document: str
    version: int
    unit: str
    task: str
    tool: str
    error: str
    error_type: str
    latency_ms: float
    quality: float
    cost_usd: float
    model: str
    input_hash: str
    output_hash: str
    at: str
    metadata: dict[str, Any]
