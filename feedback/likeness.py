"""Which reports say the same but for case, spaces and marks, so that a list can show one and fold the others."""

import string
from collections.abc import Iterable
from typing import Final, TypeVar

from django.db.models import Case, Expression, F, Func, Q, TextField, Value, When
from django.db.models.functions import Cast, Concat, Left

T = TypeVar("T")

_READ: Final = 500
"""Characters of a text that are compared, as many as a list shows."""
_SAID: Final = ("rating", "reason_code", "reason", "correction", "expected", "predicted", "edited_output")
_BETWEEN: Final = "\x1f"
_BARE: Final = str.maketrans("", "", string.whitespace + string.punctuation + "\u00a0…’‘“”„–—")
_BARER: Final = _BARE | str.maketrans("", "", string.digits)


def said() -> Expression:
    """For rows with a `feedback` or a `run`: what the report says, in one text.

    What does not count any more says something of its own, so that it is like nothing else.
    """
    texts = [part for name in _SAID for part in (Left(f"feedback__{name}", _READ), Value(_BETWEEN))]
    failed = Concat("run__error_type", Value(_BETWEEN), Left("run__error", _READ), output_field=TextField())
    gone = [f"{report}__isnull" for report in ("feedback__withdrawn_at", "feedback__excluded_at", "run__excluded_at")]
    return Case(
        When(Q(*((name, False) for name in gone), _connector=Q.OR), then=_alone()),
        When(run__isnull=False, then=failed),
        default=Concat(*texts, _output(), output_field=TextField()),
        output_field=TextField(),
    )


def folded(rows: Iterable[tuple[T, str, int | None]]) -> list[list[T]]:
    """Items, what they say and the run that failed, if one did, as lists of what is alike, in the order of the first.

    Of an error, digits are set aside as well: they are numbers of requests and orders.
    """
    groups: dict[str, list[T]] = {}
    for item, text, run in rows:
        groups.setdefault(text.lower().translate(_BARE if run is None else _BARER), []).append(item)
    return list(groups.values())


def _alone() -> Expression:
    """The row's number, in letters."""
    number = Cast(F("pk"), TextField())
    return Func(number, Value(string.digits), Value("abcdefghij"), function="translate", output_field=TextField())


def _output() -> Expression:
    """What the agent said, where the report says nothing else."""
    silent = Q(feedback__reason="", feedback__reason_code="", feedback__expected="")
    return Case(When(silent, then=Left("feedback__output", _READ)), default=Value(""), output_field=TextField())
