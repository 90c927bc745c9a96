"""Names that people read in lists and titles: one line, nothing in it that nobody could see."""

import unicodedata

from agents.exceptions import BadName

_UNSEEN = {"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"}


def clean_name(name: str, *, what: str = "name") -> str:
    """The name with single blanks between its words. Raises BadName."""
    name = " ".join(name.split())
    for char in name:
        if unicodedata.category(char) in _UNSEEN:
            raise BadName(f"The {what} contains U+{ord(char):04X}, which nobody could see; remove it.")
    return name
