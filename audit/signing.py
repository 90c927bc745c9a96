"""The key that signs checkpoints: from the environment, or made once and kept beside the data, never in the database.

Its public half is in the database and on the log, and stays there when another key takes its place.
"""

import secrets
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from audit.exceptions import CannotSign
from audit.files import replace, write_once
from audit.models import SigningKey
from audit.notes import BadNote, PrivateKey, PublicKey
from audit.record import SYSTEM, Actor, record

_OWNER_ONLY: Final = 0o600
_NOT_HERE: Final = (
    "The key that signs checkpoints is not here. Give this process COUNTERSIGN_SIGNING_KEY, or the data directory of "
    "the others; if the key is lost, “manage.py rotate_signing_key” makes another."
)


def key_file() -> Path:
    """Where the key is kept when the environment has none; readable by its owner only."""
    path: Path = settings.DATA_DIR / "log_signing_key"
    return path


def signer(actor: Actor = SYSTEM) -> PrivateKey:
    """The key to sign with. The very first one is made here; one not seen before takes the place of the last.

    Raises CannotSign.
    """
    key = _at_hand() or _first()
    _make_known(key, actor)
    return key


def rotate(actor: Actor) -> tuple[PrivateKey, PrivateKey | None]:
    """Make another key and sign with it from now on; returns it and the one before, if that is at hand.

    The file comes first: should we be interrupted after it, the next checkpoint makes the new key known.
    Raises CannotSign when the key is given by the environment.
    """
    if settings.COUNTERSIGN_SIGNING_KEY:
        raise CannotSign(
            "The signing key comes from COUNTERSIGN_SIGNING_KEY: set another there; “rotate_signing_key --print” makes "
            "one. The next checkpoint tells the log."
        )
    old, new = _at_hand(), fresh()
    try:
        replace(key_file(), new.text + "\n", _OWNER_ONLY)
    except OSError as error:
        raise _not_kept(error) from None
    _make_known(new, actor)
    return new, old


def fresh() -> PrivateKey:
    """A new key for this log, used nowhere yet."""
    known = SigningKey.objects.order_by("-pk").first()
    return PrivateKey.generate(known.name if known else _origin())


def public_keys() -> list[PublicKey]:
    """Every key that ever signed a checkpoint of this log, oldest first."""
    return [PublicKey.parse(text) for text in SigningKey.objects.values_list("text", flat=True)]


def trouble() -> str:
    """Why this process cannot sign, as a sentence; empty if it can."""
    try:
        return _NOT_HERE if _at_hand() is None and SigningKey.objects.exists() else ""
    except CannotSign as refusal:
        return str(refusal)


def _at_hand() -> PrivateKey | None:
    try:
        if settings.COUNTERSIGN_SIGNING_KEY:
            return PrivateKey.parse(settings.COUNTERSIGN_SIGNING_KEY)
        return PrivateKey.parse(key_file().read_text())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise CannotSign(f"The signing key in {key_file()} cannot be read: {error.strerror}.") from None
    except BadNote as error:
        raise CannotSign(f"The signing key cannot be used: {error}.") from None


def _first() -> PrivateKey:
    if SigningKey.objects.exists():
        raise CannotSign(_NOT_HERE)
    try:
        write_once(key_file(), fresh().text + "\n", _OWNER_ONLY)
    except OSError as error:
        raise _not_kept(error) from None
    key = _at_hand()
    if key is None:
        raise CannotSign(_NOT_HERE)
    return key


def _not_kept(error: OSError) -> CannotSign:
    return CannotSign(
        f"No signing key can be kept in {key_file().parent}: {error.strerror}. Set COUNTERSIGN_SIGNING_KEY instead."
    )


def _origin() -> str:
    """What the log calls itself, for good: the board's address as it is now, and something no other log has."""
    host = urlsplit(settings.COUNTERSIGN_ADDRESS).netloc or "countersign"
    return f"{host}/log-{secrets.token_hex(4)}"


@transaction.atomic
def _make_known(key: PrivateKey, actor: Actor) -> None:
    """Keep the public half and tell the log, unless that was done before."""
    text = key.public.text
    known = SigningKey.objects.filter(text=text).first()
    if known and known.retired_at:
        raise CannotSign(
            f"The signing key at hand was retired on {known.retired_at:%-d %B %Y}; give this process the one in use."
        )
    if known:
        return
    # Of two that do this at once with the same key, the second must not retire what the first has made known.
    others = SigningKey.objects.filter(retired_at=None).exclude(text=text)
    earlier = list(others.values_list("text", flat=True))
    others.update(retired_at=timezone.now())
    made, is_new = SigningKey.objects.get_or_create(text=text, defaults={"name": key.name})
    if is_new:
        verb, before = ("signing_key.rotated", {"key": earlier[-1]}) if earlier else ("signing_key.created", None)
        record(verb, actor=actor, target=made, before=before, after={"key": text})
