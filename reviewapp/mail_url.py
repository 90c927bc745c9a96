"""EMAIL_URL in parts."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote, urlsplit

_BACKENDS: Final = {"console": "console", "smtp": "smtp", "smtps": "smtp"}


@dataclass(frozen=True, slots=True)
class MailServer:
    """How mail goes out: `starttls` begins in the clear and goes on encrypted, `tls` is encrypted from the start."""

    backend: str
    host: str = ""
    port: int = 0
    user: str = ""
    password: str = ""
    starttls: bool = False
    tls: bool = False

    @classmethod
    def parse(cls, url: str) -> "MailServer":
        """From `smtp://user:password@host:587`, `smtps://…`, or `console:`. Raises ValueError.

        `smtp` asks for STARTTLS; `smtp://host:25?starttls=no` does not.
        """
        parts = urlsplit(url)
        if parts.scheme not in _BACKENDS:
            raise ValueError("should be smtp://user:password@host:587, smtps://…, or console:")
        backend = f"django.core.mail.backends.{_BACKENDS[parts.scheme]}.EmailBackend"
        if parts.scheme == "console":
            return cls(backend)
        if not parts.hostname:
            raise ValueError("should name a mail server, like smtp://host:587")
        if parts.query not in ("", "starttls=no"):
            raise ValueError("takes ?starttls=no and nothing else after the host")
        is_tls = parts.scheme == "smtps"
        return cls(
            backend,
            parts.hostname,
            parts.port or (465 if is_tls else 587),
            unquote(parts.username or ""),
            unquote(parts.password or ""),
            starttls=not is_tls and not parts.query,
            tls=is_tls,
        )
