"""Finds what recurs in feedback and errors: pure functions, no database, no network.

`DEFAULT` groups; `terms`, `topics`, `replacement` and `label` say what it grouped; `classify` sorts errors and
`verdict` complaints.
"""

from feedback.mining.errors import ErrorClass, classify, common
from feedback.mining.grouper import TextGrouper
from feedback.mining.interface import (
    EXACT_KINDS,
    MAX_SIGNATURE,
    Assignment,
    Group,
    Grouper,
    Item,
    Kind,
    Middle,
    Reach,
    Result,
)
from feedback.mining.labels import label
from feedback.mining.phrases import apart, asides, telling, terms, topics
from feedback.mining.replaced import replacement
from feedback.mining.subjects import verdict

DEFAULT: Grouper = TextGrouper()

__all__ = [
    "DEFAULT",
    "EXACT_KINDS",
    "MAX_SIGNATURE",
    "Assignment",
    "ErrorClass",
    "Group",
    "Grouper",
    "Item",
    "Kind",
    "Middle",
    "Reach",
    "Result",
    "TextGrouper",
    "apart",
    "asides",
    "classify",
    "common",
    "label",
    "replacement",
    "telling",
    "terms",
    "topics",
    "verdict",
]
