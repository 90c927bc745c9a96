"""The reads behind the review queue: what waits for whom, in which order, and what each row says."""

from proposals.queue.desk import Desk, desk_of
from proposals.queue.filters import Filters
from proposals.queue.place import Neighbours, Place, neighbours
from proposals.queue.rows import Mark, Row, rows
from proposals.queue.waiting import assigned_to, counts, decidable_by, waiting_for

__all__ = [
    "Desk",
    "Filters",
    "Mark",
    "Neighbours",
    "Place",
    "Row",
    "assigned_to",
    "counts",
    "decidable_by",
    "desk_of",
    "neighbours",
    "rows",
    "waiting_for",
]
