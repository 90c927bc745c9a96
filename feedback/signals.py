"""What agents observe without anybody saying a word: implicit signals, by name, and how much each weighs.

A signal is a weak hint and never a complaint: each weighs less than one, and a source that sent nothing else counts
once, by the strongest it sent.
"""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Final

from django.conf import settings


class Signal(StrEnum):
    """The signals with a meaning: the field of `signals` in a report, and the value that speaks against the answer."""

    NOT_COMPLETED = "task_completed=false"
    ABANDONED = "abandoned"
    ESCALATED = "escalated"
    REGENERATED = "regenerated"
    EDITED = "edited_output"
    RETRIED = "retried"


WEIGHTS: Final[dict[str, float]] = {
    Signal.NOT_COMPLETED: 0.5,
    Signal.ABANDONED: 0.5,
    Signal.ESCALATED: 0.5,
    Signal.REGENERATED: 0.3,
    Signal.EDITED: 0.3,
    Signal.RETRIED: 0.2,
}
_WORDS: Final = {
    Signal.NOT_COMPLETED: "task not completed",
    Signal.ABANDONED: "run abandoned",
    Signal.ESCALATED: "handed to a person",
    Signal.REGENERATED: "answer regenerated",
    Signal.EDITED: "answer edited",
    Signal.RETRIED: "asked again",
}


def weights() -> dict[str, float]:
    """Those that count, with the operator's own; one of weight 0 is turned off."""
    both = WEIGHTS | settings.COUNTERSIGN_SIGNAL_WEIGHTS
    return {name: weight for name, weight in both.items() if weight > 0}


def sent(signals: Mapping[str, object] | None) -> Iterator[str]:
    """The names, as `weights` has them, of what was observed."""
    for name, value in (signals or {}).items():
        if value is True:
            yield name
        elif value is False:
            yield f"{name}=false"


def in_words(name: str) -> str:
    """“answer regenerated”; one of the operator's own by its name."""
    known = {str(signal): words for signal, words in _WORDS.items()}
    return known.get(name) or name.replace("=false", ": no").replace("_", " ")
