"""What a machine can say of a revision before a person reads it. Pure functions; every pattern runs in re2.

    run(before, after, context) -> list[CheckResult]
    evidence(context) -> CheckResult
    override_phrases(text) -> list[str]      secret_strings(text) -> list[str]
    addresses(text) -> list[str]
    CheckResult(name, verdict, message, asks)
                                             name: stable, at most 40 characters, once per revision;
                                             verdict: "pass", "warn", "fail" or "skipped"
    Context(kind, author, protected, tools, reports, backing, rule, praised, quoting)
    Report(source, text)                     one report of the evidence; `source` any hashable that tells sources apart

Names: protected, characters, secrets, links, tools, overrides, copied, quoted, duplicate, praise, size, evidence,
format, model.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import ne
from typing import Final, Literal

import re2
import yaml

from agents.sections import lines_of, protected_changed
from agents.sensitive import EMAIL, secret_strings
from audit import numbers
from feedback.mining.stems import is_content, stem
from proposals.checking import invisible, pile, quoted
from proposals.checking.praise import Praised, touched
from proposals.diffs import compute
from proposals.rules.backing import USUAL, Backing, Rule, missing

Verdict = Literal["pass", "warn", "fail", "skipped"]
Author = Literal["drafter", "agent", "person", "rollback"]

MAX_REPORTS = 2000
MAX_REPORT_CHARS = 4000
COPIED_WORDS: Final = 8
MAX_LINES = 5000
MAX_FRESH = 100
CLOSE: Final = 0.6

_LINK = re2.compile(
    r"(?i)\b(?:[a-z][a-z0-9+.-]{1,20}://|mailto:|javascript:|data:[a-z]+/)[^\s<>\"')\]]+|\bwww\.[^\s<>\"')\]]+"
    r"|\b(?:[a-z0-9-]{1,63}\.){1,8}(?:com|net|org|io|ai|app|dev|co|info|biz|xyz|ru|cn|top|site|online|link|me|eu|de|uk|fr"
    r"|shop|cloud|ca|jp|br|nl|ch|se|au|nz|kr|za|mx|tr|gov|edu|mil|tv|gg|icu|ly|su|gle|xn--[a-z0-9-]{2,59})\b(?:/[^\s<>\"')\]]*)?"
    r"|\b(?:\d{1,3}\.){3}\d{1,3}\b|\b(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}\b|\b(?:[0-9a-f]{1,4}:){1,6}(?::[0-9a-f]{1,4}){1,6}\b"
    r"|\bhxxps?:[^\s]+|\b[a-z0-9-]+(?:\[\.\]|\(\.\)|\s\[?dot\]?\s)(?:com|net|org|io|ru|cn|info|biz|xyz)\b"
)
_EMAIL = re2.compile(EMAIL)
_TOOL = re2.compile(
    r"`([A-Za-z_][\w.:-]{2,60})(?:\([^`]{0,100}\))?`|\b([a-z][a-z0-9]*(?:_[a-z0-9]+)+)\b|\b([A-Za-z_]\w{2,60})\(\)"
)
_OVERRIDE = re2.compile(
    r"(?:ignor|disregard|forget|overrid|bypass|skip|drop)\w*\s+(?:\w+\s+){0,3}?(?:above|previous|prior|earlier|preceding"
    r"|foregoing|other|existing|all|any|every|these|those|your)\b(?:\s+\w+){0,2}"
    r"|regardless of|notwithstanding|no matter what|under any circumstances|in all cases|takes? precedence|supersedes?"
    r"|(?:above|before) all (?:else|other)|instead of (?:the|your|any) (?:above|previous|usual|other)"
    r"|(?:new|real|actual|updated|hidden|secret) (?:system )?(?:instructions?|prompts?|rules)"
    r"|(?:system|developer) (?:prompt|message|override)|you are now|from now on|pretend (?:to be|that|you)"
    r"|act as (?:if|though)|(?:do not|don't|never) (?:tell|mention|reveal|inform|warn|disclose)"
    r"|without (?:asking|checking|telling|confirmation|approval|verification)|jailbreak|developer mode|no restrictions"
    r"|even if (?:it is |it's )?(?:unsafe|forbidden|not allowed|against)|always (?:comply|obey|agree|forward|approve)"
)
_WORD = re2.compile(r"[\p{L}\p{N}]+(?:['’-][\p{L}\p{N}]+)*")


@dataclass(frozen=True, slots=True)
class Report:
    """What one source wrote, as stored; never shown or run, only compared."""

    source: Hashable
    text: str


@dataclass(frozen=True, slots=True)
class Context:
    """What the checks know besides the two texts.

    `kind` is the document's: "prompt", "config" or "tool". `backing` is who stands behind the change, None without any
    evidence, `rule` what is asked of it. `quoting` is how many sources must have said what a draft may quote; 0 lets
    none quote anything.
    """

    kind: str = "prompt"
    author: Author = "person"
    protected: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    reports: tuple[Report, ...] = ()
    backing: Backing | None = None
    rule: Rule = USUAL
    praised: tuple[Praised, ...] = ()
    quoting: int = 0


@dataclass(frozen=True, slots=True)
class CheckResult:
    """`asks`: whoever approves has to say why what was found may stand."""

    name: str
    verdict: Verdict
    message: str
    asks: bool = False


ASKING: Final = ("characters", "secrets", "links", "overrides", "copied")
"""What may be approved with a reason: the first two whoever wrote it, the others where a machine did."""


@dataclass(frozen=True, slots=True)
class _Change:
    """Both texts, the lines that came (whole) and went, and what was added, each stretch of words on its own."""

    before: str
    after: str
    added: tuple[str, ...]
    cut: tuple[str, ...]
    context: Context


def run(before: str, after: str, context: Context) -> list[CheckResult]:
    """All checks in the order they are shown, one result each; those that cannot run say why."""
    rows = compute(before, after).rows
    added = tuple(row.text.rstrip("\r\n") for row in rows if row.kind == "add")
    cut = tuple(row.text.rstrip("\r\n") for row in rows if row.kind == "cut")
    change = _Change(before, after, added, cut, context)
    return [_asking(check(change), context) for check in _CHECKS]


def _asking(found: CheckResult, context: Context) -> CheckResult:
    by_machine = context.author in ("drafter", "agent")
    asks = found.name in ASKING and (found.verdict == "fail" or (found.verdict == "warn" and by_machine))
    return replace(found, asks=asks) if asks else found


def _protected(change: _Change) -> CheckResult:
    touched = protected_changed(change.before, change.after, change.context.protected)
    if not change.context.protected:
        return CheckResult("protected", "pass", "No section of this document is protected.")
    if not touched:
        return CheckResult("protected", "pass", "Protected sections untouched.")
    names = ", ".join(f"“{_short(name)}”" for name in touched)
    if change.context.author in ("drafter", "agent"):
        return CheckResult("protected", "fail", f"Changes {names}, which is protected. Only people may propose that.")
    return CheckResult(
        "protected",
        "warn",
        f"Changes {names}, which is protected; the decision says whose approvals that takes.",
    )


def _characters(change: _Change) -> CheckResult:
    found = invisible.problems(change.after)
    if not found:
        return CheckResult("characters", "pass", "No invisible or look-alike characters.")
    more = f" And {len(found) - 3} more." if len(found) > 3 else ""
    return CheckResult("characters", "fail", " ".join(found[:3]) + more)


def _secrets(change: _Change) -> CheckResult:
    old = set(secret_strings(change.before))
    new = [secret for secret in secret_strings("\n".join(change.added)) if secret not in old]
    if not new:
        return CheckResult("secrets", "pass", "Nothing that looks like a secret added.")
    # The message is kept for good, so it must not repeat the secret.
    starts = ", ".join(f"“{secret[:4]}…”" for secret in dict.fromkeys(new[:3]))
    return CheckResult("secrets", "fail", f"Adds what looks like a secret: {starts}. Agents cannot keep secrets.")


def _links(change: _Change) -> CheckResult:
    found = _new(change, addresses)
    if not found:
        return CheckResult("links", "pass", "No link or address added.")
    return CheckResult("links", "warn", f"Adds {_listed(found)}. Make sure it is yours.")


def addresses(text: str) -> list[str]:
    """Links, host names, e-mail and IP addresses in a text, in lower case; also those written so as to pass."""
    return [match.group().lower() for pattern in (_EMAIL, _LINK) for match in pattern.finditer(text)]


def _tools(change: _Change) -> CheckResult:
    if change.context.kind != "prompt":
        return CheckResult("tools", "skipped", "Tool names are looked for in prompts only.")
    found = _new(change, _tool_names)
    known = {name.lower() for name in change.context.tools}
    wild = [name for name in found if name.lower() not in known]
    if not found:
        return CheckResult("tools", "pass", "No tool name added.")
    if not wild:
        return CheckResult("tools", "pass", f"Names {_listed(found)}, a tool this agent has.")
    return CheckResult("tools", "warn", f"Adds {_listed(wild)}, which may name a tool this agent does not have.")


def _tool_names(text: str) -> list[str]:
    return [next(group for group in match.groups() if group) for match in _TOOL.finditer(text)]


def _new(change: _Change, find: Callable[[str], list[str]]) -> list[str]:
    """What is found in the added lines and nowhere in the old text, once each."""
    old = set(find(change.before))
    return [item for item in dict.fromkeys(find("\n".join(change.added))) if item not in old]


def _overrides(change: _Change) -> CheckResult:
    old = Counter(override_phrases(change.before))
    new = Counter(override_phrases(change.after)) - old
    if not new:
        return CheckResult("overrides", "pass", "No phrase that sets other rules aside.")
    return CheckResult("overrides", "warn", f"Adds {_listed(list(new))}, which may set other rules aside.")


def override_phrases(text: str) -> list[str]:
    """What in a text tries to set other rules aside, in lower case; a phrase may be broken across lines."""
    flat = " ".join(text.lower().replace("’", "'").split())
    return [match.group() for match in _OVERRIDE.finditer(flat)]


def _copied(change: _Change) -> CheckResult:
    reports = change.context.reports[:MAX_REPORTS]
    if not reports:
        return CheckResult("copied", "skipped", "No evidence to compare with.")
    old = set(_runs(change.before))
    wanted = {words for line in change.added for words in _runs(line)} - old
    holders: dict[tuple[str, ...], set[Hashable]] = defaultdict(set)
    for report in reports if wanted else ():
        for words in wanted.intersection(_runs(report.text[:MAX_REPORT_CHARS])):
            holders[words].add(report.source)
    single = [words for words, sources in holders.items() if len(sources) == 1]
    if len(single) <= COPIED_WORDS:  # as many as one changed word is in
        single = [words for words in single if not _reworded(words, old)]
    if not single:
        return CheckResult("copied", "pass", "No sentence copied from a single report.")
    runs = numbers.counted(len(single), "run,overlapping runs")
    example = _short(" ".join(single[0]))
    return CheckResult(
        "copied", "warn", f"{runs} of {COPIED_WORDS} words found in one source’s report only: “{example}”."
    )


def _reworded(words: tuple[str, ...], old: Collection[tuple[str, ...]]) -> bool:
    """Whether the document had nearly the same words before: a report that quotes it was not copied from."""
    return any(sum(map(ne, words, before)) * 4 <= COPIED_WORDS for before in old)


def _runs(text: str) -> list[tuple[str, ...]]:
    words = [match.group().casefold() for match in _WORD.finditer(text)]
    return list(zip(*(words[start:] for start in range(COPIED_WORDS)), strict=False))


def _quoted(change: _Change) -> CheckResult:
    """What is quoted must have been said by enough sources, also where a person wrote it."""
    new = Counter(quoted.lines(change.after)) - Counter(quoted.lines(change.before))
    if not new:
        return CheckResult("quoted", "pass", "Quotes nobody.")
    by_machine = change.context.author in ("drafter", "agent")
    if by_machine and not change.context.quoting:
        return CheckResult("quoted", "fail", "Quotes reports, which no draft for this agent may.")
    least = change.context.quoting or change.context.rule.sources
    reports = [(report.source, report.text[:MAX_REPORT_CHARS]) for report in change.context.reports[:MAX_REPORTS]]
    holders = quoted.sources(new, reports)
    few = [line for line in new if holders[line] < least]
    if few:
        verdict: Verdict = "fail" if by_machine else "warn"
        return CheckResult("quoted", verdict, f"Quotes what fewer than {least} sources said: {_listed(few)}.")
    told = f"Quotes {numbers.counted(len(new), 'report')} word for word, each said by at least"
    return CheckResult("quoted", "warn", f"{told} {min(holders.values())} sources. Read them as if they were rules.")


def _duplicate(change: _Change) -> CheckResult:
    lines = [line.rstrip("\r\n") for line in lines_of(change.after)[:MAX_LINES]]
    bags = {number: bag for number, line in enumerate(lines, 1) if len(bag := _bag(line)) >= 3}
    added = frozenset(change.added)
    fresh = [number for number in bags if lines[number - 1] in added]
    for number in fresh[:MAX_FRESH]:
        near = _nearest(number, bags)
        if near:
            return CheckResult("duplicate", "warn", f"Close to line {near} “{_short(lines[near - 1])}”.")
    return CheckResult("duplicate", "pass", "Not close to another line.")


def _nearest(number: int, bags: Mapping[int, frozenset[str]]) -> int:
    """The line number of the closest other line that is close enough, or 0."""
    bag = bags[number]
    scores = {
        other: len(bag & own) / len(bag | own)
        for other, own in bags.items()
        if other != number and len(bag & own) / min(len(bag), len(own)) >= CLOSE
    }
    best = max(scores, key=lambda other: scores[other], default=0)
    return best if scores.get(best, 0) >= CLOSE * 0.75 else 0


def _bag(line: str) -> frozenset[str]:
    words = (match.group() for match in _WORD.finditer(line[:1000].lower()))
    return frozenset(stem(word) for word in words if is_content(word))


def _praise(change: _Change) -> CheckResult:
    """What is only added leaves praised rules as they are; counter-examples tell what it may harm all the same."""
    praised = change.context.praised
    if not praised:
        return CheckResult("praise", "skipped", "No praise recurs for this agent.")
    found = touched(change.cut[:MAX_LINES], praised)
    if found is None:
        return CheckResult("praise", "pass", "Takes away nothing that people praise.")
    line, what = found
    message = f"Changes “{_short(line)}”; {what.sources} sources praise “{_short(what.label)}”."
    return CheckResult("praise", "warn", message)


def _size(change: _Change) -> CheckResult:
    old, new = len(change.before), len(change.after)
    before, after = pile.tokens(old), pile.tokens(new)
    rules = pile.size(change.after).rules
    verb = "Grows" if after > before else "Shrinks"
    how = "Stays at about" if after == before else f"{verb} from about {numbers.number(before)} to"
    message = f"{how} {numbers.counted(after, 'token')}, {numbers.counted(rules, 'rule')}."
    grown = new - old > max(2000, old // 5) and change.context.author in ("drafter", "agent")
    return CheckResult("size", "warn" if grown else "pass", message)


def _evidence(change: _Change) -> CheckResult:
    return evidence(change.context)


def evidence(context: Context) -> CheckResult:
    """Whether what stands behind a change is enough under the rule; also for a count made anew."""
    backing = context.backing
    if backing is None or not backing.reports:
        return CheckResult("evidence", "skipped", "No reports are linked to this proposal.")
    if not backing.voices:
        return CheckResult("evidence", "warn", "Every report behind this reads like instructions.")
    if lacking := missing(backing, context.rule):
        return CheckResult("evidence", "warn", f"Less stands behind this than is asked for: {lacking}")
    said = f"{numbers.counted(backing.sources, 'source')}, none above {numbers.percent(backing.loudest)}"
    return CheckResult("evidence", "pass", f"{said}, over {numbers.counted(backing.days, 'day')}.")


def _format(change: _Change) -> CheckResult:
    if change.context.kind == "prompt":
        return CheckResult("format", "pass", "Prompts are plain text.")
    if change.context.kind == "tool":
        return CheckResult("format", "skipped", "Tool source is not compiled here.")
    try:
        json.loads(change.after)
    except (ValueError, RecursionError) as error:
        if not is_yaml(change.before) or is_json(change.before):
            return CheckResult("format", "fail", f"Not valid JSON: {_short(str(error))}.")
        good = is_yaml(change.after)
        return CheckResult("format", "pass" if good else "fail", "Valid YAML." if good else "Not valid YAML.")
    return CheckResult("format", "pass", "Valid JSON.")


def is_json(text: str) -> bool:
    """Whether a text is JSON."""
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def is_yaml(text: str) -> bool:
    """Whether a text is one YAML document with keys or items, as settings are; read as events, so nothing is built."""
    try:
        kinds = [type(event) for event in yaml.parse(text, Loader=yaml.CSafeLoader)]
    except (yaml.YAMLError, ValueError):
        return False
    return kinds.count(yaml.DocumentStartEvent) == 1 and kinds[2] in (yaml.MappingStartEvent, yaml.SequenceStartEvent)


def _model(change: _Change) -> CheckResult:
    return CheckResult("model", "skipped", "Not read by a language model: none is set up.")


_CHECKS: tuple[Callable[[_Change], CheckResult], ...] = (
    _protected, _characters, _secrets, _links, _tools, _overrides,
    _copied, _quoted, _duplicate, _praise, _size, _evidence, _format, _model,
)  # fmt: skip


def _listed(items: Sequence[str]) -> str:
    """Up to three quoted items, and how many more."""
    quoted = ", ".join(f"“{_short(item)}”" for item in items[:3])
    return quoted + (f" and {len(items) - 3} more" if len(items) > 3 else "")


def _short(text: str, limit: int = 60) -> str:
    clean = " ".join(text.split())
    return clean if len(clean) <= limit else clean[: limit - 1].rstrip() + "…"
