"""Of which agents a page of the log says nothing. Who sees which is not the log's to know: a middleware tells it."""

from collections.abc import Sequence

from django.http import HttpRequest


def unseen_agents(request: HttpRequest) -> Sequence[str]:
    """The slugs of the agents whose entries are hidden from who asks. Raises AttributeError where nobody said."""
    found: Sequence[str] = request.unseen_agents  # type: ignore[attr-defined]  # set by the middleware
    return found
