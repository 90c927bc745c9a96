"""What sort of error a message tells of, by its cause, so that a draft can answer it."""

from collections.abc import Iterator
from enum import StrEnum
from functools import lru_cache

import re2

from feedback.mining.cleaning import clean
from feedback.mining.errors.shapes import message_of

OwnClasses = tuple[tuple[str, str], ...]
"""Classes of a deployment's own, each a name and a pattern (RE2, of lower-case text)."""


class ErrorClass(StrEnum):
    RATE_LIMIT = "rate_limit"
    TIMEOUT = "timeout"
    EMPTY_RESPONSE = "empty_response"
    CONTEXT_LOSS = "context_loss"
    SESSION_RESET = "session_reset"
    MODEL_FALLBACK = "model_fallback"
    TOOL_ERROR = "tool_error"
    MISSING_TOOL = "missing_tool"
    AUTH = "auth"
    VALIDATION = "validation"
    CONTENT_FILTER = "content_filter"
    UNAVAILABLE = "unavailable"
    NOT_FOUND = "not_found"
    OUT_OF_RESOURCES = "out_of_resources"
    OTHER = "other"


def _status(codes: str) -> str:
    """A status code where one is meant: any other number can be 429 as well."""
    return rf"(?:http\S{{0,6}}|status|code|error|errno)[\s:=(\[]{{1,3}}(?:{codes})\b|^(?:{codes})\b"


