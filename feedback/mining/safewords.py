"""The words of a text that no harm can come from.

Whatever leaves this module is made of words of letters and digits; addresses, e-mail, markup, control and
invisible characters cannot occur in it.
"""

from functools import lru_cache

import re2

from feedback.mining.cleaning import clean

_MAX_WORDS = 200
_MAX_CHUNK = 60

BREAK = ""
_ADDRESS = re2.compile(r"://|@|\p{L}\.\p{L}|[/\\]{2}|^www\.|\d+\.\d+\.\d+|[\p{L}\d]+/[\p{L}\d]*/")
NUMBER = r"\p{N}{1,4}[A-Za-z]{1,3}\b|\p{N}{1,9}(?:[.,]\p{N}{1,9})?%?"  # "401k", "1,299.5", "20%"
NAME = r"\p{L}[\p{L}\p{N}]*(?:-[\p{L}\p{N}]+)*"
_SHORT_FOR = r"\p{L}+['’](?:t|ll|ve|re|d|m)\b"  # "didn't", "you've": what is left of them is no word
_IDENTIFIER = r"[\p{L}\p{N}]+(?:_+[\p{L}\p{N}]+)+"  # "run_tests" is one name, not two words
_TOKEN = re2.compile(rf"(?i){_SHORT_FOR}|{_IDENTIFIER}|{NUMBER}|{NAME}|[^\s\p{{L}}\p{{N}}]")
_SAFE = re2.compile(rf"^(?:{NUMBER}|{NAME})$")


def safe_words(text: str) -> list[str]:
    """The first 200 words and numbers of a text as written; "" stands for anything else between two words."""
    found: list[str] = []
    for chunk in clean(text).split()[:_MAX_WORDS]:
        found.extend(_safe(chunk) if len(chunk) <= _MAX_CHUNK else (BREAK,))
    return found[:_MAX_WORDS]


@lru_cache(maxsize=1 << 14)
def _safe(chunk: str) -> tuple[str, ...]:
    """The words of what has no blank; kept, since most texts are made of the same ones."""
    if _ADDRESS.search(chunk):
        return (BREAK,)
    return tuple(token if _SAFE.search(token) else BREAK for token in _TOKEN.findall(chunk))
