"""How the API refuses: RFC 9457 problem documents with stable types."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import NotRequired, TypedDict


class FieldError(TypedDict):
    """What is wrong with one field; `loc` is its path in the body, empty for the body as a whole."""

    loc: list[str | int]
    msg: str


class ProblemDocument(TypedDict):
    """The body of a refusal."""

    type: str
    title: str
    status: int
    detail: str
    errors: NotRequired[list[FieldError]]


class Problem(Exception):
    """A refusal on its way out. `kind` is the last part of the stable type URI `/problems/<kind>`."""

    def __init__(
        self,
        status: int,
        kind: str,
        detail: str,
        *,
        errors: list[FieldError] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.kind = kind
        self.detail = detail
        self.errors = errors
        self.headers = dict(headers or {})

    def document(self) -> ProblemDocument:
        """The problem document, ready for JSON."""
        document: ProblemDocument = {
            "type": f"/problems/{self.kind}",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
        }
        return {**document, "errors": self.errors} if self.errors is not None else document


class NotFound(Problem):
    """Unknown and forbidden look the same from outside."""

    def __init__(self, detail: str) -> None:
        super().__init__(404, "not-found", detail)


class Unavailable(Problem):
    """The database cannot be reached."""

    def __init__(self) -> None:
        detail = "The database cannot be reached just now. Nothing was stored; try again with the same ids."
        super().__init__(503, "unavailable", detail, headers={"Retry-After": "1"})


class TookTooLong(Problem):
    """The database ended what was asked of it, for it took too long or waited too long for somebody else."""

    retry_after_s = 10

    def __init__(self) -> None:
        detail = (
            "The database took too long, so it was stopped. What you sent was kept whole or not at all; send it again."
        )
        super().__init__(503, "took-too-long", detail, headers={"Retry-After": str(self.retry_after_s)})


class Invalid(Problem):
    """The body was understood as JSON and is not acceptable."""

    def __init__(self, errors: list[FieldError], detail: str = "") -> None:
        super().__init__(422, "invalid-body", detail or _summary(errors), errors=errors)


def _summary(errors: list[FieldError]) -> str:
    first = errors[0]
    where = ".".join(str(part) for part in first["loc"])
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return f"{where}: {first['msg']}{more}" if where else f"{first['msg']}{more}"
