"""Why there is a draft: one sentence with the numbers of the day it was made."""

from collections.abc import Sequence

from proposals.drafting import slots
from proposals.drafting.scope import MAX_TOPICS, listed, titled
from proposals.drafting.types import Brief


def rationale(brief: Brief, said: str = "", of: Sequence[str] = ()) -> str:
    """Who reported what of the pattern, in how many days; `said` is what people did, if the rule tells that, and `of`
    what it is about.
    """
    people = counted(brief.sources, "person", "people")
    days = counted(brief.days, "day", "days")
    reports = "" if brief.support == brief.sources else f" ({counted(brief.support, 'report', 'reports')})"
    topics = of or slots.topics(brief.terms)[:MAX_TOPICS]
    about = f" about {titled(topics)}" if topics else ""
    pair = slots.phrase_pair(brief.replacement)
    if brief.kind == "error":
        runs, sources = counted(brief.support, "run", "runs"), counted(brief.sources, "source", "sources")
        name = brief.error_class if brief.error_class in _CAUSES else "other"
        return f"{runs} from {sources} failed in {days}: {_CAUSES[name]}."
    if brief.kind == "mislabel":
        return f"{people} in {days} expected “{brief.expected}” where “{brief.predicted}” was given{reports}."
    if brief.kind == "correction" and pair:
        return f"{people} in {days} corrected “{pair[0]}” to “{pair[1]}”{reports}."
    if brief.kind == "correction":
        return f"{people} in {days} corrected answers{about}{reports}."
    if brief.kind == "success":
        return f"{people} in {days} praised {listed(topics) if topics else 'the answers'}{reports}."
    verdict = _SAID.get(brief.reason_code)
    if said or not verdict:
        return f"{people} in {days} {said or f'complained{about}'}{reports}."
    return f"{people} in {days} found answers{about} {verdict}{reports}."


_CAUSES = {
    "rate_limit": "a service limited the calls",
    "timeout": "a call took too long",
    "empty_response": "a tool or model returned nothing",
    "context_loss": "the context was lost or too long",
    "session_reset": "the session was lost",
    "model_fallback": "a model was not available",
    "missing_tool": "the tool called does not exist",
    "tool_error": "a tool failed",
    "auth": "access was refused",
    "validation": "a request or answer was not valid",
    "content_filter": "a filter held the answer back",
    "unavailable": "a service could not be reached",
    "not_found": "what was asked for was not found",
    "out_of_resources": "memory or space ran out",
    "other": "all with the same error",
}
_SAID = {
    "wrong": "wrong",
    "outdated": "out of date",
    "unsafe": "unsafe",
    "incomplete": "incomplete",
    "too_long": "too long",
    "too_short": "too short",
    "style": "badly worded",
    "format": "badly laid out",
    "wrong_tool": "made with the wrong tool",
    "slow": "slow",
    "refused": "refused without need",
}  # fmt: skip


def counted(number: int, one: str, many: str) -> str:
    safe = slots.count(number)
    return f"{safe} {one if safe == 1 else many}"


def opposition(brief: Brief, against: int, *, often: bool) -> str:
    """How many of those who complained speak against the rule."""
    days, reports = counted(brief.days, "day", "days"), counted(brief.support, "report", "reports")
    what = "how often answers do what this rule orders" if often else "what this rule orders"
    people = f"{slots.count(against)} of {counted(brief.sources, 'person', 'people')}"
    return f"{people} in {days} complained about {what} ({reports})."
