"""Error messages: which of them are the same error, and what sort of error it is."""

from enum import StrEnum

import re2

from feedback.mining.cleaning import MAX_WORDS, clean

PLACEHOLDER = "<*>"

_TAIL = 4000
_EXCEPTION_LINE = re2.compile(r"^[A-Za-z_][\w.]*(?:Error|Exception|Warning|Exit|Interrupt|Timeout|Failure)\b")
_QUALIFIED_LINE = re2.compile(r"^[A-Za-z_][\w.]*(?::|$)")

_SEPARATORS = r"\s=:,;()\[\]{}|\"'`<>"
_NOISE = re2.compile(
    "|".join(
        (
            r"[a-z][a-z0-9+.-]*://[^\s\"'<>)\]]+",  # address
            r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+",  # e-mail
            r"\d{4}-\d\d-\d\d[t ]\d\d:\d\d(?::\d\d)?(?:[.,]\d+)?(?:z|[+-]\d\d:?\d\d)?",  # timestamp
            r"\b(?:user|username|login|account|host|hostname|email)=[^\s,;)]+",
            r"\"(?:get|head|post|put|patch|delete|options) [^\"\n]*\"",  # a request keeps its method
            r"\"[^\"\n]*\"|`[^`\n]*`|“[^”\n]*”|\B'[^'\n]*'\B",  # quoted
            r"[a-z]:\\[^\s\"'<>|]+",  # path
            r"(?:~|\.{1,2})?/[\w.~+%@-]*\w[\w.~+%@/:-]*",
            r"\b[0-9a-f]{1,4}(?::[0-9a-f]{0,4}){3,7}",  # IPv6, MAC
            rf"[^{_SEPARATORS}]*\b[0-9a-f]{{8,}}\b[^{_SEPARATORS}]*",  # hexadecimal, also without a digit
        )
    )
)
_KEPT = re2.compile(r"^(?:\"(?:get|head|post|put|patch|delete|options) |[a-z]+=)")
_WITH_DIGIT = re2.compile(rf"[^{_SEPARATORS}]*\d[^{_SEPARATORS}]*")
_STATUS_BEFORE = re2.compile(r"(?:http|https|status|code|error|errno)(?:/\d(?:\.\d)?)?[\s:=(\[_-]*$")
_STATUS = re2.compile(r"^[45]\d\d[.!]?$")
_UNIT = re2.compile(r"<\*> (?:ns|[mu]?s|secs?|seconds?|mins?|minutes?|hours?|days?|bytes|[kmg]i?b)\b")
_RUN = re2.compile(r"<\*>(?:[\s,;:/|+-]*<\*>)+")


def template(text: str) -> str:
    """The shape of an error message: lower case, all that varies from one occurrence to the next as "<*>".

    Addresses, paths, quoted strings, times, hexadecimal and every token with a digit vary; status
    codes from 400 up after "status", "code", "error" or "http" stay, since 404 and 503 are different errors.
    Reads at most 2000 characters and 200 tokens; of a Python traceback only its last "Type: message" line.
    Empty if the text has nothing visible.
    """
    line = clean(" ".join(_message(text).split()[:MAX_WORDS])).lower()
    line = _NOISE.sub(_noise, line)
    line = _UNIT.sub(PLACEHOLDER, _WITH_DIGIT.sub(_number, line))
    return " ".join(_RUN.sub(PLACEHOLDER, line).split())


def _noise(match: "re2._Match[str]") -> str:
    kept = _KEPT.search(match.group())
    return (kept.group().lstrip('"') if kept else "") + PLACEHOLDER


def _number(match: "re2._Match[str]") -> str:
    token = match.group()
    before = match.string[max(0, match.start() - 24) : match.start()]
    if _STATUS.search(token) and _STATUS_BEFORE.search(before):
        return token[:3]
    return PLACEHOLDER


def _message(text: str) -> str:
    """The part of a message that names the error; its last 4000 characters are read for a traceback only."""
    head = clean(text)
    if "Traceback (most recent call last)" not in head:
        return next((line for line in head.split("\n") if line.strip()), "")
    lines = [line for line in clean(text[-_TAIL:], _TAIL).split("\n") if line and not line[0].isspace()]
    for pattern in (_EXCEPTION_LINE, _QUALIFIED_LINE):
        for line in reversed(lines):
            if pattern.search(line):
                return line
    return lines[-1] if lines else head


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
    OTHER = "other"


# The first that matches wins, so the narrow come before the broad: "tool timed out" is a timeout.
_RULES = tuple(
    (error_class, re2.compile(pattern))
    for error_class, pattern in (
        (
            ErrorClass.RATE_LIMIT,
            r"rate.?limit|too many requests|\b429\b|quota (?:was )?exceeded|exceeded .{0,25}quota"
            r"|throttl|resource.?exhausted|overloaded",
        ),
        (
            ErrorClass.MODEL_FALLBACK,
            r"fall(?:ing|en)?[ -]?back|model .{0,60}(?:not available|unavailable|deprecated)",
        ),
        (
            ErrorClass.MISSING_TOOL,
            r"(?:unknown|missing|no such|undefined|unregistered) (?:tool|function)"
            r"|no (?:tool|function) (?:named|called)"
            r"|(?:tool|function) .{0,60}(?:not found|does not exist|is not (?:defined|registered|available))"
            r"|command not found",
        ),
        (
            ErrorClass.CONTEXT_LOSS,
            r"context.{0,20}(?:length|window|limit|overflow|lost|truncated|exceeded)|maximum context"
            r"|prompt is too long|too many tokens|token limit",
        ),
        (
            ErrorClass.SESSION_RESET,
            r"session.{0,20}(?:reset|expired|lost|not found|closed|terminated)"
            r"|conversation.{0,20}(?:reset|not found)|connection reset",
        ),
        (
            ErrorClass.AUTH,
            r"unauthori[sz]ed|forbidden|permission denied|access denied|authentication|invalid (?:api.?)?key"
            r"|invalid (?:token|credentials)|\b40[13]\b|permissionerror",
        ),
        (ErrorClass.TIMEOUT, r"time.?d? ?out|deadline exceeded|\b(?:408|504)\b|took too long"),
        (
            ErrorClass.EMPTY_RESPONSE,
            r"(?:empty|blank|no) (?:response|answer|output|reply|completion|content)"
            r"|returned (?:nothing|empty|none)|response (?:was|is) empty",
        ),
        (
            ErrorClass.VALIDATION,
            r"validat|schema|invalid|malformed|jsondecode|unexpected (?:token|end|keyword)|parse error"
            r"|could not parse|missing .{0,40}(?:field|argument)|(?:field|argument).{0,20}required"
            r"|valueerror|typeerror|\b4(?:00|22)\b",
        ),
        (
            ErrorClass.TOOL_ERROR,
            r"\btools?\b|function call|exit (?:code|status)|subprocess|calledprocesserror",
        ),
    )
)


def classify(text: str, error_type: str = "") -> ErrorClass:
    """The class of an error by its type name if that decides, else by its message; OTHER if none fits."""
    for part in (clean(error_type, 200), _message(text)):
        lower = part.lower().replace("_", " ")
        for error_class, pattern in _RULES:
            if pattern.search(lower):
                return error_class
    return ErrorClass.OTHER
