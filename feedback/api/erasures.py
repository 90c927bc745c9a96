"""Erasing what came from one end user, over REST."""

from datetime import datetime
from typing import Annotated

from django.http import HttpRequest
from ninja import Router, Schema, Status
from pydantic import AfterValidator, ConfigDict, StringConstraints

from agents.api import Key, caller_of, no_nul, while_it_works
from agents.models import ApiKey
from agents.problems import NotFound, Problem
from feedback.actions import erasure
from feedback.models import Erasure

router = Router(tags=["reports"])


class ErasureIn(Schema):
    """Whose: the `user` or `unit` exactly as agents send it."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(no_nul)]


class ErasureOut(Schema):
    """A wish, and what came of it; the numbers are final once it is done."""

    id: int
    asked_at: datetime
    done_at: datetime | None
    feedback: int
    runs: int


@router.post("/erasures", response={202: ErasureOut}, auth=Key(ApiKey.Scope.ADMIN), summary="Erase an end user")
@while_it_works
def ask(request: HttpRequest, body: ErasureIn) -> Status[ErasureOut]:
    """Have words and hashes of all that came in under a name erased, within a minute. What is counted stays."""
    caller = caller_of(request)
    if caller.agent_id is not None:
        raise Problem(403, "wrong-scope", "Erasing concerns all agents; this key is bound to one.")
    return Status(202, _out(erasure.ask(body.name, actor=caller.actor)))


@router.get("/erasures/{id}", response=ErasureOut, auth=Key(ApiKey.Scope.ADMIN), summary="Read an erasure")
def read(request: HttpRequest, id: int) -> ErasureOut:
    """Whether it was carried out, and how much that was."""
    found = Erasure.objects.filter(pk=id).first() if 0 < id < 2**63 and caller_of(request).agent_id is None else None
    if found is None:
        raise NotFound(f"There is no erasure {id}.")
    return _out(found)


def _out(wish: Erasure) -> ErasureOut:
    return ErasureOut(id=wish.pk, asked_at=wish.asked_at, done_at=wish.done_at, feedback=wish.feedback, runs=wish.runs)
