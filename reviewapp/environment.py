"""Every setting that comes from the environment, typed; a bad value is refused by name."""

import json
import os
import secrets
import sys
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

import re2
from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict
from pydantic import Field, RedisDsn, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from agents.networks import parse_networks
from agents.sensitive import MASKED
from audit.notes import BadNote, PrivateKey
from notices.addresses import Private
from notices.signature import key_of
from reviewapp.mail_url import MailServer

ROLES = ("viewer", "reviewer", "operator", "auditor", "admin")
"""As `people.roles.Role`, which needs settings to be imported; a test holds the two together."""

SignalName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}(=false)?$")]
SignalWeight = Annotated[float, Field(ge=0, lt=1)]

BASE_DIR: Path = Path(__file__).resolve().parent.parent


class Environment(BaseSettings):
    """What an operator can set; the names are the environment variables, in any case."""

    model_config = SettingsConfigDict(extra="ignore", env_ignore_empty=True, hide_input_in_errors=True)

    database_url: str | None = None
    # Who web, worker and scheduler sign in to PostgreSQL as, where DATABASE_URL here is of the tables' owner.
    countersign_database_role: str = Field(default="", pattern=r"^([a-z_][a-z0-9_]{0,62})?$")
    redis_url: RedisDsn | None = None
    secret_key: str | None = Field(default=None, min_length=32)
    allowed_hosts: Annotated[list[str], NoDecode] = ["localhost", "127.0.0.1", "[::1]"]
    data_dir: Path = BASE_DIR / "var"
    # Where people reach the board, for the links that commands print; `up` says it by itself.
    countersign_address: str = Field(default="http://127.0.0.1:8000", pattern=r"^https?://[^/\s]+/?$")
    countersign_debug: bool = False
    # Cookies and redirects assume TLS in front. Off by default, so that the first minute works on a laptop.
    countersign_https: bool = False
    countersign_single_operator: bool = False
    # Whose roles ask for a second factor, as a list with commas, or “all”.
    countersign_second_factor: Annotated[frozenset[str], NoDecode] = frozenset()
    # What passwords may not be built from, beside the names the board knows; a list with commas.
    countersign_password_words: Annotated[list[str], NoDecode] = []
    # Where one person can be signed in at once; beyond, the session unused for longest ends. 0 is no limit.
    countersign_sessions_at_once: int = Field(default=10, ge=0, le=1000)
    # An organisation's own sign-in, by OpenID Connect; see docs/operators.md.
    countersign_oidc_server: str | None = None
    countersign_oidc_client_id: str | None = Field(default=None, validate_default=True)
    countersign_oidc_client_secret: str | None = Field(default=None, validate_default=True)
    countersign_oidc_name: str = Field(default="your organisation", min_length=1, max_length=60)
    countersign_oidc_groups: dict[str, Literal["viewer", "reviewer", "operator", "auditor", "admin"]] = {}
    countersign_oidc_groups_claim: str = "groups"
    countersign_min_sources: int = Field(default=3, ge=1, le=1000)
    # What the drafts of an agent take that has no rule of its own: the largest share of one source in percent, the days
    # that the reports are of, and whether each end user is a source or only each owner of keys.
    countersign_max_share: int = Field(default=40, ge=5, le=100)
    countersign_min_days: int = Field(default=2, ge=1, le=90)
    countersign_count_users: bool = False
    # Percent of a text that changes born of feedback may come to in two weeks before it is said to drift; 0 never.
    countersign_drift_share: int = Field(default=20, ge=0, le=1000)
    countersign_min_misses: int = Field(default=20, ge=1, le=100_000)
    countersign_chance_alike: float = Field(default=0.001, ge=0, le=0.5)
    countersign_signal_weights: Annotated[dict[SignalName, SignalWeight], NoDecode] = {}
    # What is masked in reports before they are stored, as a list with commas.
    countersign_mask: Annotated[frozenset[str], NoDecode] = frozenset()
    countersign_resolved_after_days: int = Field(default=14, ge=1, le=365)
    countersign_remove_after_days: int = Field(default=90, ge=0, le=3650)
    countersign_mine_every_s: float = Field(default=15.0, ge=1, le=3600)
    countersign_mine_batch: int = Field(default=2000, ge=1, le=10_000)
    countersign_meaning: bool = True
    countersign_expire_after_days: int = Field(default=30, ge=0, le=3650)
    # Of errors, beside the built-in ones and before them: name → pattern (RE2) of lower-case text, as JSON.
    countersign_error_classes: dict[str, str] = {}
    # What signs checkpoints of the log, as “PRIVATE+KEY+…”; made once under the data directory when not given.
    countersign_signing_key: str | None = None
    countersign_checkpoint_every_s: float = Field(default=3600.0, ge=60, le=86_400)
    countersign_checkpoint_dir: Path | None = None
    countersign_body_limit: int = Field(default=1_000_000, ge=10_000, le=50_000_000)
    # After so many seconds PostgreSQL ends a statement of the web process, a wait for a lock, an idle transaction.
    countersign_statement_timeout_s: int = Field(default=30, ge=0, le=3600)
    countersign_lock_timeout_s: int = Field(default=10, ge=0, le=3600)
    countersign_idle_transaction_timeout_s: int = Field(default=60, ge=0, le=3600)

    # Calls of one API key, where it has no limits of its own; 0 is no limit.
    countersign_key_calls_a_minute: int = Field(default=30_000, ge=0, le=1_000_000)
    # Of these, such as neither fetch instructions nor report; of keys with limits of their own, too.
    countersign_key_other_calls_a_minute: int = Field(default=600, ge=0, le=1_000_000)
    countersign_key_calls_a_day: int = Field(default=1_000_000, ge=0, le=1_000_000_000)
    # So many open patterns at most that nobody but one owner of keys reported; 0 is no limit.
    countersign_open_patterns: int = Field(default=500, ge=0, le=1_000_000)
    # So many releases of an agent within 24 hours at most, where it has no limit of its own; 0 is no limit.
    countersign_releases_a_day: int = Field(default=20, ge=0, le=1000)
    # For so long, and until so many reports counted, what comes with the API key of a new owner carries no pattern.
    countersign_probation_days: int = Field(default=1, ge=0, le=365)
    countersign_probation_reports: int = Field(default=0, ge=0, le=1_000_000)
    # Whose X-Forwarded-For is believed.
    countersign_trusted_proxies: Annotated[list[str], NoDecode] = []

    # Mail to people, and a signed webhook to a program; see docs/notices.md.
    email_url: str | None = None
    email_from: str = Field(default="Countersign <countersign@localhost>", pattern=r"^[^\r\n]+@[^\r\n]+$")
    countersign_webhook_url: str | None = None
    countersign_webhook_secret: str | None = Field(default=None, min_length=24, validate_default=True)
    countersign_private_targets: Annotated[list[str], NoDecode] = []
    countersign_notifiers: Annotated[list[str], NoDecode] = [
        "notices.channels.mail.Mail",
        "notices.channels.webhook.Webhook",
    ]
    countersign_digest_every_s: float = Field(default=3600.0, ge=60, le=604_800)

    @field_validator("database_url")
    @classmethod
    def check_database_url(cls, value: str | None) -> str | None:
        """DATABASE_URL is anything libpq accepts as postgresql://…, a Unix socket as ?host=/path included."""
        if value is None:
            return None
        if not value.startswith(("postgresql://", "postgres://")):
            raise ValueError("should start with postgresql://")
        try:
            conninfo_to_dict(value)
        except ProgrammingError as error:
            raise ValueError(str(error).strip()) from None
        return value

    @field_validator("data_dir", "countersign_checkpoint_dir")
    @classmethod
    def make_absolute(cls, value: Path | None) -> Path | None:
        """DATA_DIR may be relative to where the program is started, or a link; our children start elsewhere."""
        return value.expanduser().resolve() if value else None

    @field_validator("countersign_signing_key")
    @classmethod
    def check_signing_key(cls, value: str | None) -> str | None:
        """COUNTERSIGN_SIGNING_KEY is what “rotate_signing_key --print” prints."""
        try:
            return PrivateKey.parse(value).text if value else None
        except BadNote as error:
            raise ValueError(str(error)) from None

    @field_validator("countersign_signal_weights", mode="before")
    @classmethod
    def read_weights(cls, value: object) -> object:
        """COUNTERSIGN_SIGNAL_WEIGHTS is JSON like {"regenerated": 0.2, "task_completed=false": 0.6}."""
        try:
            return json.loads(value) if isinstance(value, str) else value
        except ValueError:
            raise ValueError('should be JSON like {"regenerated": 0.2}') from None

    @field_validator("email_url")
    @classmethod
    def check_email_url(cls, value: str | None) -> str | None:
        """EMAIL_URL is like smtp://user:password@host:587."""
        if value:
            MailServer.parse(value)
        return value or None

    @field_validator("countersign_webhook_url")
    @classmethod
    def check_webhook_url(cls, value: str | None) -> str | None:
        """COUNTERSIGN_WEBHOOK_URL is an http(s) address; whether it may be reached is seen when something is sent."""
        if value and not value.startswith(("https://", "http://")):
            raise ValueError("should start with https://")
        return value or None

    @field_validator("countersign_webhook_secret")
    @classmethod
    def check_webhook_secret(cls, value: str | None, info: ValidationInfo) -> str | None:
        """COUNTERSIGN_WEBHOOK_SECRET is whsec_ and base64, or any 24 characters or more."""
        if value:
            key_of(value)
        elif info.data.get("countersign_webhook_url"):
            raise ValueError("is needed with COUNTERSIGN_WEBHOOK_URL: what is sent has to be signed")
        return value

    @field_validator("countersign_private_targets", mode="after")
    @classmethod
    def check_private_targets(cls, value: list[str]) -> list[str]:
        """COUNTERSIGN_PRIVATE_TARGETS is like hooks.internal,10.1.0.0/16."""
        Private.parse(value)
        return value

    @field_validator("countersign_trusted_proxies", mode="after")
    @classmethod
    def check_trusted_proxies(cls, value: list[str]) -> list[str]:
        """COUNTERSIGN_TRUSTED_PROXIES is like 10.0.0.0/8,127.0.0.1."""
        return parse_networks(",".join(value))

    @cached_property
    def mail(self) -> MailServer | None:
        """Where mail goes; None for nowhere."""
        return MailServer.parse(self.email_url) if self.email_url else None

    @field_validator(
        "allowed_hosts",
        "countersign_password_words",
        "countersign_private_targets",
        "countersign_notifiers",
        "countersign_trusted_proxies",
        mode="before",
    )
    @classmethod
    def split_lists(cls, value: object) -> object:
        """ALLOWED_HOSTS and the like are comma-separated lists."""
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value

    @field_validator("countersign_mask", mode="before")
    @classmethod
    def read_mask(cls, value: object) -> object:
        """COUNTERSIGN_MASK is like “email,phone”, or “all”."""
        if not isinstance(value, str):
            return value
        kinds = {kind.strip() for kind in value.split(",")} - {""}
        if unknown := kinds - {*MASKED, "all"}:
            raise ValueError(f"should be of {', '.join(MASKED)} or all, not {', '.join(sorted(unknown))}")
        return frozenset(MASKED if "all" in kinds else kinds)

    @field_validator("countersign_second_factor", mode="before")
    @classmethod
    def read_second_factor(cls, value: object) -> object:
        """COUNTERSIGN_SECOND_FACTOR is like “admin,reviewer”, or “all”."""
        if not isinstance(value, str):
            return value
        named = {role.strip() for role in value.split(",")} - {""}
        if unknown := named - {*ROLES, "all"}:
            raise ValueError(f"should be of {', '.join(ROLES)} or all, not {', '.join(sorted(unknown))}")
        return frozenset(named)

    @field_validator("countersign_oidc_server")
    @classmethod
    def check_oidc_server(cls, value: str | None) -> str | None:
        """COUNTERSIGN_OIDC_SERVER is the issuer, https://login.example.org; only this machine may do without TLS."""
        if value and not value.startswith(("https://", "http://localhost:", "http://127.0.0.1:")):
            raise ValueError("should start with https://")
        return value.rstrip("/") if value else None

    @field_validator("countersign_oidc_client_id", "countersign_oidc_client_secret")
    @classmethod
    def check_oidc_client(cls, value: str | None, info: ValidationInfo) -> str | None:
        """Both are what the service gave when this board was registered there."""
        if not value and info.data.get("countersign_oidc_server"):
            raise ValueError("is needed with COUNTERSIGN_OIDC_SERVER")
        return value

    @cached_property
    def oidc_apps(self) -> list[dict[str, object]]:
        """The one service, as allauth wants it described; none without."""
        if not self.countersign_oidc_server:
            return []
        server = {"server_url": self.countersign_oidc_server}
        return [
            {
                "provider_id": "oidc",
                "name": self.countersign_oidc_name,
                "client_id": self.countersign_oidc_client_id,
                "secret": self.countersign_oidc_client_secret,
                "settings": server,
            }
        ]

    @field_validator("countersign_error_classes")
    @classmethod
    def check_error_classes(cls, value: dict[str, str]) -> dict[str, str]:
        """COUNTERSIGN_ERROR_CLASSES is like {"billing": "card declined|insufficient funds"}."""
        for name, pattern in value.items():
            if not re2.fullmatch(r"[a-z][a-z0-9_]{0,29}", name):
                raise ValueError(f"the name {name!r} should be of lower-case letters, digits and underscores")
            try:
                re2.compile(pattern)
            except re2.error as error:
                raise ValueError(f"the pattern of {name} is not valid: {error}") from None
        return value

    @cached_property
    def django_secret(self) -> str:
        """The secret key: given, or made once and kept in the data directory, readable by its owner only."""
        return self.secret_key or _kept_secret(self.data_dir / "secret_key")


