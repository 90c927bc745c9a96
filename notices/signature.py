"""How webhooks are signed: Standard Webhooks, version 1. Pure."""

import base64
import binascii
import hmac
from hashlib import sha256
from typing import Final

PREFIX: Final = "whsec_"


def signature(secret: str, message: str, at: int, body: bytes) -> str:
    """“v1,…”: HMAC-SHA256 over id, time and body."""
    signed = hmac.digest(key_of(secret), f"{message}.{at}.".encode() + body, sha256)
    return f"v1,{base64.b64encode(signed).decode()}"


def key_of(secret: str) -> bytes:
    """The bytes to sign with: of “whsec_” and base64, or those of the words themselves. Raises ValueError."""
    if not secret.startswith(PREFIX):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        raise ValueError("what follows whsec_ should be base64") from None
