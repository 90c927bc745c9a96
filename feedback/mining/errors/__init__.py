"""Error messages: which of them are the same error, and what sort of error each is.

`template` gives the shape of one message, what varies as "<*>"; `families` says which shapes differ only in words
that vary, `common` what they have in common, `readable` a shape as people write it; `classify` sorts by cause.
"""

from feedback.mining.errors.classes import ErrorClass, classify
from feedback.mining.errors.closure import common, families, joined
from feedback.mining.errors.pieces import PLACEHOLDER
from feedback.mining.errors.shapes import readable, template

__all__ = ["PLACEHOLDER", "ErrorClass", "classify", "common", "families", "joined", "readable", "template"]
