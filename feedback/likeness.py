"""Which reports say the same but for case, spaces and marks, so that a list can show one and fold the others."""

import string
from collections.abc import Iterable
from typing import Final, TypeVar

from django.db.models import Case, Expression, F, Func, Q, TextField, Value, When
from django.db.models.functions import Cast, Left

T = TypeVar("T")

_READ: Final = 500
"""Characters of a text that are compared, as many as a list shows."""
_ASKED: Final = 300
_SAID: Final = ("rating", "reason_code", "expected", "predicted", "reason", "correction", "edited_output")
_SHORT: Final = _SAID[:4]
_BETWEEN: Final = "\x1f"
_BARE: Final = str.maketrans("", "", string.whitespace + string.punctuation + "\u00a0…’‘“”„–—")
_BARER: Final = _BARE | str.maketrans("", "", string.digits)


def said() -> Expression:
    """For rows with a `feedback` or a `run`: what the report says, in one text.

    What does not count any more says something of its own, so that it is like nothing else.
    """
    texts = [F(f"feedback__{name}") if name in _SHORT else Left(f"feedback__{name}", _READ) for name in _SAID]
    gone = [f"{report}__isnull" for report in ("feedback__withdrawn_at", "feedback__excluded_at", "run__excluded_at")]
    return Case(
        When(Q(*((name, False) for name in gone), _connector=Q.OR), then=_alone()),
        When(run__isnull=False, then=_joined(F("run__error_type"), Left("run__error", _READ))),
        default=_joined(*texts, _output()),
        output_field=TextField(),
    )


def asked() -> Expression:
    """For the same rows: of a wrong label the beginning of what was labelled, which the label alone does not tell."""
    is_labelled = When(~Q(feedback__expected=""), feedback__isnull=False, then=Left("feedback__input", _ASKED))
    return Case(is_labelled, default=Value(""), output_field=TextField())


def folded(rows: Iterable[tuple[T, str, int | None]]) -> list[list[T]]:
    """Items, what they say and the run that failed, if one did, as lists of what is alike, in the order of the first.

    Of an error, digits are set aside as well: they are numbers of requests and orders.
    """
    groups: dict[str, list[T]] = {}
    for item, text, run in rows:
        groups.setdefault(text.lower().translate(_BARE if run is None else _BARER), []).append(item)
    return list(groups.values())


def _joined(*texts: Expression | F) -> Expression:
    return Func(Value(_BETWEEN), *texts, function="concat_ws", output_field=TextField())


def _alone() -> Expression:
    """The row's number, in letters."""
    number = Cast(F("pk"), TextField())
    return Func(number, Value(string.digits), Value("abcdefghij"), function="translate", output_field=TextField())


def _output() -> Expression:
    """What the agent said, where the report says nothing else."""
    silent = Q(feedback__reason="", feedback__reason_code="", feedback__expected="")
    return Case(When(silent, then=Left("feedback__output", _READ)), default=Value(""), output_field=TextField())
