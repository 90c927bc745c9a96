"""The sentences the drafter can write. `{about}` and its like are slots; nothing else varies."""

from collections.abc import Sequence
from dataclasses import dataclass

from feedback.mining.labels import bare
from proposals.drafting import slots
from proposals.drafting.placement import stems
from proposals.drafting.scope import MAX_TOPICS, described, listed, scope
from proposals.drafting.types import Brief, Declined

LEARNED = "Learned rules"
MAX_TITLE = 200


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule to be placed. `hints` are words of headings it fits under when its topic fits nowhere; `topics` and
    `names` are what its slots were filled with; `because` follows the rationale.
    """

    template: str
    text: str
    title: str
    hints: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    because: str = ""


# reason code → (rule, title, the same without a topic or None, hints)
_COMPLAINTS: dict[str, tuple[str, str, tuple[str, str] | None, tuple[str, ...]]] = {
    "wrong": (
        "For {about}, look up what applies in this case before you answer or act; if you find nothing, say so.",
        "Look up what applies to {topic}", None, ("facts", "accuracy", "answers"),
    ),
    "outdated": (
        "For {about}, look up the current state before you answer or act; what you know may be out of date.",
        "Use current information on {topic}", None, ("facts", "accuracy", "answers"),
    ),
    "unsafe": (
        "For {about}, leave out anything that could do harm, and name a person who can help.",
        "Take more care with {topic}", None, ("escalation", "care"),
    ),
    "incomplete": (
        "For {about}, cover every part of the request, and name the next step.",
        "Give complete answers on {topic}",
        ("Answer every part of a question, and name the next step.", "Give complete answers"),
        ("answers", "style", "format"),
    ),
    "too_long": (
        "For {about}, give the answer first, in a few sentences; add detail only when asked.",
        "Be brief about {topic}",
        ("Give the answer first, in a few sentences; add detail only when asked.", "Keep answers short"),
        ("tone", "style", "length", "format", "answers"),
    ),
    "too_short": (
        "For {about}, explain the steps and the reason, not only the result.",
        "Explain more about {topic}",
        ("Explain the steps and the reason, not only the result.", "Explain answers more fully"),
        ("tone", "style", "length", "format", "answers"),
    ),
    "style": (
        "Word {about} plainly and kindly, without set phrases, and with no more words than needed.",
        "Word {topic} plainly",
        ("Use plain, friendly words and no set phrases.", "Use plain words"),
        ("tone", "style", "voice", "language"),
    ),
    "format": (
        "For {about}, keep to the format that was asked for, and put steps in a short list.",
        "Keep to the requested format for {topic}",
        ("Keep to the format that was asked for, and put steps in a short list.", "Keep to the requested format"),
        ("format", "output", "style", "answers"),
    ),
    "wrong_tool": (
        "For {about}, decide which tool fits the request before you call one.",
        "Choose the right tool for {topic}",
        ("Decide which tool fits the request before you call one.", "Choose the tool that fits the request"),
        ("tools", "functions", "actions"),
    ),
    "slow": (
        "For {about}, take as few steps as the answer needs; look nothing up twice.",
        "Take fewer steps for {topic}",
        ("Take as few steps as the answer needs; look nothing up twice.", "Answer in fewer steps"),
        ("tools", "steps", "limits"),
    ),
    "refused": (
        "For {about}, help as far as your rules allow, and say what you cannot do and who can.",
        "Help with {topic} as far as the rules allow", None, ("scope", "escalation", "limits"),
    ),
    "other": (
        "For {about}, say plainly what you can do and what you cannot, and name who can help further.",
        "Say what can be done about {topic}", None, ("scope", "escalation", "answers", "questions"),
    ),
}  # fmt: skip

_ERROR_HINTS = (
    "tools",
    "errors",
    "failures",
    "limits",
    "functions",
    "troubleshooting",
    "retries",
    "recovery",
    "fallback",
)

# error class → (rule, title)
_ERRORS: dict[str, tuple[str, str]] = {
    "rate_limit": (
        "When a service says that you call it too often, wait before you try again, and try at most three times.",
        "Wait before calling a limited service again",
    ),
    "timeout": (
        "When a call takes too long, try once more with a smaller request; if that fails too, say what is missing.",
        "Try a smaller request after a timeout",
    ),
    "empty_response": (
        "When a tool returns nothing, do not guess: try once more, then say that there was no result.",
        "Say so when a tool returns nothing",
    ),
    "context_loss": (
        "When a conversation gets long, sum up what was agreed before you go on, and pass on only what is needed.",
        "Sum up long conversations before going on",
    ),
    "session_reset": (
        "When a session is lost, go on from the last confirmed step, and do not repeat what was already done.",
        "Go on from the last confirmed step after a lost session",
    ),
    "model_fallback": (
        "When a model is not available, say so, and do not promise what its replacement may not be able to do.",
        "Say so when a model is not available",
    ),
    "missing_tool": (
        "Call only tools you were given, by their exact names; if none of them fits, say so.",
        "Call only tools that exist",
    ),
    "tool_error": (
        "When a tool fails, read its message, correct the request and try once more; then say what went wrong.",
        "Correct the request when a tool fails",
    ),
    "auth": (
        "When access is refused, do not try again with other credentials: say which permission is missing, and stop.",
        "Stop and say so when access is refused",
    ),
    "validation": (
        "Before you call a tool, check that every required field is there and of the right type.",
        "Check required fields before calling a tool",
    ),
    "content_filter": (
        "When a filter holds an answer back, say so and offer what you can say instead; do not try to get around it.",
        "Say so when a filter holds an answer back",
    ),
    "unavailable": (
        "When a service cannot be reached, try once more; if that fails too, say which one, and what you could not do.",
        "Say which service cannot be reached",
    ),
    "not_found": (
        "When something is not found, check its name or number and ask for it again; do not make up what it would say.",
        "Check the name when something is not found",
    ),
    "out_of_resources": (
        "When memory or space runs out, do the work in smaller parts, and say so if a part is still too large.",
        "Work in smaller parts when memory or space runs out",
    ),
}

# Things with one right value that can be looked up; a topic that ends in one says what to check.
_CHECKABLE = frozenset(
    [
        "window",
        "deadline",
        "date",
        "dates",
        "price",
        "prices",
        "fee",
        "fees",
        "limit",
        "limits",
        "policy",
        "policies",
        "version",
        "versions",
        "address",
        "rate",
        "rates",
        "hours",
        "status",
        "balance",
        "period",
        "allowance",
        "plan",
        "plans",
        "rules",
        "terms",
        "cost",
        "costs",
        "charge",
        "charges",
        "number",
        "term",
        "stock",
        "availability",
        "schedule",
    ]
)


def rule_for(brief: Brief) -> Rule | Declined:
    """The rule a brief asks for, with its slots filled; or why there is none."""
    topics = slots.topics(brief.terms)
    match brief.kind:
        case "success":
            return Declined("praise informs, it is not drafted")
        case "error":
            return _error(brief)
        case "mislabel":
            return _mislabel(brief, topics)
        case "correction":
            return _correction(brief, topics)
        case "complaint":
            return _complaint(brief, topics)
    return Declined("there is no template for this kind of pattern")


def keeping(brief: Brief) -> Rule | Declined:
    """The rule that what people praise stays as it is, for a person to word further."""
    topics = slots.topics(brief.terms)[:MAX_TOPICS]
    if not topics:
        return Declined("the praise shares no words a rule could be about")
    named = all(topic[0] != "“" for topic in topics)
    about = listed(topics) if named else f"what people praise as {listed([f'“{bare(topic)}”' for topic in topics])}"
    return Rule(
        "success.keep", f"Keep up {about}{': people praise that' if named else ''}.", f"Keep up {about}", (), topics
    )


def _error(brief: Brief) -> Rule | Declined:
    known = _ERRORS.get(brief.error_class or "")
    if known:
        return Rule(f"error.{brief.error_class}", *known, _ERROR_HINTS)
    tool = slots.label(brief.tool)
    if tool is None:
        return Declined("the errors are of no kind that a rule is known to help with, and not of one tool")
    return Rule(
        "error.tool",
        f"When {tool} fails, say that it failed and what you tried; do not go on as if it had worked.",
        f"Say so when {tool} fails",
        _ERROR_HINTS,
        (),
        (tool,),
    )


def _mislabel(brief: Brief, topics: Sequence[str]) -> Rule | Declined:
    expected, predicted = slots.label(brief.expected), slots.label(brief.predicted)
    if not expected or not predicted:
        return Declined("the labels have characters that no template takes")
    about = _apart_from(topics, predicted)
    # What the messages are about may be what all messages are about, so it is an example and no condition.
    example = f", as in messages {described(about)}" if about else ""
    return Rule(
        "mislabel",
        f"When both could fit{example}, use “{expected}” rather than “{predicted}”.",
        f"Use “{expected}” rather than “{predicted}” in doubt",
        ("labels", "tickets", "sorting", "categories", "classification", "classes", "routing", "topics", "intents"),
        about,
        (expected, predicted),
    )


def _correction(brief: Brief, topics: Sequence[str]) -> Rule | Declined:
    pair = slots.phrase_pair(brief.replacement)
    if pair:
        about = _apart_from(topics, *pair)
        say = f"For {listed(about)}, say" if about else "Say"
        title = f"Say “{pair[1]}”, not “{pair[0]}”" + (f", for {about[0]}" if about else "")
        return Rule("correction.replace", f"{say} “{pair[1]}”, not “{pair[0]}”.", title, (), about, pair)
    if not topics:
        return Declined("the reports share no words a rule could be about")
    specific = _check(topics[:MAX_TOPICS], "correction")
    of = scope(brief, topics)
    if specific:
        return specific
    if isinstance(of, Declined):
        return of
    return Rule(
        "correction.check",
        f"For {of.about}, check the details in your sources before you answer.",
        f"Check the details of {of.title}",
        (),
        of.topics,
    )


def quotation(brief: Brief, lines: Sequence[str]) -> Rule:
    """For lines that are quoted. What they say is not part of it."""
    topics = slots.topics(brief.terms)[:MAX_TOPICS]
    about = f" about {listed(topics)}" if topics else ""
    said = _count(len(lines), "correction that", "corrections that")
    return Rule(
        "correction.quoted",
        "",
        f"Quote how people correct answers{about}",
        names=tuple(lines),
        because=f" It quotes {said} several of them made word for word, marked as examples.",
    )


def _apart_from(topics: Sequence[str], *names: str) -> tuple[str, ...]:
    """The first topics that do not repeat a word of these names."""
    said = stems(" ".join(names))
    return tuple(topic for topic in topics if said.isdisjoint(stems(topic)))[:MAX_TOPICS]


def _complaint(brief: Brief, topics: Sequence[str]) -> Rule | Declined:
    name = brief.reason_code if brief.reason_code in _COMPLAINTS else "other"
    text, title, plain, hints = _COMPLAINTS[name]
    specific = _check(topics[:MAX_TOPICS], "complaint") if name in ("wrong", "outdated") else None
    of = scope(brief, topics) if topics else Declined("the reports share no words a rule could be about")
    if specific:
        return specific
    if isinstance(of, Declined):
        return Rule(f"complaint.{name}", *plain, hints) if plain else of
    about, topic = of.about, of.title
    if name == "style":  # it is the answers that are worded
        about, topic = (f"answers to {said}" if said.startswith("requests ") else said for said in (about, topic))
    return Rule(f"complaint.{name}", text.format(about=about), title.format(topic=topic), hints, of.topics)


def _check(topics: Sequence[str], kind: str) -> Rule | None:
    """The sharper rule for a topic that names something to look up, such as a deadline."""
    thing = next((topic for topic in topics if bare(topic).split()[-1].casefold() in _CHECKABLE), None)
    about = [topic for topic in topics if topic != thing]
    if thing is None or not about:
        return None
    what = bare(thing)
    applies = "apply" if what.endswith("s") and not what.endswith("ss") and what.casefold() != "status" else "applies"
    return Rule(
        f"{kind}.check_value",
        f"For {listed(about)}, check which {what} {applies} before you answer.",
        f"Check the {what} for {about[0]}",
        (),
        tuple(topics),
    )


def rationale(brief: Brief) -> str:
    """One sentence with the numbers of the day it was drafted."""
    people = _count(brief.sources, "person", "people")
    days = _count(brief.days, "day", "days")
    reports = "" if brief.support == brief.sources else f" ({_count(brief.support, 'report', 'reports')})"
    topics = slots.topics(brief.terms)[:MAX_TOPICS]
    about = f" about {listed(topics)}" if topics else ""
    pair = slots.phrase_pair(brief.replacement)
    if brief.kind == "error":
        runs, sources = _count(brief.support, "run", "runs"), _count(brief.sources, "source", "sources")
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
    said = _SAID.get(brief.reason_code, "not good enough")
    return f"{people} in {days} found answers{about} {said}{reports}."


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


def _count(number: int, one: str, many: str) -> str:
    safe = slots.count(number)
    return f"{safe} {one if safe == 1 else many}"
