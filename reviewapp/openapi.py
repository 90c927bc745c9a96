"""The OpenAPI document: what ninja makes of the routes, and the one shape of every refusal."""

from typing import Any, Final

from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema

_ERROR: Final = {
    "type": "object",
    "required": ["loc", "msg"],
    "properties": {
        "loc": {"type": "array", "items": {"type": ["string", "integer"]}, "description": "Path of the field"},
        "msg": {"type": "string"},
    },
}
_PROBLEM: Final = {
    "title": "Problem",
    "description": "Why a request was refused (RFC 9457); `errors` names fields.",
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "description": "Stable, such as /problems/not-found"},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400},
        "detail": {"type": "string"},
        "errors": {"type": "array", "items": _ERROR},
    },
}
_REFUSED: Final = {
    "description": "Refused, with the reason",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}


class DocumentedApi(NinjaAPI):
    """Says of every call how it is refused."""

    def get_openapi_schema(
        self, *, path_prefix: str | None = None, path_params: dict[str, Any] | None = None
    ) -> OpenAPISchema:
        """The document; the answers that routes name come first."""
        document = super().get_openapi_schema(path_prefix=path_prefix, path_params=path_params)
        document["components"]["schemas"]["Problem"] = _PROBLEM
        for calls in document["paths"].values():
            for call in calls.values():
                call["responses"].setdefault("default", _REFUSED)
        return document
