"""How facts are shown: times, numbers, trends, and characters nobody could see."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Any, Final
from urllib.parse import urlencode

from django import template
from django.utils import timezone
from django.utils.html import conditional_escape, escape, format_html, format_html_join
from django.utils.safestring import SafeString

from audit import numbers
from audit.models import AuditEntry
from audit.wording import Wording, in_words
from feedback.charts import Bar, Spark, spark
from feedback.mining import Kind
from feedback.models import Feedback, Pattern
from proposals.checking.checks import override_phrases
from proposals.checking.invisible import Chip, spans
from proposals.diffs import Row

register = template.Library()

_MARKS: Final[dict[str, Callable[[SafeString], SafeString]]] = {
    "equal": lambda text: text,
    "add": lambda text: format_html("<ins>{}</ins>", text),
    "cut": lambda text: format_html("<del>{}</del>", text),
}

MOST_READ: Final = 500
"""Characters of a report that a page shows."""

_STEPS = ((60, "just now", ""), (3600, "minute", "60"), (86400, "hour", "3600"), (30 * 86400, "day", "86400"))


@register.filter
def ago(at: datetime | None) -> str:
    """“3 hours ago”; a date once it is more than a month back."""
    if at is None:
        return "never"
    seconds = (timezone.now() - at).total_seconds()
    for limit, word, unit in _STEPS:
        if seconds < limit:
            return f"{numbers.counted(int(seconds // int(unit)), word)} ago" if unit else word
    return f"{at:%-d %B %Y}"


@register.filter
def day(at: date) -> str:
    """“9 November”, with the year when it is another than this."""
    return f"{at:%-d %B}" if at.year == timezone.now().year else f"{at:%-d %B %Y}"


@register.filter
def instructs(report: Feedback) -> bool:
    """Whether what was typed tries to set other rules aside, as instructions to an agent would."""
    texts = (report.reason, report.correction, report.edited_output)
    return any(override_phrases(text[:MOST_READ]) for text in texts if text)


@register.filter
def is_past(at: datetime | None) -> bool:
    """Whether a time, if there is one, is over."""
    return at is not None and at <= timezone.now()


@register.simple_tag
def when(at: datetime | None) -> str:
    """A relative time whose absolute one, in UTC, is in the element and in its title."""
    if at is None:
        return "never"
    utc = at.astimezone(timezone.get_default_timezone())
    return format_html('<time datetime="{}" title="{}">{}</time>', utc.isoformat(), _absolute(utc), ago(at))


@register.simple_tag
def exactly(at: datetime) -> str:
    """The absolute time, in UTC, to the second."""
    return format_html('<time datetime="{}" title="{}">{}</time>', at.isoformat(), ago(at), _absolute(at))


@register.filter(name="exact")
def _absolute(at: datetime) -> str:
    """The same without its element, for a line of plain words."""
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


register.filter("number", numbers.number)
register.filter("counted", numbers.counted)
register.filter("percent", numbers.percent)
register.filter("share", numbers.share)


@register.filter
def same(one: object, other: object) -> bool:
    """Equality, for `with` in includes."""
    return one == other


@register.filter
def chips(text: object) -> SafeString:
    """The exact text, with every character a reader could not see or tell apart shown by its code."""
    pieces = spans(str(text))
    if len(pieces) == 1:  # as nearly always
        return _piece(pieces[0])
    return format_html_join("", "{}", ((_piece(piece),) for piece in pieces))


def _piece(piece: str | Chip) -> SafeString:
    if isinstance(piece, str):
        return conditional_escape(piece)
    return format_html('<span class="chip" title="{}">{}</span>', piece.name, piece.code)


@register.filter
def segments(row: Row) -> SafeString:
    """One line of a difference, its changed words marked."""
    shown = row.shown
    if len(shown) == 1 and row.kind == "equal":
        return chips(shown[0][1])
    marked = format_html_join("", "{}", ((_MARKS[op](chips(text)),) for op, text in shown))
    if row.ending or row.kind == "equal":
        return marked
    return format_html('{} <span class="chip" title="The last line has no line break">no line break</span>', marked)


@register.simple_tag
def line_number(number: int | None, link: str, *, removed: bool = False) -> str:
    """The number of a line, a link to comment on it where there is one; one call, for a page has thousands."""
    if number is None:
        return ""
    if not link:
        return digits(number)
    side, word = _REMOVED if removed else _KEPT
    said = '<a class="say" href="{0}{1}{2}" aria-label="Comment on {3}line {2}">{2}</a>'
    return format_html(said, _address(link), side, digits(number), word)


# What is the same on every line is escaped once.
NOTHING = SafeString()
_KEPT, _REMOVED = (NOTHING, NOTHING), (SafeString("old"), SafeString("removed "))
_address = lru_cache(64)(escape)


@lru_cache(10_000)
def digits(number: int) -> SafeString:
    """A whole number, which needs no escaping."""
    return format_html("{}", number)


@register.filter
def rects(bars: Sequence[Bar]) -> SafeString:
    """The bars of a chart as SVG; one call, for a page has a hundred."""
    drawn = (
        '<rect class="all" x="{0}" y="{2}" width="{1}" height="{3}"/>'
        '<rect class="bad" x="{0}" y="{4}" width="{1}" height="{5}"/>'
    )
    return format_html_join("", drawn, ((b.x, b.width, b.y, b.height, b.bad_y, b.bad_height) for b in bars))


@register.filter
def trend(values: Sequence[int] | None, size: str = "96x28") -> Spark | None:
    """The trend line of one value per day."""
    width, height = size.split("x")
    return spark(values or (), width=int(width), height=int(height))


@register.simple_tag
def sparkline(line: Spark | None, kind: str = "") -> SafeString:
    """A trend line as SVG, written here, for lists have dozens; what rises asks for attention unless it is praise."""
    if line is None:
        return NOTHING
    drawn = (
        '<svg class="area{}" width="{}" height="{}" viewBox="0 0 {} {}" role="img" aria-label="{}">'
        '<path class="a" d="{}"/><path class="l" d="{}"/></svg>'
    )
    tone = SafeString(" bad") if line.rising and kind != Kind.SUCCESS else NOTHING
    return format_html(drawn, tone, line.width, line.height, line.width, line.height, line.label, line.area, line.line)


@register.filter
def worded(entry: AuditEntry, names: Mapping[int, str] | None = None) -> SafeString:
    """What an entry of the log says, without its actor: verb, target, details.

    The log calls patterns by number; `names` are what they are called today, by their key.
    """
    said = in_words(entry)
    name = names.get(int(entry.target_id)) if names and entry.target_kind == "pattern" else None
    today = format_html(' <span class="muted">“{}”</span>', chips(name)) if name else ""
    return format_html("{} <b>{}</b>{}{}{}", said.verb, chips(said.target), today, said.ending, _more(said))


@register.simple_tag
def pattern_names(entries: Iterable[AuditEntry]) -> dict[int, str]:
    """What the patterns that these entries are about are called today, by their key. One query, none without any."""
    keys = {int(one.target_id) for one in entries if one.target_kind == "pattern"}
    return dict(Pattern.objects.filter(pk__in=keys).exclude(label="").values_list("pk", "label")) if keys else {}


@register.filter
def worded_shortly(entry: AuditEntry) -> SafeString:
    """The same, where the page makes plain what was acted on."""
    if entry.target_kind != "proposal":
        return worded(entry)
    said = in_words(entry)
    return format_html("{}{}", said.of_it, _more(said))


@register.filter
def why(entry: AuditEntry, longest: int | None = None) -> SafeString:
    """The reason its actor gave, or its beginning, with what is invisible made visible; empty when there is none."""
    given = in_words(entry).why
    return chips(given if longest is None or len(given) <= longest else f"{given[:longest]}…")


def _more(said: Wording) -> SafeString:
    return format_html_join("", ", {}", ((detail,) for detail in said.details))


@register.filter
def hexed(value: bytes | memoryview | None, digits: int = 64) -> str:
    """The first hexadecimal digits of a hash."""
    return bytes(value).hex()[:digits] if value else ""


@register.simple_tag(takes_context=True)
def without(context: template.Context, name: str) -> str:
    """This page's query string without one parameter, on its first page."""
    return link_with(context, **{name: "", "page": ""})


@register.simple_tag(takes_context=True)
def link_with(context: template.Context, **changes: Any) -> str:
    """This page's query string with some parameters replaced; an empty one is left out."""
    kept = [(name, values) for name, values in context["request"].GET.lists() if name not in changes]
    given = [(name, str(value)) for name, value in changes.items() if value not in ("", None)]
    return f"?{urlencode([*kept, *given], doseq=True)}"
