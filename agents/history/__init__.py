"""What became of each line over the versions of a document. Pure; knows no Django.

hunks(old, new) -> list[Hunk]              the changes between two texts, as runs of lines
common_ends(old, new) -> (int, int)        how many items two sequences share at the start, and at the end
blame(texts) -> list[int]                  for each line of the last text, which text brought it
"""

from agents.history.alignment import Hunk, common_ends, hunks
from agents.history.blame import blame, carried

__all__ = ["Hunk", "blame", "carried", "common_ends", "hunks"]