# The first that matches wins, so the narrow come before the broad: "tool timed out" is a timeout.
_RULES = (
    (
        ErrorClass.RATE_LIMIT,
        r"rate.?limit|too many requests|quota.{0,20}exceeded|exceed.{0,30}quota|throttl|resource.?exhausted"
        r"|overloaded|slow ?down|requests per (?:second|minute|day)|" + _status("429|529"),
    ),
    (
        ErrorClass.CONTENT_FILTER,
        r"content.?(?:filter|policy|management)|safety (?:filter|system|setting)|blocked by .{0,30}(?:policy|safety)"
        r"|flagged (?:by|as)|moderation",
    ),
    (
        ErrorClass.MODEL_FALLBACK,
        r"fall(?:ing|en|s)?[ -]?back|model .{0,60}(?:not available|unavailable|deprecated|retired|decommissioned)"
        r"|model [\"'`]?[\w.:/-]*[\"'`]? ?(?:was |is )?(?:not found|does not exist)",
    ),
    (
        ErrorClass.MISSING_TOOL,
        r"(?:unknown|missing|no such|undefined|unregistered|unrecognized) (?:tool|function|command)"
        r"|no (?:tool|function) (?:named|called|with name)"
        r"|(?:tool|function):? [\"'`]?[\w.-]+(?: [\w.-]+){0,2}[\"'`]? (?:was |is |does )?"
        r"not (?:found|exist|defined|registered|available|known)"
        r"|command not found",
    ),
    (
        ErrorClass.CONTEXT_LOSS,
        r"context.{0,20}(?:length|window|limit|overflow|lost|truncated|exceeded|too long)|maximum context"
        r"|(?:prompt|input|conversation) is too long|too many (?:input )?tokens|tokens? (?:limit|exceed)"
        r"|max(?:imum)?(?: number of)? tokens|reduce the length",
    ),
    (
        ErrorClass.SESSION_RESET,
        r"(?:session|thread|conversation|chat).{0,40}(?:reset|expired|lost|not found|closed|terminated|no longer)"
        r"|lost (?:the )?(?:session|conversation)",
    ),
    (
        ErrorClass.AUTH,
        r"unauthori[sz]ed|not authori[sz]ed|forbidden|(?:permission|access) (?:was )?denied|denied access"
        r"|authentication|login (?:failed|required)|not logged in"
        r"|(?:invalid|incorrect|wrong|failed|expired|missing|bad)"
        r" (?:api.?)?(?:key|token|credentials|password|signature)"
        r"|insufficient (?:permission|privilege|scope)|permissionerror|" + _status("401|403"),
    ),
    (
        ErrorClass.TIMEOUT,
        r"time[sd]?[ -]?out|deadline (?:was )?exceeded|took too long|no (?:response|answer|reply) (?:within|after)|"
        + _status("408|504|524"),
    ),
    (
        ErrorClass.EMPTY_RESPONSE,
        r"(?:empty|blank|no) (?:response|answer|output|reply|completion|content|result|body)"
        r"|returned (?:nothing|empty|no |none|null)"
        r"|(?:response|answer|output|result|body) (?:was|is) (?:empty|blank|none|null)",
    ),
    (
        ErrorClass.OUT_OF_RESOURCES,
        r"out of (?:memory|disk|space)|memoryerror|no space left|disk (?:is )?full|cannot allocate|oom.?kill"
        r"|too many open files|heap space",
    ),
    (
        ErrorClass.UNAVAILABLE,
        r"connection.{0,20}(?:refused|reset|aborted|closed|failed|lost|error)"
        r"|(?:could not|cannot|can't|failed to|unable to) (?:connect|reach|resolve)|unreachable"
        r"|name or service not known|broken pipe|econn(?:refused|reset|aborted)|\benotfound"
        r"|(?:service|server|host|database|upstream) .{0,30}(?:unavailable|down|not available|offline)"
        r"|unavailable|bad gateway|internal server error|ssl.{0,20}(?:error|failed)|" + _status("50[0-3]"),
    ),
    (
        ErrorClass.VALIDATION,
        # What was invalidated is not invalid, nor was it validated.
        r"(?:^n?|[^n]|[^i]n)validat|validation(?:error|exception)|invalid(?:$|[^a]|a$|a[^t]|at$|at[^ei])"
        r"|schema|malformed|jsondecode|unexpected (?:token|end|keyword|character|type|value)"
        r"|(?:parse|parsing|syntax) ?error|(?:could not|cannot|failed to|unable to) (?:parse|decode)"
        r"|missing .{0,40}(?:field|argument|parameter|key|propert)|(?:field|argument|parameter).{0,40}required"
        r"|required.{0,40}(?:field|argument|parameter)|must be (?:an? )?(?:string|int|number|list|one of|valid)"
        r"|out of range|valueerror|typeerror|keyerror|" + _status("400|422"),
    ),
    (
        ErrorClass.NOT_FOUND,
        r"not found|no such (?:file|key|table|column|row|record|user|order|item|document)|does not exist|doesn't exist"
        r"|could not find|couldn't find|filenotfound|no .{0,30} (?:exists|found)|" + _status("404|410"),
    ),
    (
        ErrorClass.TOOL_ERROR,
        r"\btools?\b|function call|exit(?:ed)?(?: with)? (?:code|status)|subprocess|calledprocesserror",
    ),
)


def classify(text: str, error_type: str = "", own: OwnClasses = ()) -> str:
    """The class of an error by its type name if that decides, else by its message; "other" if none fits.

    `own` classes go first, in their order. Raises ValueError for a pattern that is none.
    """
    for part in (clean(error_type, 200), message_of(text)):
        lower = part.lower().replace("_", " ")
        for name, pattern in (*_compiled(own), *_BUILT_IN):
            if pattern.search(lower):
                return name
    return ErrorClass.OTHER.value


@lru_cache(maxsize=8)
def _compiled(rules: OwnClasses) -> tuple[tuple[str, "re2._Regexp[str]"], ...]:
    return tuple(_each(rules))


def _each(rules: OwnClasses) -> Iterator[tuple[str, "re2._Regexp[str]"]]:
    for name, pattern in rules:
        try:
            yield name, re2.compile(pattern)
        except re2.error as error:
            raise ValueError(f"the pattern of {name} is not valid: {error}") from None


_BUILT_IN = _compiled(tuple((error_class.value, pattern) for error_class, pattern in _RULES))
