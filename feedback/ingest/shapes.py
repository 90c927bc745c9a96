"""What agents may send, field by field.

Absent and null mean the same. Limits are in characters. Unknown fields are refused: a misspelt one would be lost
silently.
"""

from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

LONGEST_REASON: Final = 16_000
LONGEST_TEXT: Final = 64_000
LONGEST_METADATA: Final = 16_000
LONGEST_LABEL: Final = 200
DEEPEST: Final = 16

Rating = Literal["positive", "negative"]
ReasonCode = Literal[
    "wrong",
    "outdated",
    "unsafe",
    "incomplete",
    "too_long",
    "too_short",
    "style",
    "format",
    "wrong_tool",
    "slow",
    "refused",
    "other",
]
Id = Annotated[str, Meta(min_length=1, max_length=64)]
Slug = Annotated[str, Meta(max_length=80)]
Label = Annotated[str, Meta(max_length=LONGEST_LABEL)]
Hash = Annotated[str, Meta(max_length=128)]
Reason = Annotated[str, Meta(max_length=LONGEST_REASON)]
Text = Annotated[str, Meta(max_length=LONGEST_TEXT)]
Moment = Annotated[str, Meta(max_length=40)]
Number = Annotated[int, Meta(ge=1, le=2_147_483_647)]
Milliseconds = Annotated[float, Meta(ge=0.0, le=1e9)]
Dollars = Annotated[float, Meta(ge=0.0, le=1e6)]
Quality = Annotated[float, Meta(ge=1.0, le=5.0)]
Signals = Annotated[dict[Annotated[str, Meta(max_length=64)], bool], Meta(max_length=32)]
Metadata = dict[str, Any]
Maybe = UnsetType | None


class FeedbackIn(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True, gc=False):
    """One report about a run, as sent."""

    id: Id | Maybe = UNSET
    agent: Slug | Maybe = UNSET
    run_id: Id | Maybe = UNSET
    version: Number | Maybe = UNSET
    rating: Rating | Maybe = UNSET
    reason_code: ReasonCode | Maybe = UNSET
    reason: Reason | Maybe = UNSET
    correction: Reason | Maybe = UNSET
    signals: Signals | Maybe = UNSET
    expected: Label | Maybe = UNSET
    predicted: Label | Maybe = UNSET
    input: Text | Maybe = UNSET
    output: Text | Maybe = UNSET
    edited_output: Text | Maybe = UNSET
    user: Label | Maybe = UNSET
    at: Moment | Maybe = UNSET
    metadata: Metadata | Maybe = UNSET


class RunIn(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True, gc=False, kw_only=True):
    """One execution of an agent, as sent."""

    id: Id | Maybe = UNSET
    agent: Slug | Maybe = UNSET
    document: Slug | Maybe = UNSET
    version: Number | Maybe = UNSET
    unit: Label | Maybe = UNSET
    task: Label | Maybe = UNSET
    tool: Label | Maybe = UNSET
    success: bool
    error: Reason | Maybe = UNSET
    error_type: Label | Maybe = UNSET
    latency_ms: Milliseconds | Maybe = UNSET
    quality: Quality | Maybe = UNSET
    cost_usd: Dollars | Maybe = UNSET
    model: Label | Maybe = UNSET
    input_hash: Hash | Maybe = UNSET
    output_hash: Hash | Maybe = UNSET
    at: Moment | Maybe = UNSET
    metadata: Metadata | Maybe = UNSET
