"""Real cases behind a proposal, and what the agent answers to them under its text, over REST."""

from typing import Annotated

from django.http import HttpRequest
from ninja import Router, Schema, Status
from pydantic import AfterValidator, ConfigDict, Field, StringConstraints

from agents.api import Key, caller_of, no_nul, while_it_works
from agents.keys import Caller
from agents.models import ApiKey
from agents.problems import Invalid as InvalidBody
from agents.problems import NotFound, Problem
from proposals.actions.trials import MOST_AT_ONCE, NewOutput, cases_of, hand_in
from proposals.exceptions import Duplicate, Invalid, NotPending
from proposals.models import Proposal, Trial

router = Router(tags=["proposals"])

FeedbackId = Annotated[str, StringConstraints(min_length=1, max_length=64), AfterValidator(no_nul)]
Output = Annotated[str, StringConstraints(min_length=1, max_length=Trial.MAX_OUTPUT), AfterValidator(no_nul)]
Model = Annotated[str, StringConstraints(max_length=Trial.MAX_MODEL), AfterValidator(no_nul)]


class CaseOut(Schema):
    """One report that can be tried again."""

    feedback: str
    input: str
    output: str
    correction: str
    expected: str


class Cases(Schema):
    """The newest cases, and the text to try them under."""

    revision: str = Field(description="Digest of the newest revision; hand outputs in with it.")
    content: str
    items: list[CaseOut]


class OutputIn(Schema):
    """What the agent answered to the input of one case."""

    model_config = ConfigDict(extra="forbid")

    feedback: FeedbackId
    output: Output
    model: Model = ""


class OutputsIn(Schema):
    """New outputs, all made under the text of one revision."""

    model_config = ConfigDict(extra="forbid")

    revision: Annotated[str, StringConstraints(min_length=64, max_length=64)] = Field(description="Its digest.")
    outputs: Annotated[list[OutputIn], Field(min_length=1, max_length=MOST_AT_ONCE)]


class Kept(Schema):
    """How many outputs were new, and how many were there already."""

    stored: int
    duplicates: int


@router.get("/proposals/{proposal_id}/cases", response=Cases, auth=Key(ApiKey.Scope.PROPOSE), summary="Cases to try")
def list_cases(request: HttpRequest, proposal_id: int) -> Cases:
    """The newest real cases behind a proposal, with the text it proposes, to run the agent with."""
    proposal = _find(caller_of(request), proposal_id)
    if proposal.revision is None:
        raise NotFound(f"There is no proposal {proposal_id} for this key.")
    cases = cases_of(proposal)[:MOST_AT_ONCE]
    return Cases(
        revision=proposal.revision.digest,
        content=proposal.revision.text,
        items=[
            CaseOut(
                feedback=case.external_id,
                input=case.input,
                output=case.output,
                correction=case.correction or case.edited_output,
                expected=case.expected,
            )
            for case in cases
        ],
    )


@router.post(
    "/proposals/{proposal_id}/outputs",
    response={201: Kept, 200: Kept},
    auth=Key(ApiKey.Scope.PROPOSE),
    summary="Hand in new outputs",
)
@while_it_works
def post_outputs(request: HttpRequest, proposal_id: int, body: OutputsIn) -> Status[Kept]:
    """Show reviewers what the agent answers under the proposed text. 200 when all of it was there already."""
    caller = caller_of(request)
    proposal = _find(caller, proposal_id)
    outputs = _outputs(proposal, body)
    key = ApiKey.objects.select_related("owner", "agent").get(pk=caller.key_id)
    try:
        stored = hand_in(proposal.pk, key=key, digest=body.revision, outputs=outputs)
    except Invalid as error:
        raise InvalidBody([{"loc": [error.field], "msg": str(error)}]) from None
    except (Duplicate, NotPending) as error:
        raise Problem(409, "duplicate-output" if isinstance(error, Duplicate) else "closed", str(error)) from None
    return Status(201 if stored else 200, Kept(stored=stored, duplicates=len(outputs) - stored))


def _find(caller: Caller, proposal_id: int) -> Proposal:
    rows = Proposal.objects.select_related("document", "revision").defer("revision__diff")
    if caller.agent_id is not None:
        rows = rows.filter(document__agent=caller.agent_id)
    found = rows.filter(pk=proposal_id).first() if 0 < proposal_id < 2**63 else None
    if found is None:
        raise NotFound(f"There is no proposal {proposal_id} for this key.")
    return found


def _outputs(proposal: Proposal, body: OutputsIn) -> list[NewOutput]:
    """With the cases meant. Raises InvalidBody naming those that are none of this proposal's."""
    wanted = {one.feedback for one in body.outputs}
    known = {case.external_id: case for case in cases_of(proposal).filter(external_id__in=wanted)}
    strange = [number for number, one in enumerate(body.outputs) if one.feedback not in known]
    if strange:
        message = "This is no case of this proposal: GET its cases for those that are."
        raise InvalidBody([{"loc": ["outputs", number, "feedback"], "msg": message} for number in strange])
    return [NewOutput(known[one.feedback], one.output, one.model) for one in body.outputs]
