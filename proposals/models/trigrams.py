"""Finding a few letters anywhere in many texts, by an index."""

from typing import Any, Final

from django.contrib.postgres.fields import ArrayField
from django.db.models import Expression, F, Func, TextField, Value
from django.db.models.functions import Concat

SHORTEST: Final = 3
"""Characters below which there is nothing to look up."""


class Trigrams(Func):
    """Every three characters that follow each other in a text, in capitals, by a function of the database."""

    function = "countersign_trigrams"
    output_field: "ArrayField[Any, Any]" = ArrayField(TextField())


def trigrams(*names: str) -> Trigrams:
    """Those of these fields of a row."""
    first, *others = names
    parts: list[Expression | F] = [part for name in others for part in (Value("\n"), F(name))]
    return Trigrams(Concat(F(first), *parts, output_field=TextField()))
