"""What every page of the board shows around its own content."""

from django.http import HttpRequest


def board(request: HttpRequest) -> dict[str, object]:
    return {}
