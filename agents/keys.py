"""API keys: what agents sign in with. What one looks like is in `agents.tokens`.

Each process remembers a key it has looked up for CACHE_SECONDS: revoking takes effect everywhere within that time, and
at once in the process that revokes.
"""

import hmac
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from agents import networks
from agents.limits import Limits
from agents.models import Agent, ApiKey
from agents.problems import NotFound, Problem
from agents.statements import once_more
from agents.tokens import BadKey, digest_of, mint, parse
from audit.models import AuditEntry
from audit.record import Actor, record
from people.models import User

CACHE_SECONDS: Final = 1.0
USE_NOTED_EVERY: Final = timedelta(minutes=1)
DEFAULT_DAYS: Final = 365
MOST_CALLS: Final = 1_000_000_000
LONGEST_PROBATION: Final = 365
ESTABLISHED_AFTER: Final = timedelta(days=1)
"""Keys made within a day of the first are those that an agent begins with."""

_LIVE: Final = """
    SELECT id FROM agents_apikey WHERE id = %s AND revoked_at IS NULL
    AND (expires_at IS NULL OR expires_at > statement_timestamp()) FOR SHARE
"""
_CACHE_SIZE: Final = 10_000


class Rules(NamedTuple):
    """Where a key may be used from (nothing: anywhere), and how much: see `agents.limits`."""

    networks: Sequence[str] = ()
    calls_a_minute: int | None = None
    calls_a_day: int | None = None


NO_RULES: Final = Rules()


class Probation(NamedTuple):
    """For so many days, and until so many reports of a key counted, its reports carry no pattern; 0 and 0 for none."""

    days: int = 0
    reports: int = 0

    @classmethod
    def of_board(cls) -> "Probation":
        """What the settings say for those who are new."""
        return cls(settings.COUNTERSIGN_PROBATION_DAYS, settings.COUNTERSIGN_PROBATION_REPORTS)

    @classmethod
    def wished(cls, days: int | None, reports: int | None) -> "Probation | None":
        """What somebody asked for, the board's where they left one of both out; None where both, for the usual one."""
        board = cls.of_board()
        if days is None and reports is None:
            return None
        return cls(board.days if days is None else days, board.reports if reports is None else reports)

    @classmethod
    def usual(cls, agent: Agent | None, owner: User) -> "Probation":
        """The board's, for an owner who is new where others report already; else none.

        Those report already who have a key that was used, is a day old, and is itself on no probation. It is owners who
        are counted, so another key of one of them brings no new voice; and before anybody reports, nobody is there to
        outvote. Whoever manages keys could end it at once, so it would hold nobody off. One query, or two.
        """
        if owner.has_perm("agents.manage_key"):
            return cls()
        keys = ApiKey.objects.filter(
            Q(probation_until=None) | Q(probation_ended_at__isnull=False),
            scopes__contains=[ApiKey.Scope.INGEST],
            revoked_at=None,
            last_used_at__isnull=False,
            created_at__lte=timezone.now() - ESTABLISHED_AFTER,
        )
        if agent:
            keys = keys.filter(Q(agent=agent) | Q(agent=None))
        owners = set(keys.order_by().values_list("owner", flat=True).distinct())
        return cls.of_board() if owners and owner.pk not in owners else cls()


class OwnerRefused(ValueError):
    """This person cannot own this key; the message is fit to be shown."""


class MissingScope(Problem):
    """A good key that may not do this."""

    def __init__(self, scope: str) -> None:
        super().__init__(403, "missing-scope", f"This API key lacks the scope “{scope}”.")


