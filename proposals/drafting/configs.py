"""Drafts for settings in JSON or YAML: one number of one key, where an error of a known class asks for more of it.

    configured(brief, documents) -> Draft | None

The number is changed where it stands, so layout and comments stay. Nothing is guessed: a key must be named after what
ran out, and where several are, one of them after the tool that failed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import re2
import yaml

from proposals.checking.checks import is_json
from proposals.drafting import slots, templates
from proposals.drafting.rationales import rationale
from proposals.drafting.types import Brief, DocumentText, Draft

MAX_TEXT = 50_000
_MOST_LEAVES = 2000
_DEEPEST = 20
_MOST_TRIES = 5

_NUMBER = re2.compile(r"^(\p{Nd}{1,9})(\.\p{Nd}{1,6})?( ?(?:ms|s|sec|seconds|m|min|minutes|h)?)$")
_WORDS = re2.compile(r"\p{Lu}?\p{Ll}+|\p{Lu}+|\p{Nd}+")
_SPOKEN = re2.compile(r"[\p{L}\p{N}_.-]+")

_TIME = frozenset({"timeout", "timeouts", "deadline", "deadlines"})
_WAIT = frozenset({"wait", "backoff", "delay", "pause", "cooldown"})
_TRIES = frozenset({"retry", "retries", "attempts", "tries"})
# error class → words of keys, the best first, and whether there should be twice as much or one more
_ANSWERS: dict[str, tuple[tuple[frozenset[str], bool], ...]] = {
    "timeout": ((_TIME, True), (_TRIES, False)),
    "rate_limit": ((_WAIT, True),),
    "unavailable": ((_TRIES, False), (_WAIT, True)),
    "empty_response": ((_TRIES, False),),
}


@dataclass(frozen=True, slots=True)
class _Leaf:
    """One number of the settings: the keys that lead to it and where it stands in the text."""

    path: tuple[str, ...]
    start: int
    end: int
    value: str


def words_of(*keys: str) -> set[str]:
    """The words keys are made of: "firstWait_s" is of "first", "wait" and "s"."""
    return {word.lower() for key in keys for word in _WORDS.findall(key)}


def configured(brief: Brief, documents: Sequence[DocumentText], *, any_key: bool = True) -> Draft | None:
    """The settings changed as the error asks; None where no key, or more than one, answers it.

    Without `any_key` only what no instruction could say: how much time there is. To try again is a rule as well.
    """
    for words, doubled in _ANSWERS.get(brief.error_class or "", ()) if brief.kind == "error" else ():
        for document in documents if any_key or words is _TIME else ():
            leaf = _meant(brief, document, words) if document.kind == "config" else None
            draft = _raised(brief, document, leaf, doubled=doubled) if leaf else None
            if draft:
                return draft
    return None


def _meant(brief: Brief, document: DocumentText, words: frozenset[str]) -> _Leaf | None:
    """The one number under such a key: that of the tool that failed, or the only one that is called so itself."""
    found = [leaf for leaf in leaves(document.text) if words_of(*leaf.path) & words]
    failed = {word.strip(".") for word in _SPOKEN.findall(f"{brief.label} {brief.tool}".casefold())}
    own = [leaf for leaf in found if failed & {key.casefold() for key in leaf.path}]
    best = own or [leaf for leaf in found if words_of(*leaf.path[-1:]) & words] or found
    return best[0] if len(best) == 1 else None


def leaves(text: str) -> list[_Leaf]:
    """The numbers of a text in JSON or YAML, units included; none of a text that is neither, or is too long."""
    if len(text) > MAX_TEXT:
        return []
    try:
        # A tab is a blank to JSON, but not to YAML.
        root = yaml.compose(text.replace("\t", " "), Loader=yaml.SafeLoader)
    except (yaml.YAMLError, RecursionError, ValueError):
        return []
    found: list[_Leaf] = []
    for leaf in _walk(root, (), text, set()):
        found.append(leaf)
        if len(found) == _MOST_LEAVES:
            break
    return found


def _walk(node: yaml.Node | None, path: tuple[str, ...], text: str, seen: set[int]) -> Iterator[_Leaf]:
    if node is None or id(node) in seen or len(path) > _DEEPEST:  # an alias stands for what was read already
        return
    seen.add(id(node))
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield from _walk(value, (*path, str(key.value)), text, seen)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            yield from _walk(value, path, text, seen)
    elif isinstance(node, yaml.ScalarNode):
        quoted = 1 if node.style in ("'", '"') else 0
        start, end = node.start_mark.index + quoted, node.end_mark.index - quoted
        if _NUMBER.search(text[start:end]):
            yield _Leaf(path, start, end, text[start:end])


def _raised(brief: Brief, document: DocumentText, leaf: _Leaf, *, doubled: bool) -> Draft | None:
    value = _more(leaf.value, doubled=doubled)
    key = ".".join(leaf.path)
    text = document.text[: leaf.start] + (value or "") + document.text[leaf.end :]
    if not value or not all(slots.label(part) for part in leaf.path) or not _only_changes(document.text, text, leaf):
        return None
    start = text.rfind("\n", 0, leaf.start) + 1
    line = text[start : leaf.start + len(value)].strip() + text[leaf.start + len(value) :].split("\n", 1)[0].rstrip()
    return Draft(
        document=document.slug,
        text=text,
        title=f"Raise {key} from {leaf.value} to {value}"[: templates.MAX_TITLE],
        rationale=rationale(brief),
        section=".".join(leaf.path[:-1]),
        template=f"config.{brief.error_class}",
        rule=line,
        names=(key, value),
    )


def _more(value: str, *, doubled: bool) -> str | None:
    """A number with as many decimals and the same unit, twice as much or one more."""
    found = _NUMBER.search(value)
    if found is None:
        return None
    whole, decimals, unit = found.groups()
    number = float(whole + (decimals or ""))
    if not doubled and (decimals or unit or number >= _MOST_TRIES):
        return None
    more = number * 2 if doubled else number + 1
    return f"{more:.{len(decimals) - 1 if decimals else 0}f}{unit}" if more > number else None


def _only_changes(before: str, after: str, leaf: _Leaf) -> bool:
    """Whether the text reads as before but for this one number, and is JSON still if it was."""
    old = [(one.path, one.value) for one in leaves(before) if one.start != leaf.start]
    new = [(one.path, one.value) for one in leaves(after) if one.start != leaf.start]
    return old == new and is_json(before) == is_json(after)
