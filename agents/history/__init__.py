"""What became of each line over the versions of a document. Pure; knows no Django.

hunks(old, new) -> list[Hunk]              the changes between two texts, as runs of lines
blame(texts) -> list[int]                  for each line of the last text, which text brought it
"""

from agents.history.alignment import Hunk, hunks
from agents.history.blame import blame, carried

__all__ = ["Hunk", "blame", "carried", "hunks"]
