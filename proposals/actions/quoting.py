"""Let an agent's drafts quote what people corrected, or no longer."""

from django.db import transaction

from agents.models import Agent
from audit.record import Actor, record
from people.models import User
from proposals.exceptions import Invalid, NotAllowed
from proposals.models import Quoting
from proposals.models.quoting import LEAST, MOST


@transaction.atomic
def allow_quoting(*, user: User, agent: Agent, sources: int) -> Quoting:
    """Let drafts quote corrections that so many sources made in the same words. Raises NotAllowed, Invalid."""
    _require_manager(user)
    if not LEAST <= sources <= MOST:
        raise Invalid("sources", f"Ask for {LEAST} to {MOST} sources of each quote.")
    Agent.objects.select_for_update(no_key=True).get(pk=agent.pk)  # two admins at once: one after the other
    before = Quoting.objects.filter(agent=agent).first()
    if before and before.sources == sources:
        return before
    made, _ = Quoting.objects.update_or_create(agent=agent, defaults={"sources": sources})
    _record("quoting.allowed", made, user, {"sources": before.sources} if before else None, {"sources": sources})
    return made


@transaction.atomic
def forbid_quoting(quoting_id: int, *, user: User) -> Quoting | None:
    """Let them quote nothing from now on; None if that is so already. What is open is decided by people. NotAllowed."""
    _require_manager(user)
    found = Quoting.objects.select_for_update(of=("self",)).select_related("agent").filter(pk=quoting_id).first()
    if found:
        _record("quoting.forbidden", found, user, {"sources": found.sources}, None)
        found.delete()
    return found


def _require_manager(user: User) -> None:
    if not user.has_perm("proposals.manage_policy"):
        raise NotAllowed("Changing what drafts may quote needs the role admin.")


def _record(
    verb: str, quoting: Quoting, user: User, before: dict[str, object] | None, after: dict[str, object] | None
) -> None:
    record(verb, actor=Actor.person(user), target=quoting, agent=quoting.agent.slug, before=before, after=after)