def _kept_secret(path: Path) -> str:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(48))
        with suppress(FileExistsError):  # another process of ours was first: its secret stands
            os.link(draft, path)
        draft.unlink()
    return path.read_text().strip()


def _running_servers(data_dir: Path) -> dict[str, str]:
    """Where the servers are that `up` has started on this data directory, for the other commands to find them."""
    try:
        servers = json.loads((data_dir / "run" / "servers.json").read_text())
    except (OSError, ValueError):
        return {}
    return {name.lower(): url for name, url in servers.items() if not os.environ.get(name)}


def read() -> Environment:
    """Read the environment, or end the program with one line for each bad value."""
    try:
        given = Environment()
        found = _running_servers(given.data_dir)
        environment = Environment.model_validate(given.model_dump(exclude_unset=True) | found)
        environment.django_secret  # noqa: B018 (made now, so that a data directory we cannot use is told of now)
    except ValidationError as error:
        for problem in error.errors():
            name = str(problem["loc"][0]).upper()
            print(f"{name}: {problem['msg']}", file=sys.stderr)
        raise SystemExit(2) from None
    except OSError as error:
        print(f"DATA_DIR: {given.data_dir} cannot be used: {error.strerror}.", file=sys.stderr)
        raise SystemExit(2) from None
    return environment
