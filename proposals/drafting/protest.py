"""Whether a report speaks against what a rule orders: "stop asking for my order number every time".

It takes one clause that speaks of what the rule is about and wants less of just that. Who complains that the rule is
not followed ("it never asked for my order number"), wants more of it, or finds what came of it wrong does not speak
against it. No model: the few words that end, deny and repeat something in English. Better to miss one than to take a
rule away that people want.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise

import re2

from feedback.mining.phrases import alike
from feedback.mining.stems import is_content, stem
from feedback.mining.subjects import verdict

READ = 2000
"""So many characters of a text are read."""
_REACH = 5
"""So many words behind "stop" or "don't" stands at the latest what is to end."""

_CLAUSE = re2.compile(r"[.!?;:\n]+|,? but ")
_WORD = re2.compile(r"\p{L}+(?:'\p{L}+)*|\p{N}+")


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_ENDING, _ENDING_FIRST = _set("stop quit cease"), _set("don't dont avoid skip drop cut")
_FEWER = _set("fewer less")
_NEEDLESS, _OF_NEED = _set("shouldn't needn't mustn't"), _set("need more reason point")
_UNWILLING = _set("don't dont won't wont can't cant cannot not")
_POLITE = _set("please pls just and so then also kindly do")
_MISSING = _set("not never no nor without cannot stops stopped")
_LACKING = frozenset(map(stem, _set("fail forget forgot refuse skip ignore omit miss missing lack")))
_MANY, _TOO = _set("many much enough"), _set("too so this that")
_WISHED = _set("please should must ought needs wish want wants expect expected better")
_OFTEN = _set("again always constantly repeatedly continually twice thrice keep keeps kept often endlessly everytime")
_OFTEN_PAIRS = {
    "every": _set("time single turn answer reply message step"),
    "each": _set("time single turn answer reply message step"),
    "too": _set("many much often"),
    "so": _set("many much often"),
    "this": _set("many much"),
    "over": _set("over and"),
    "the": _set("time"),
} | dict.fromkeys(_set("two three four five six many several multiple 2 3 4 5 6"), _set("times"))
_UNWANTED = _set("why annoying annoyed annoys hate hates tired sick enough useless pointless needless already")
_OF_PROTEST = (_FEWER, _ENDING, _ENDING_FIRST, _OFTEN, _UNWANTED, *_OFTEN_PAIRS.values(), _OFTEN_PAIRS)
NO_SUBJECT = frozenset(stem(word) for words in _OF_PROTEST for word in words)
"""Stems of words that protest, and name nothing that is protested against."""
_FAULTY = frozenset({"wrong", "outdated", "unsafe", "incomplete", "refused", "too_short"})


LEAST = 3
"""So many people at least speak against a thing, a third of all, and four times those who speak for it."""


class Stand(Enum):
    """How a report stands to a rule; TOO_OFTEN is against it for how often it is followed."""

    FOR = 1
    AGAINST = 2
    TOO_OFTEN = 3


@dataclass(frozen=True, slots=True)
class Ordered:
    """What a rule orders: its verb and what it is about, in stems, the verb among them where it has a content.

    Without a verb it is a thing, which people speak against only where they say straight out that they want less of it.
    """

    verb: str
    about: frozenset[str]


@dataclass(frozen=True, slots=True)
class Clause:
    """A part of a sentence: its words in lower case, and their stems."""

    words: tuple[str, ...]
    stems: tuple[str, ...]


def clauses(texts: Iterable[str]) -> list[Clause]:
    """What somebody said, in clauses."""
    return list(_clauses(texts))


def _clauses(texts: Iterable[str]) -> Iterator[Clause]:
    for text in texts:
        for part in _CLAUSE.split(text[:READ].lower().replace("’", "'")):
            words = tuple(match.group() for match in _WORD.finditer(part))
            if words:
                yield Clause(words, tuple(map(stem, words)))


def stand(said: Sequence[Clause], rule: Ordered) -> Stand | None:
    """How one person stands to a rule; None where they do not say."""
    found = list(filter(None, (_of_clause(clause, rule) for clause in said)))
    against = [one for one in found if one is not Stand.FOR]
    if not against:
        return found[0] if found else None
    return Stand.TOO_OFTEN if Stand.TOO_OFTEN in against else Stand.AGAINST


@dataclass(frozen=True, slots=True)
class Protest:
    """So many people speak against what a rule orders; `is_often`: for how often it is done."""

    people: int
    is_often: bool


def protest(said: Sequence[Sequence[Clause]], rule: Ordered, *, share: float = 1 / 3) -> Protest | None:
    """How the people who said this speak against it; None where less than such a share of them do."""
    stands = Counter(filter(None, (stand(one, rule) for one in said)))
    against = stands[Stand.AGAINST] + stands[Stand.TOO_OFTEN]
    if against < max(LEAST, len(said) * share, 4 * stands[Stand.FOR]):
        return None
    return Protest(against, 2 * stands[Stand.TOO_OFTEN] >= against)


def _of_clause(clause: Clause, rule: Ordered) -> Stand | None:
    at = [place for place, one in enumerate(clause.stems) if any(alike(one, other) for other in rule.about)]
    spoken = {one for one in rule.about if any(alike(one, clause.stems[place]) for place in at)}
    if 2 * len(spoken) < len(rule.about):
        return None
    words = [word if place not in at else "" for place, word in enumerate(clause.words)]
    often = _is_often(words)
    against = Stand.TOO_OFTEN if often or not _FEWER.isdisjoint(words) else Stand.AGAINST
    if any(_ends(words, place) and _governs(clause, place, at) for place in range(len(words))):
        return against
    if any(word in _MISSING or word.endswith("n't") for word in words) or not _LACKING.isdisjoint(clause.stems):
        return Stand.FOR
    unwanted = not _UNWANTED.isdisjoint(words)
    if not _WISHED.isdisjoint(words) and "why" not in words:
        return Stand.FOR
    # "The delivery date is wrong again" complains of the date, not that it was given.
    does = any(alike(rule.verb, one) for one in clause.stems) and verdict({"": [" ".join(clause.words)]}) not in _FAULTY
    return against if does and (often or unwanted) else None


def _ends(words: Sequence[str], at: int) -> bool:
    """Whether what stands behind this word is to end: "stop", "please don't", "no need to", "I won't"."""
    word, before = words[at], words[at - 1] if at else ""
    following = words[at + 1] if at + 1 < len(words) else ""
    if word in _MANY and (before in _TOO or word == "enough"):
        return True
    if word in _ENDING:  # "it won't stop asking" is a complaint about asking all the same
        return before not in ("don't", "dont", "never")
    if word in _FEWER or word in _NEEDLESS or (word == "no" and following in _OF_NEED):
        return True
    if word == "not" and before in ("should", "must", "need"):
        return True
    if word in _UNWILLING and {"i", "we", "i'm", "we're"} & {before, *words[max(0, at - 2) : at]} and before != "was":
        return True
    first = all(one in _POLITE for one in words[:at])
    if word in ("no", "why"):  # "no emojis please", "why all the emojis?"
        return first and ("please" in words if word == "no" else following == "all")
    return first and (word in _ENDING_FIRST or (word == "not" and before == "do")) and following not in ("you", "they")


def _governs(clause: Clause, at: int, about: Sequence[int]) -> bool:
    """Whether this word is said of what the rule is about: of "stop changing the date", "changing" ends."""
    end = next((place for place in about if at < place <= at + _REACH), 0)
    between = clause.words[at + 1 : end]
    return end > 0 and not any(is_content(word) or word in _MISSING for word in between)


def _is_often(words: Sequence[str]) -> bool:
    pairs = pairwise(words)
    return not _OFTEN.isdisjoint(words) or any(other in _OFTEN_PAIRS.get(one, ()) for one, other in pairs)
