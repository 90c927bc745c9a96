"""What the drafter takes and gives."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Brief:
    """One pattern, as mined.

    `kind` is "complaint", "correction", "error", "mislabel" or "success". `terms` are the miner's topics, best first,
    as a sentence takes them: "the delivery date", "islands", or "“declined”" in quotes; `asides` are rarer ones, taken
    where those are too broad. `nearby` are other words the
    reports share, which help to find the section and are never written. `replacement` is (old phrase, new phrase);
    `error_class` and `reason_code` are the values of their enumerations, for complaints the reason most sources gave.
    `tool` is the one that most of what failed had called; a rule names it as a whole or not at all.
    `quotes` are corrections that several sources made in the same words, those of most sources first, where the policy
    lets drafts quote them.
    `own` and `others` are the stems of what each source said, in this pattern and in the agent's other reports of the
    same time; they show whether a topic is too broad.
    `said` is what each source of a complaint said; it is only compared with the rules there are.
    `support` counts reports or runs, `sources` distinct sources, `days` the days from the first to the last.
    """

    kind: str
    label: str = ""
    terms: Sequence[str] = ()
    nearby: Sequence[str] = ()
    replacement: tuple[str, str] | None = None
    error_class: str | None = None
    reason_code: str = ""
    predicted: str = ""
    expected: str = ""
    tool: str = ""
    support: int = 0
    sources: int = 0
    days: int = 1
    asides: Sequence[str] = ()
    quotes: Sequence[str] = ()
    own: Sequence[frozenset[str]] = ()
    others: Sequence[frozenset[str]] = ()
    said: Sequence[Sequence[str]] = ()


@dataclass(frozen=True, slots=True)
class DocumentText:
    """A document of the agent with its current text; `kind` is "prompt", "config" or "tool"."""

    slug: str
    kind: str
    text: str
    protected: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Draft:
    """A proposed edit. `text` is the full new text, `rule` the one line of it that is new or rewritten.

    `title` has at most 200 characters; `rationale` is one sentence; `section` is a heading, `template` a stable name.
    `topics` and `names` are what filled the template's slots: what the rule is about, and what it says literally.
    """

    document: str
    text: str
    title: str
    rationale: str
    section: str
    template: str
    rule: str
    topics: tuple[str, ...] = ()
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Declined:
    """Why there is no draft: a sentence without capital and full stop, to stand after a colon."""

    reason: str
