"""Set what has to stand behind the drafts that are made by themselves for an agent, or leave it to the board."""

from typing import Any, Final

from django.db import transaction

from agents.models import Agent
from agents.reach import require_act
from audit.record import Actor, record
from people.models import User
from proposals.exceptions import Invalid, NotAllowed
from proposals.grounds import sourcing
from proposals.models import SourceRule
from proposals.models.sources import LEAST_SHARE, MOST_DAYS, MOST_SOURCES
from proposals.rules.backing import Rule

LIMITS: Final = {"sources": (1, MOST_SOURCES), "share": (LEAST_SHARE, 100), "days": (1, MOST_DAYS)}


@transaction.atomic
def set_rule(agent_id: int, *, user: User, rule: Rule) -> SourceRule:
    """Ask for this from now on; what is drafted already stays. Raises NotAllowed, Invalid, OutOfReach."""
    _require_manager(user)
    require_act(user, agent_id)
    return _set(agent_id, rule, Actor.person(user))


@transaction.atomic
def tighten_with_key(agent_id: int, *, actor: Actor, rule: Rule) -> SourceRule:
    """The same by an API key, which may only ask for more than is asked for now. Raises NotAllowed, Invalid."""
    _locked(agent_id)
    now = sourcing.rule_for(agent_id)
    if not rule.is_at_least(now):
        raise NotAllowed(f"A key may only ask for more than now. Now: {now}. A person may ask for less.")
    return _set(agent_id, rule, actor)


@transaction.atomic
def remove_rule(rule_id: int, *, user: User) -> SourceRule | None:
    """Leave it to the board; None if that is so already. Raises NotAllowed, OutOfReach."""
    _require_manager(user)
    found = SourceRule.objects.select_for_update(of=("self",)).select_related("agent").filter(pk=rule_id).first()
    if found:
        require_act(user, found.agent_id)
        _record("source_rule.removed", found, Actor.person(user), found.rule, sourcing.board_rule())
        found.delete()
    return found


def _set(agent_id: int, rule: Rule, actor: Actor) -> SourceRule:
    _refuse_bad(rule)
    _locked(agent_id)
    found = SourceRule.objects.select_related("agent").filter(agent=agent_id).first()
    before = found.rule if found else sourcing.board_rule()
    if found and before == rule:
        return found
    made, _ = SourceRule.objects.update_or_create(agent_id=agent_id, defaults=rule.to_json())
    _record("source_rule.set", made, actor, before, rule)
    return made


def _locked(agent_id: int) -> Agent:
    """Two at once: one after the other."""
    return Agent.objects.select_for_update(no_key=True).get(pk=agent_id)


def _require_manager(user: User) -> None:
    if not user.has_perm("proposals.manage_policy"):
        raise NotAllowed("Changing what has to stand behind drafts needs the role admin.")


def _refuse_bad(rule: Rule) -> None:
    for name, (least, most) in LIMITS.items():
        if not least <= getattr(rule, name) <= most:
            raise Invalid(name, f"Give a number from {least} to {most}.")
    if rule.per not in SourceRule.Per.values:
        raise Invalid("per", "Choose what counts as one source.")
    if rule.sources * rule.share < 100:
        raise Invalid("share", f"{rule.sources} sources with at most {rule.share} % each never come to all.")


def _record(verb: str, kept: SourceRule, actor: Actor, before: Rule, after: Rule) -> None:
    facts: tuple[dict[str, Any], dict[str, Any]] = before.to_json(), after.to_json()
    record(verb, actor=actor, target=kept, agent=kept.agent.slug, before=facts[0], after=facts[1])
