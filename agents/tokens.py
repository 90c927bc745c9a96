"""The form of an API key, `csk_<10 characters, public>_<43 characters, secret><6 characters, checksum>`.

The checksum is the CRC-32 of all that stands before it, so that a mistyped key is refused without asking the database.
Only the SHA-256 of the whole is stored. Knows no database.
"""

import hashlib
import hmac
import secrets
import zlib
from typing import Final

from agents.problems import Problem

_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_MARK: Final = "csk_"
_PREFIX: Final = 10
_SECRET: Final = 43
_CHECKSUM: Final = 6
_LENGTH: Final = len(_MARK) + _PREFIX + 1 + _SECRET + _CHECKSUM


class BadKey(Problem):
    """No key, or none that is valid; what exactly is wrong is nobody's business."""

    def __init__(self, detail: str = "This API key is not valid.") -> None:
        super().__init__(401, "bad-key", detail, headers={"WWW-Authenticate": 'Bearer realm="Countersign"'})


def parse(token: str) -> str:
    """The public prefix of a well-formed key; raises BadKey. Asks no database."""
    body, checksum = token[:-_CHECKSUM], token[-_CHECKSUM:]
    if len(token) != _LENGTH or not token.isascii() or not token.startswith(_MARK):
        raise BadKey
    if not hmac.compare_digest(_checksum(body), checksum):
        raise BadKey("This API key is mistyped: its checksum does not fit.")
    return token[len(_MARK) : len(_MARK) + _PREFIX]


def digest_of(token: str) -> bytes:
    """What is kept of a key."""
    return hashlib.sha256(token.encode()).digest()


def mint() -> tuple[str, str]:
    """A new key: its public prefix, and the whole."""
    prefix = "".join(secrets.choice(_ALPHABET) for _ in range(_PREFIX))
    body = f"{_MARK}{prefix}_{_base62(int.from_bytes(secrets.token_bytes(32)), _SECRET)}"
    return prefix, body + _checksum(body)


def _checksum(body: str) -> str:
    return _base62(zlib.crc32(body.encode()), _CHECKSUM)


def _base62(number: int, width: int) -> str:
    digits = ""
    for _ in range(width):
        number, digit = divmod(number, 62)
        digits = _ALPHABET[digit] + digits
    return digits
