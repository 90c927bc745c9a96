"""Which sentence answers a pattern, with its slots filled; nothing else in it varies."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from feedback.mining.phrases import bare
from proposals.drafting import sentences, slots
from proposals.drafting.placement import stems
from proposals.drafting.protest import Clause, Ordered, clauses, protest
from proposals.drafting.rationales import counted
from proposals.drafting.scope import MAX_TOPICS, described, is_broad, listed, scope
from proposals.drafting.types import Brief, Declined

LEARNED = "Learned rules"
MAX_TITLE = 200


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule to be placed. `hints` are words of headings it fits under when its topic fits nowhere; `topics` and
    `names` are what its slots were filled with; `said` is what people did, for the rationale, where that is not told
    by their reason; `because` follows it.
    """

    template: str
    text: str
    title: str
    hints: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    because: str = ""
    said: str = ""


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
    known = sentences.ERRORS.get(brief.error_class or "")
    if known:
        return Rule(f"error.{brief.error_class}", *known, sentences.ERROR_HINTS)
    tool = slots.label(brief.tool)
    if tool is None:
        return Declined("the errors are of no kind that a rule is known to help with, and not of one tool")
    return Rule(
        "error.tool",
        f"When {tool} fails, say that it failed and what you tried; do not go on as if it had worked.",
        f"Say so when {tool} fails",
        sentences.ERROR_HINTS,
        (),
        (tool,),
    )


def _mislabel(brief: Brief, topics: Sequence[str]) -> Rule | Declined:
    expected, predicted = slots.label(brief.expected), slots.label(brief.predicted)
    if not expected or not predicted:
        return Declined("the labels have characters that no template takes")
    about = _apart_from(topics, predicted, expected) or _apart_from(topics, predicted)
    # What the messages are about may be what all messages are about, so it is an example and no condition.
    example = f", as in messages {described(about, any_of=True)}" if about else ""
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
        f"For {of.asked}, check the details in your sources before you answer.",
        f"Check the details of {of.title}",
        (),
        of.topics,
    )


def quotation(brief: Brief, lines: Sequence[str]) -> Rule:
    """For lines that are quoted. What they say is not part of it."""
    topics = slots.topics(brief.terms)[:MAX_TOPICS]
    about = f" about {listed(topics)}" if topics else ""
    said = counted(len(lines), "correction that", "corrections that")
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
    name = brief.reason_code if brief.reason_code in sentences.COMPLAINTS else "other"
    text, title, plain, hints = sentences.COMPLAINTS[name]
    specific = _check(_with_thing(brief, topics), "complaint") if name in ("wrong", "outdated") else None
    found = _language(topics) or (_given(brief, topics) if name in _OF_FACT else None) or specific
    found = found or (_less(brief, topics) if name in _OF_FORM else None)
    if found:
        return found
    of = scope(brief, topics) if topics else Declined("the reports share no words a rule could be about")
    if isinstance(of, Declined):
        return Rule(f"complaint.{name}", *plain, hints) if plain else of
    about = of.about if name in _OF_ANSWERS else of.asked
    return Rule(f"complaint.{name}", text.format(about=about), title.format(topic=of.title), hints, of.topics)


_OF_ANSWERS = frozenset({"style", "format", "too_long", "too_short"})
"""Reasons that may be about a part of the answer, such as its greeting."""
_OF_FACT = frozenset({"wrong", "outdated", "other"})
"""Reasons that may mean that what was given did not work."""
_OF_FORM = frozenset({"style", "format", "too_long", "other"})
"""Reasons that may mean that there is too much of what the reports are about."""


def _language(topics: Sequence[str]) -> Rule | None:
    """For reports that speak of languages and of nothing else: the answer was in another than the request."""
    named = [topic for topic in topics if bare(topic).lower() in sentences.LANGUAGES]
    if not named or len(named) < len(topics):
        return None
    text, title, hints = sentences.LANGUAGE
    return Rule("complaint.language", text, title, hints, said="complained about the language of answers")


def _given(brief: Brief, topics: Sequence[str]) -> Rule | None:
    """For reports of which half say that what they were given works no more: "the reset link was dead"."""
    first = next(iter(topics), "“")
    if first[0] == "“" or bare(first).split()[-1].casefold() not in sentences.HANDED_OUT:
        return None
    said = list(filter(None, map(clauses, brief.said)))
    if 2 * sum(any(map(_is_dead, one)) for one in said) < max(1, len(said)):
        return None
    text, title, hints = sentences.GIVEN
    rule, short = text.format(about=first), title.format(topic=first)
    return Rule("complaint.given", rule, short, hints, (first,), said=f"were given {first} that did not work")


def _is_dead(clause: Clause) -> bool:
    pairs = set(pairwise(clause.words))
    return not sentences.DEAD.isdisjoint(clause.words) or not sentences.DEAD_PAIRS.isdisjoint(pairs)


def _less(brief: Brief, topics: Sequence[str]) -> Rule | None:
    """For reports that want less of what they are about, or none of it."""
    first = next(iter(topics), "“")
    if first[0] == "“" or is_broad(brief, [first]):
        return None
    said = list(filter(None, map(clauses, brief.said)))
    share = 1 / 2 if brief.reason_code in ("", "other") else 1 / 3
    if not protest(said, Ordered("", frozenset(stems(first))), share=share):
        return None
    text, title, hints = sentences.LESS
    rule, short = text.format(about=first), title.format(topic=first)
    return Rule("complaint.less", rule, short, hints, (first,), said=f"complained about {first} they had no use for")


def _with_thing(brief: Brief, topics: Sequence[str]) -> Sequence[str]:
    """The topics of a rule; where none of them can be looked up, with one beside them that can: "balance"."""
    chosen = topics[:MAX_TOPICS]
    said = stems(" ".join(chosen))
    beside = (topic for topic in slots.topics((*topics, *brief.asides, *brief.nearby)) if said.isdisjoint(stems(topic)))
    thing = next((bare(topic) for topic in beside if _is_checkable(topic)), None)
    return chosen if thing is None or any(map(_is_checkable, chosen)) else (*chosen[:1], thing)


def _is_checkable(topic: str) -> bool:
    return bare(topic).split()[-1].casefold() in sentences.CHECKABLE


def _check(topics: Sequence[str], kind: str) -> Rule | None:
    """The sharper rule for a topic that names something to look up, such as a deadline."""
    thing = next(filter(_is_checkable, topics), None)
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
