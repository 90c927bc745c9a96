"""What a rule is about: the fewest topics that tell a pattern's reports from the other reports of its agent.

"For the card" would also hold for most other things said at a bank. Where one topic is so broad, a second one has to
be there too: "for requests about the card that speak of “arrive”". Where that does not tell them apart either, there
is no rule.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from feedback.mining.phrases import bare
from proposals.drafting import slots
from proposals.drafting.placement import stems
from proposals.drafting.types import Brief, Declined

MAX_TOPICS = 2


@dataclass(frozen=True, slots=True)
class Scope:
    """The topics, and the words that stand for them in a rule and in a title."""

    topics: tuple[str, ...]
    about: str
    title: str


def scope(brief: Brief, topics: Sequence[str]) -> Scope | Declined:
    """Of topics that slots took, the best first; at least one."""
    chosen = tuple(topics[:MAX_TOPICS])
    said = stems(chosen[0])
    others = [one for one in (*topics[1:], *slots.topics(brief.asides)) if said.isdisjoint(stems(one))]
    if not is_broad(brief, chosen[:1]):
        lone = len(chosen) == 1 and _is_quoted(chosen[0]) and " " not in chosen[0]
        return _of((*chosen, *_nouns_first(others)[:1]) if lone else chosen, both=False)
    for other in dict.fromkeys(others):
        if not is_broad(brief, (chosen[0], other)):
            return _of((chosen[0], other), both=True)
    shared = listed([f"“{bare(topic)}”" for topic in chosen])
    return Declined(f"the reports share only {shared}, which more reports about other things speak of than about this")


def _nouns_first(topics: Sequence[str]) -> list[str]:
    """“charged” alone says little; "requests about the transaction that speak of “charged”" says more."""
    return sorted(topics, key=_is_quoted)


def is_broad(brief: Brief, topics: Sequence[str]) -> bool:
    """Whether more of the other reports of the same time speak of all of this than those of the pattern do."""
    about = stems(" ".join(topics))
    return sum(about <= said for said in brief.others) > sum(about <= said for said in brief.own)


def _of(topics: tuple[str, ...], *, both: bool) -> Scope:
    nouns = [topic for topic in topics if not _is_quoted(topic)]
    quoted = [topic for topic in topics if _is_quoted(topic)]
    if quoted:
        return Scope(topics, f"requests {described(topics)}", listed([*nouns, *quoted]))
    # A lone word says too little for a title.
    title = listed(topics) if both or " " not in bare(topics[0]) else topics[0]
    return Scope(topics, f"requests about both {listed(topics)}" if both else listed(topics), title)


def described(topics: Sequence[str]) -> str:
    """What stands behind "requests": "about the card that speak of “arrive”"."""
    nouns = [topic for topic in topics if not _is_quoted(topic)]
    quoted = [topic for topic in topics if _is_quoted(topic)]
    parts = ("about", nouns), ("that speak of", quoted)
    return " ".join(f"{how} {listed(some)}" for how, some in parts if some)


def _is_quoted(topic: str) -> bool:
    return topic[:1] == "“"


def listed(topics: Sequence[str]) -> str:
    """ "a", "a and b", "a, b and c"."""
    return topics[0] if len(topics) == 1 else f"{', '.join(topics[:-1])} and {topics[-1]}"
