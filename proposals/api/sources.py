"""Who has to stand behind the drafts of an agent, over REST. A key can read it and ask for more, never for less."""

from typing import Annotated, Literal

from django.http import HttpRequest
from ninja import Router, Schema
from pydantic import ConfigDict, Field

from agents.api import Key, caller_of, while_it_works
from agents.models import ApiKey
from agents.problems import Invalid as InvalidBody
from agents.problems import Problem
from proposals.actions.source_rules import LIMITS, tighten_with_key
from proposals.exceptions import Invalid, NotAllowed
from proposals.grounds.sourcing import rule_for
from proposals.models import SourceRule
from proposals.rules.backing import Rule

router = Router(tags=["agents"])


def _number(name: str, said: str) -> object:
    least, most = LIMITS[name]
    return Field(ge=least, le=most, description=said)


Sources = Annotated[int, _number("sources", "Distinct sources at least.")]
Percent = Annotated[int, _number("share", "Percent of the voices that one source may have at most.")]
Days = Annotated[int, _number("days", "Days that the reports are of, at least.")]
Per = Annotated[Literal["owner", "user"], Field(description="One source is an owner of API keys, or an end user.")]


class SourceRuleIn(Schema):
    """What has to stand behind a draft that is made by itself."""

    model_config = ConfigDict(extra="forbid")

    sources: Sources
    share: Percent
    days: Days
    per: Per


class SourceRuleOut(Schema):
    """What has to stand behind a draft that is made by itself."""

    sources: Sources
    share: Percent
    days: Days
    per: Per
    own: bool = Field(description="Whether it is the agent’s own rule; else it is that of the board.")


@router.get("/{agent}/sources", response=SourceRuleOut, auth=Key(ApiKey.Scope.READ), summary="Read the rule on sources")
def read_rule(request: HttpRequest, agent: str) -> SourceRuleOut:
    """What a draft of this agent takes before it is made by itself."""
    return _out(caller_of(request).agent(agent))


@router.put("/{agent}/sources", response=SourceRuleOut, auth=Key(ApiKey.Scope.ADMIN), summary="Ask for more sources")
@while_it_works
def put_rule(request: HttpRequest, agent: str, body: SourceRuleIn) -> SourceRuleOut:
    """Ask for as much as now or more in every part. Asking for less takes a person, who does it on the page."""
    caller = caller_of(request)
    agent_id = caller.agent(agent)
    try:
        tighten_with_key(agent_id, actor=caller.actor, rule=Rule(**body.dict()))
    except Invalid as error:
        raise InvalidBody([{"loc": [error.field], "msg": str(error)}]) from None
    except NotAllowed as error:
        raise Problem(409, "asks-for-less", str(error)) from None
    return _out(agent_id)


def _out(agent_id: int) -> SourceRuleOut:
    own = SourceRule.objects.filter(agent=agent_id).exists()
    return SourceRuleOut(**rule_for(agent_id).to_json(), own=own)
