"""Names that people read in lists and titles: one line, nothing invisible."""

import unicodedata

_UNSEEN = {"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"}


def one_line(name: str) -> str:
    """The name with single blanks between its words."""
    return " ".join(name.split())


def unseen(name: str) -> str:
    """The code of the first character nobody could see, such as "U+202E"; empty when there is none."""
    return next((f"U+{ord(char):04X}" for char in name if unicodedata.category(char) in _UNSEEN), "")
