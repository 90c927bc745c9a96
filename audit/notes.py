"""Signed notes and checkpoints, in the text forms of C2SP (c2sp.org/signed-note, c2sp.org/tlog-checkpoint).

A note is text that ends with a line break, an empty line, and one line “— name base64(key id || signature)” for each
Ed25519 key that signed the text. The text of a checkpoint is three lines: origin, number of entries, root in base64.
Other programs that know these forms can check what is written here.
"""

import binascii
from base64 import b64decode, b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

_ED25519 = b"\x01"
_PRIVATE = "PRIVATE+KEY+"
_DASH = "— "
_MOST_SIGNATURES = 16


class BadNote(Exception):
    """What is wrong with a note, a checkpoint or a key, as half a sentence."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """What a signature is checked with."""

    name: str
    raw: bytes

    @property
    def key_id(self) -> bytes:
        """Four bytes that tell which key a signature is of."""
        return sha256(self.name.encode() + b"\n" + _ED25519 + self.raw).digest()[:4]

    @property
    def text(self) -> str:
        """“name+id+key”, the form in which public keys are passed around."""
        return f"{self.name}+{self.key_id.hex()}+{b64encode(_ED25519 + self.raw).decode()}"

    @classmethod
    def parse(cls, text: str) -> "PublicKey":
        """Read that form. Raises BadNote."""
        name, raw = _key_parts(text.strip())
        key = cls(name, raw)
        if key.text != text.strip():
            raise BadNote("this is not a public key of the form name+id+key")
        return key

    def signed(self, text: str, signature: bytes) -> bool:
        try:
            Ed25519PublicKey.from_public_bytes(self.raw).verify(signature, text.encode())
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, slots=True)
class PrivateKey:
    """What signs. Never shown in a message or a log."""

    name: str
    _key: Ed25519PrivateKey

    @classmethod
    def generate(cls, name: str) -> "PrivateKey":
        return cls(name, Ed25519PrivateKey.generate())

    @classmethod
    def parse(cls, text: str) -> "PrivateKey":
        """Read “PRIVATE+KEY+name+id+seed”. Raises BadNote."""
        stripped = text.strip()
        if not stripped.startswith(_PRIVATE):
            raise BadNote("a signing key starts with PRIVATE+KEY+")
        name, seed = _key_parts(stripped.removeprefix(_PRIVATE))
        key = cls(name, Ed25519PrivateKey.from_private_bytes(seed))
        if key.text != stripped:
            raise BadNote("the signing key was cut or mistyped")
        return key

    @property
    def public(self) -> PublicKey:
        return PublicKey(self.name, self._key.public_key().public_bytes_raw())

    @property
    def text(self) -> str:
        """The form that `parse` reads. Whoever has it can sign."""
        seed = b64encode(_ED25519 + self._key.private_bytes_raw()).decode()
        return f"{_PRIVATE}{self.name}+{self.public.key_id.hex()}+{seed}"

    def sign(self, text: str) -> bytes:
        return self._key.sign(text.encode())


def _key_parts(text: str) -> tuple[str, bytes]:
    """The name and the 32 bytes of “name+id+base64(1 || bytes)”."""
    name, _, rest = text.partition("+")
    raw = _decoded(rest.partition("+")[2])
    if not is_name(name) or len(raw) != 33 or raw[:1] != _ED25519:
        raise BadNote("this is not an Ed25519 key of the form name+id+key")
    return name, raw[1:]


def is_name(name: str) -> bool:
    """Whether a key can be called so: no spaces, no plus, nothing invisible."""
    return bool(name) and name.isprintable() and not set("+ ") & set(name)


def signed_note(text: str, keys: Iterable[PrivateKey]) -> str:
    """Text, which ends with a line break, and its signatures."""
    lines = [f"{_DASH}{key.name} {b64encode(key.public.key_id + key.sign(text)).decode()}\n" for key in keys]
    return f"{text}\n{''.join(lines)}"


def opened(note: str, keys: Sequence[PublicKey]) -> tuple[str, list[PublicKey]]:
    """The text of a note, and those of the keys that signed it: one at least.

    Signatures of other keys are passed over, as the form wants it. Raises BadNote when none is of these keys, or one
    that says so is not.
    """
    text, blank, signatures = note.rpartition("\n\n")
    if not blank or not signatures.endswith("\n"):
        raise BadNote("this is not a signed note")
    lines = signatures[:-1].split("\n")
    if len(lines) > _MOST_SIGNATURES:
        raise BadNote("it has too many signatures")
    text += "\n"
    found = [key for line in lines for key in _signer(text, line, keys)]
    if not found:
        raise BadNote("no key of this log signed it")
    return text, found


def _signer(text: str, line: str, keys: Sequence[PublicKey]) -> list[PublicKey]:
    name, _, encoded = line.removeprefix(_DASH).partition(" ")
    signature = _decoded(encoded)
    if not line.startswith(_DASH) or not is_name(name) or len(signature) < 5:
        raise BadNote("a line of its signatures cannot be read")
    known = [key for key in keys if key.name == name and key.key_id == signature[:4]]
    if known and not known[0].signed(text, signature[4:]):
        raise BadNote("it was changed after it was signed")
    return known[:1]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a checkpoint states: of which log, how many entries, and the root over them."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        return f"{self.origin}\n{self.size}\n{b64encode(self.root).decode()}\n"

    @classmethod
    def parse(cls, text: str) -> "Checkpoint":
        """Read the text of a note; lines after the third are passed over. Raises BadNote."""
        lines = text.split("\n")
        size = lines[1] if len(lines) > 3 else ""
        root = _decoded(lines[2]) if len(lines) > 3 else b""
        if not (size.isascii() and size.isdigit() and len(size) < 19) or size != str(int(size)) or len(root) != 32:
            raise BadNote("this is not a checkpoint: origin, number of entries, root")
        return cls(lines[0], int(size), root)


def _decoded(text: str) -> bytes:
    """Only the one spelling that encoding gives; empty for all others."""
    try:
        raw = b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
    return raw if b64encode(raw).decode() == text else b""
