"""Cursor pagination: pages that stay right while rows arrive."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from django.db.models import Model, QuerySet

M = TypeVar("M", bound=Model)

LARGEST_CURSOR = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Page(Generic[M]):
    """Some rows, and the cursor of the next page (None on the last)."""

    items: list[M]
    next: str | None


def newest_first(
    rows: "QuerySet[M]", *, field: str, cursor: int | None, limit: int, value: Callable[[M], int]
) -> Page[M]:
    """At most `limit` rows with `field` below the cursor, highest first; `value` reads that field of a row."""
    found = rows.filter(**{f"{field}__lt": cursor}) if cursor is not None else rows
    items = list(found.order_by(f"-{field}")[: limit + 1])
    more = len(items) > limit
    return Page(items[:limit], str(value(items[limit - 1])) if more else None)
