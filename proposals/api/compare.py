"""The difference of any two versions of a document, over REST."""

from typing import Annotated

from django.http import HttpRequest
from ninja import Query, Router, Schema

from agents.api import Key, caller_of, find_document, find_version
from agents.models import ApiKey
from proposals import diffs

router = Router(tags=["agents"])


class Comparison(Schema):
    """The difference of two versions; `diff` is in unified format."""

    from_version: int
    to_version: int
    words_added: int
    words_removed: int
    diff: str


@router.get(
    "/agents/{agent}/documents/{document}/compare",
    response=Comparison,
    auth=Key(ApiKey.Scope.READ),
    summary="Compare two versions",
    operation_id="proposals_api_compare",
)
def compare(
    request: HttpRequest,
    agent: str,
    document: str,
    from_version: Annotated[int, Query(alias="from")],
    to_version: Annotated[int, Query(alias="to")],
) -> Comparison:
    """What changed between any two versions of a document."""
    found = find_document(caller_of(request), agent, document)
    before, after = find_version(found, from_version), find_version(found, to_version)
    difference = diffs.compute(before.text, after.text)
    return Comparison(
        from_version=from_version,
        to_version=to_version,
        words_added=difference.words_added,
        words_removed=difference.words_removed,
        diff=diffs.unified(before.text, after.text),
    )
