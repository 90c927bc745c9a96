"""GET /agents/{agent}/instructions/{document}: what agents read before every run."""

from datetime import datetime
from typing import Final
from urllib.parse import parse_qs

import structlog

from agents import serving
from agents.limits import Call, spend
from agents.models import ApiKey
from agents.problems import Invalid, NotFound, Problem
from agents.times import parse_time
from agents.wire import Answer, Environ, caller

log = structlog.get_logger()
_LARGEST: Final = 2_147_483_647
_PAST_OF_A_UNIT: Final = (
    "Leave unit out for the version that was current at a time. What a unit got then, rollouts included, is at "
    "/agents/{agent}/then?at=…&unit=…"
)


def get_instructions(environ: Environ, agent: str, document: str) -> Answer:
    """The current text, or the past one asked for by `?version=` or `?at=`; 304 when the caller has it."""
    reader = caller(environ, ApiKey.Scope.READ)
    spend(environ, reader, Call.INSTRUCTIONS)
    agent_id = reader.agent(agent)
    served = _find(environ.get("QUERY_STRING", ""), agent_id, agent, document)
    headers = (("ETag", served.etag), ("Cache-Control", "no-cache"))
    if _has_it(environ.get("HTTP_IF_NONE_MATCH", ""), served.etag):
        return Answer(304, b"", headers)
    try:
        return Answer(200, serving.body(served), headers)
    except serving.AlteredText as altered:
        log.error("altered_text_not_served", agent=agent, document=document, version=served.version_id)
        raise Problem(503, "altered-text", f"{altered} It is not served; tell whoever runs the board.") from None


def _find(query: str, agent_id: int, agent: str, document: str) -> serving.Served:
    if "\0" in document or "\0" in agent:
        raise NotFound("There is no document of that name.")
    wanted = _parameters(query) if query else {}
    if "version" in wanted:
        number = _number(wanted["version"])
        return _or_404(serving.serve_version(agent, document, number), f"{agent}/{document} has no version {number}.")
    if "at" in wanted:
        at = _time(wanted["at"])
        return _or_404(serving.serve_at(agent, document, at), f"{agent}/{document} had no version at {wanted['at']}.")
    served = serving.serve(agent_id, document, wanted.get("unit"))
    return _or_404(served, f"{agent} has no document “{document[:80]}”.")


def _parameters(query: str) -> dict[str, str]:
    """The query string; refuses unknown parameters, repeated ones, and two pasts at once."""
    try:
        found = parse_qs(query, keep_blank_values=True, max_num_fields=10, errors="strict")
    except ValueError:
        raise Invalid([{"loc": ["query"], "msg": "This query string cannot be read."}]) from None
    for name, values in found.items():
        if name not in ("unit", "version", "at"):
            raise Invalid([{"loc": ["query", name], "msg": "Unknown parameter. Use unit, version or at."}])
        if len(values) > 1:
            raise Invalid([{"loc": ["query", name], "msg": "Given more than once."}])
    if "version" in found and "at" in found:
        raise Invalid([{"loc": ["query", "at"], "msg": "Ask for a version or for a time, not both."}])
    if "unit" in found and "at" in found:
        raise Invalid([{"loc": ["query", "unit"], "msg": _PAST_OF_A_UNIT}])
    return {name: values[0] for name, values in found.items()}


def _number(value: str) -> int:
    if not (value.isascii() and value.isdigit() and len(value) <= 10 and 1 <= int(value) <= _LARGEST):
        raise Invalid([{"loc": ["query", "version"], "msg": "Use a version number: 1, 2, 3 …"}])
    return int(value)


def _time(value: str) -> datetime:
    try:
        # An unescaped + in a query string arrives as a space.
        return parse_time(value.replace(" ", "+") if value.count(" ") == 1 and "T" in value else value)
    except ValueError as error:
        raise Invalid([{"loc": ["query", "at"], "msg": str(error)}]) from None


def _or_404(served: serving.Served | None, detail: str) -> serving.Served:
    if served is None:
        raise NotFound(detail)
    return served


def _has_it(header: str, etag: str) -> bool:
    """If-None-Match compares weakly: a W/ in front changes nothing; * matches whatever there is."""
    if not header:
        return False
    return header.strip() == "*" or any(tag.strip().removeprefix("W/") == etag for tag in header.split(","))