class AddressRefused(Problem):
    """A good key, used from where it may not be."""

    def __init__(self, address: str) -> None:
        where = address or "an address that the server does not tell"
        super().__init__(403, "address-refused", f"This API key may not be used from {where}.")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is calling, as read from the key at most CACHE_SECONDS ago."""

    key_id: int
    prefix: str
    label: str
    digest: bytes
    scopes: frozenset[str]
    agent_id: int | None
    agent_slug: str | None
    party: str
    expires_at: datetime | None
    fresh_until: float
    networks: tuple[str, ...]
    limits: Limits | None
    used_at: datetime | None
    agent_ids: dict[str, int] = field(compare=False)

    @property
    def actor(self) -> Actor:
        return Actor.key(self.prefix, self.label)

    def require(self, scope: str) -> None:
        """Raises MissingScope."""
        if scope not in self.scopes:
            raise MissingScope(scope)

    def sees(self, agent_id: int) -> bool:
        return self.agent_id is None or self.agent_id == agent_id

    def find_agent(self, slug: str | None) -> int | None:
        """The id of the agent meant: the key's own when none is named; None when unknown or another's."""
        if self.agent_id is not None:
            return self.agent_id if slug is None or slug == self.agent_slug else None
        if slug is None or "\0" in slug:
            return None
        if slug not in self.agent_ids:
            found = Agent.objects.filter(slug=slug).values_list("pk", flat=True).first()
            if found is None:
                return None
            self.agent_ids[slug] = found
        return self.agent_ids[slug]

    def agent(self, slug: str) -> int:
        """As `find_agent`; raises NotFound."""
        found = self.find_agent(slug)
        if found is None:
            raise NotFound(f"There is no agent “{slug[:80]}” for this key.")
        return found


def _nowhere() -> str:
    return ""


def authenticate(token: str, came_from: Callable[[], str] = _nowhere) -> Caller:
    """The caller behind a key; `came_from` tells the address of the request, and is asked only where it matters.

    Raises BadKey when it is malformed, unknown, revoked or expired, and AddressRefused.
    """
    prefix = parse(token)
    caller = _known.get(prefix)
    is_new = caller is None or caller.fresh_until < time.monotonic()
    if caller is None or is_new:
        caller = once_more(lambda: _look_up(prefix))
    if not hmac.compare_digest(caller.digest, digest_of(token)):
        raise BadKey
    if caller.expires_at and caller.expires_at <= timezone.now():
        raise BadKey("This API key has expired.")
    if caller.networks and not networks.allows(caller.networks, address := came_from()):
        raise AddressRefused(address)
    if is_new:
        _note_use(caller, came_from())
    return caller


@transaction.atomic
def create(
    agent: Agent | None,
    scopes: Iterable[str],
    *,
    owner: User,
    actor: Actor,
    label: str = "",
    days: int | None = DEFAULT_DAYS,
    rules: Rules = NO_RULES,
    probation: Probation | None = None,
) -> tuple[ApiKey, str]:
    """Make a key for one agent, or for all where `agent` is None; returns it with the secret, shown this once.

    What is sent with the key counts as its owner's. `days` is its life in days, None for no end. `probation` is the
    usual one unless given. Raises OwnerRefused, and ValueError for no scope, an unknown one, or a bad life.
    """
    wanted = sorted(set(scopes))
    unknown = sorted(set(wanted) - set(ApiKey.Scope.values))
    if not wanted or unknown:
        raise ValueError(f"Use scopes among {', '.join(ApiKey.Scope.values)}.")
    if days is not None and not 1 <= days <= 36_500:
        raise ValueError("A key lives for 1 to 36500 days.")
    if any(limit is not None and not 0 <= limit <= MOST_CALLS for limit in rules[1:]):
        raise ValueError(f"A limit is of 0 to {MOST_CALLS} calls.")
    require_may_own(owner, wanted, actor)
    if probation is None:
        probation = Probation.usual(agent, owner) if ApiKey.Scope.INGEST in wanted else Probation()
    prefix, token = mint()
    key = ApiKey.objects.create(
        prefix=prefix,
        digest=digest_of(token),
        label=label or (f"Key of {agent.name}" if agent else "Key for all agents"),
        scopes=wanted,
        agent=agent,
        owner=owner,
        expires_at=timezone.now() + timedelta(days=days) if days else None,
        **rules._asdict(),
        **_begun(probation),
    )
    record_on("key.created", key, actor, after=facts(key))
    return key, token


@transaction.atomic
def revoke(prefix: str, *, actor: Actor) -> bool:
    """End a key for good; False when it was revoked already. Raises ApiKey.DoesNotExist."""
    key = ApiKey.objects.select_related("agent", "owner").get(prefix=prefix)
    now = timezone.now()
    if not ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=now):
        return False
    record_on("key.revoked", key, actor, before=facts(key), after={"revoked_at": now.isoformat()})
    forget(prefix)
    return True


def require_live(key_id: int) -> None:
    """Make sure that a key works until this transaction ends: whoever revokes it waits. Raises BadKey."""
    with connection.cursor() as cursor:
        cursor.execute(_LIVE, [key_id])
        if cursor.fetchone() is None:
            raise BadKey


def forget(prefix: str) -> None:
    """Look the key up anew with its next call, once this transaction commits; other processes do so within a second."""
    transaction.on_commit(lambda: _known.pop(prefix, None) and None)


_known: Final[dict[str, Caller]] = {}


def _look_up(prefix: str) -> Caller:
    asked = time.monotonic()
    key = ApiKey.objects.select_related("agent").filter(prefix=prefix).first()
    if key is None or key.revoked_at:
        _known.pop(prefix, None)
        raise BadKey
    caller = Caller(
        key_id=key.pk,
        prefix=prefix,
        label=key.label,
        digest=bytes(key.digest),
        scopes=frozenset(key.scopes),
        agent_id=key.agent_id,
        agent_slug=key.agent.slug if key.agent else None,
        party=key.party,
        expires_at=key.expires_at,
        fresh_until=asked + CACHE_SECONDS,
        networks=tuple(key.networks),
        limits=key.limits,
        used_at=key.last_used_at,
        agent_ids={},
    )
    if len(_known) >= _CACHE_SIZE:
        _known.clear()
    _known[prefix] = caller
    return caller


def _note_use(caller: Caller, address: str) -> None:
    """Keep when and from where it was last used to the minute: one write a minute for each key, whatever is called."""
    due = timezone.now() - USE_NOTED_EVERY
    if caller.used_at is None or caller.used_at < due:
        rows = ApiKey.objects.filter(Q(last_used_at=None) | Q(last_used_at__lt=due), pk=caller.key_id)
        rows.update(last_used_at=timezone.now(), last_used_from=address or None)


def _begun(probation: Probation) -> dict[str, object]:
    """The columns of a probation that begins now."""
    if not any(probation):
        return {}
    return {
        "probation_until": timezone.now() + timedelta(days=probation.days),
        "probation_reports": probation.reports,
    }


def require_may_own(owner: User, scopes: list[str], actor: Actor) -> None:
    """Whether this person can own a key with these scopes that `actor` makes. Raises OwnerRefused."""
    if not owner.is_active:
        raise OwnerRefused(f"{owner} is deactivated and cannot own a key.")
    # Whoever makes a key has seen its secret. Were it another's, its maker could propose with it and then approve.
    if ApiKey.Scope.PROPOSE in scopes and actor.kind == AuditEntry.ActorKind.PERSON and actor.id != str(owner.pk):
        raise OwnerRefused("A key that may propose has to be your own, because you will have seen it.")


def facts(key: ApiKey) -> dict[str, object]:
    """What the log says of a key."""
    return {
        "prefix": key.prefix,
        "label": key.label,
        "scopes": list(key.scopes),
        "agent": key.agent.slug if key.agent else None,
        "owner": key.owner.username,
        "expires_at": key.expires_at.isoformat() if key.expires_at else None,
        "probation_until": key.probation_until.isoformat() if key.probation_until else None,
        "probation_reports": key.probation_reports,
        **rules_of(key)._asdict(),
    }


def rules_of(key: ApiKey) -> Rules:
    """Where and how much it may be used now."""
    return Rules(key.networks, key.calls_a_minute, key.calls_a_day)


def record_on(
    verb: str,
    key: ApiKey,
    actor: Actor,
    *,
    before: dict[str, object] | None = None,
    after: dict[str, object] | None = None,
) -> None:
    """Write one entry about a key into the log."""
    agent = key.agent.slug if key.agent else ""
    record(verb, actor=actor, target=key, agent=agent, before=before, after=after)
