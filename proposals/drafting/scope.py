"""What a rule is about: the fewest topics that tell a pattern's reports from the other reports of its agent.

"For the card" would also hold for most other things said at a bank. Where one topic is so broad, a second one has to
be there too: "for requests about the card that mention “arrive”". Where that does not tell them apart either, or all
that is shared is one word that names nothing, there is no rule.
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

    @property
    def asked(self) -> str:
        """What is asked about them: "requests about the refund", but "refund rules", which may be part of an answer."""
        return f"requests about {self.about}" if self.about.startswith("the ") else self.about


def scope(brief: Brief, topics: Sequence[str]) -> Scope | Declined:
    """Of topics that slots took, the best first; at least one."""
    chosen = tuple(topics[:MAX_TOPICS])
    said = stems(chosen[0])
    others = [one for one in (*topics[1:], *slots.topics(brief.asides)) if said.isdisjoint(stems(one))]
    if not is_broad(brief, chosen[:1]):
        return _narrow(chosen, others)
    for other in dict.fromkeys(others):
        if not is_broad(brief, (chosen[0], other)):
            return _of((chosen[0], other), both=True)
    shared = listed([f"“{bare(topic)}”" for topic in chosen])
    return Declined(f"the reports share only {shared}, which more reports about other things speak of than about this")


def _narrow(chosen: tuple[str, ...], others: Sequence[str]) -> Scope | Declined:
    """For a best topic that is not too broad: a phrase that names something is enough by itself."""
    if _is_phrase(chosen[0]) and not _is_quoted(chosen[0]):
        return _of(chosen[:1], both=False)
    topics = (*chosen, *_nouns_first(others)[:1]) if len(chosen) == 1 and _is_lone_word(chosen[0]) else chosen
    if len(topics) == 1 and _is_lone_word(topics[0]):
        return Declined(f"the reports share only {listed(topics)}, which does not say what a rule would be about")
    return _of(topics, both=False)


def _nouns_first(topics: Sequence[str]) -> list[str]:
    """“charged” alone says little; "requests about the transaction that mention “charged”" says more."""
    return sorted(topics, key=_is_quoted)


def is_broad(brief: Brief, topics: Sequence[str]) -> bool:
    """Whether more of the other reports of the same time speak of all of this than those of the pattern do."""
    about = stems(" ".join(topics))
    return sum(about <= said for said in brief.others) > sum(about <= said for said in brief.own)


def _of(topics: tuple[str, ...], *, both: bool) -> Scope:
    if any(map(_is_quoted, topics)):
        return Scope(topics, f"requests {described(topics)}", titled(topics))
    return Scope(topics, f"requests about both {listed(topics)}" if both else listed(topics), titled(topics))


def described(topics: Sequence[str], *, any_of: bool = False) -> str:
    """What stands behind "requests": "about the card that mention “arrive”"; of several quoted ones `any_of` or all."""
    nouns, quoted = _sorted(topics)
    parts = ("about", nouns, "and"), ("that mention", quoted, "or" if any_of else "and")
    return " ".join(f"{how} {listed(some, last)}" for how, some, last in parts if some)


def titled(topics: Sequence[str]) -> str:
    """Topics in a few words, as a title takes them: "the card (“arrive”)"."""
    nouns, quoted = _sorted(topics)
    return f"{listed(nouns)} ({listed(quoted)})" if nouns and quoted else listed(topics)


def _sorted(topics: Sequence[str]) -> tuple[list[str], list[str]]:
    """What names something, and what is quoted because it does not."""
    return [one for one in topics if not _is_quoted(one)], [one for one in topics if _is_quoted(one)]


def _is_phrase(topic: str) -> bool:
    return " " in bare(topic)


def _is_lone_word(topic: str) -> bool:
    return _is_quoted(topic) and not _is_phrase(topic)


def _is_quoted(topic: str) -> bool:
    return topic[:1] == "“"


def listed(topics: Sequence[str], last: str = "and") -> str:
    """ "a", "a and b", "a, b and c"."""
    return topics[0] if len(topics) == 1 else f"{', '.join(topics[:-1])} {last} {topics[-1]}"
