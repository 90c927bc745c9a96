"""The one form in which texts of documents are kept."""

from typing import Final

from agents.exceptions import BadText

MAX_TEXT: Final = 400_000
# A page shows every line of a change, so what lines cost is bounded beside what characters cost.
MAX_LINES: Final = 10_000


def clean_text(text: str) -> str:
    """The text as it is kept: line feeds only, exactly one at the end. Raises BadText for what cannot be kept."""
    if "\x00" in text:
        raise BadText("The text contains a NUL character; remove it.")
    if len(text) > MAX_TEXT:
        raise BadText(f"The text has {len(text):,} characters; at most {MAX_TEXT:,} are allowed.")
    if not text.strip():
        raise BadText("The text is empty.")
    text = text.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n") + "\n"
    if (lines := text.count("\n")) > MAX_LINES:
        raise BadText(f"The text has {lines:,} lines; at most {MAX_LINES:,} are allowed.")
    return text
