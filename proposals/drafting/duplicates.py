"""When two drafts say the same."""

import hashlib
from dataclasses import dataclass

from agents.lookalikes import skeleton
from proposals.drafting.placement import stems
from proposals.drafting.types import Draft

MAX_FINGERPRINT = 200

# Templates that ask for the same in other words.
_FAMILY = {
    "correction.in_place": "correction.replace",
    "correction.check": "check",
    "correction.check_value": "check",
    "complaint.check_value": "check",
    "complaint.wrong": "check",
    "complaint.outdated": "check",
}


@dataclass(frozen=True, slots=True)
class _Parts:
    family: str
    names: str
    topics: frozenset[str]
    line: str


def fingerprint(draft: Draft) -> str:
    """What a draft says, whatever its place, list mark, case, punctuation and order of topics.

    At most MAX_FINGERPRINT characters: the template's family, a digest of its literal words, the stems of its
    topics, and a digest of the new line, joined by "|". To be compared by `is_same`.
    """
    family = _FAMILY.get(draft.template, draft.template)
    topics = " ".join(sorted(stems(" ".join(draft.topics))))[: MAX_FINGERPRINT - 80]
    names = _digest("\n".join(draft.names).casefold()) if draft.names else ""
    return "|".join((family, names, topics, _digest(skeleton(draft.rule.lstrip("-*+•0123456789.) \t")))))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def is_same(one: str, other: str) -> bool:
    """Whether two fingerprints are of the same line, or of the same template about a topic and a part of it."""
    a, b = _parts(one), _parts(other)
    if a.line == b.line:
        return True
    near = a.topics == b.topics or (bool(a.topics and b.topics) and (a.topics <= b.topics or b.topics <= a.topics))
    return near and (a.family, a.names) == (b.family, b.names)


def _parts(fingerprint: str) -> _Parts:
    family, names, topics, line = fingerprint.split("|")
    return _Parts(family, names, frozenset(topics.split()), line)
