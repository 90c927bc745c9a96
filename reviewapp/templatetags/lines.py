"""Lines of a text or of a difference as rows of their table, many at a call, for a page has hundreds of them."""

from collections.abc import Iterable, Iterator

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from proposals.diffs import Gap, Pair, Row
from proposals.reviewing.shown import AnyLine, Line, TextLine, opened
from reviewapp.templatetags.board import NOTHING, chips, digits, line_number, segments

register = template.Library()

_HEAD, _LOCK, _MOVED = SafeString(" head"), SafeString(" lock"), SafeString(" moved")

_SIGNS = {
    "equal": "",
    "add": format_html('<span aria-hidden="true">{}</span><span class="sr">{}</span>', "+", "added"),
    "cut": format_html('<span aria-hidden="true">{}</span><span class="sr">{}</span>', "−", "removed"),
}


@register.simple_tag(takes_context=True)
def unfolding(context: template.Context, gap: Gap, name: str = "lines", since: int | None = None) -> str:
    """This page's query string with one fold more unfolded, and the others as they are.

    `name` is the parameter that lists the open ones; `since` is the revision that is compared with, where one is.
    """
    query = context["request"].GET.copy()
    query[name] = ".".join(map(str, sorted({*opened(query, name), gap.start})))
    if since is not None:
        query["since"] = str(since)
    return f"?{query.urlencode()}"


@register.simple_tag
def text_rows(lines: Iterable[TextLine], link: str = "") -> SafeString:
    """Lines of a whole text; `link` leads to a comment on one."""
    return SafeString("".join(_text(line, link) for line in lines))


def _text(line: TextLine, link: str) -> SafeString:
    return format_html(
        '<tr class="equal{}{}"><td class="no" id="L{}">{}</td><td class="said">{}</td></tr>\n',
        _HEAD if line.heading else NOTHING,
        _LOCK if line.protected else NOTHING,
        digits(line.number),
        line_number(line.number, link),
        chips(line.text),
    )


@register.simple_tag
def blamed_cells(line: TextLine) -> SafeString:
    """The number and the words of a line of blame."""
    return format_html('<td class="no" id="L{0}">{0}</td><td class="said">{1}</td>', line.number, chips(line.text))


@register.filter
def runs(lines: Iterable[AnyLine]) -> Iterator[tuple[list[AnyLine], AnyLine | None]]:
    """The lines of a text or a difference in runs that can be written at once, each with the line that ends it: a gap,
    which is not in the run, or one that something stands below, which is.
    """
    run: list[AnyLine] = []
    for line in lines:
        gap = isinstance(line, Line) and line.gap is not None
        if not gap:
            run.append(line)
        if gap or line.talks or line.asked:
            yield run, line
            run = []
    yield run, None


@register.simple_tag
def diff_rows(lines: Iterable[Line], link: str = "") -> SafeString:
    """Lines of a difference without what stands below them; `link` leads to a comment on one."""
    return SafeString("".join(_pair(line.pair, link) if line.pair else _row(line.row, link) for line in lines))


def _pair(pair: Pair, link: str) -> SafeString:
    heads = any(row and row.heading for row in (pair.left, pair.right))
    start = _HEAD_OF_PAIR if heads else _PAIR
    return format_html("{}{}{}</tr>\n", start, _half(pair.left, "old", link), _half(pair.right, "new", link))


def _row(row: Row | None, link: str) -> SafeString:
    if row is None:
        return NOTHING
    number = line_number(row.new, link) if row.new else line_number(row.old, link, removed=True)
    if row.kind == "equal" and not row.heading:
        said = '<tr class="equal{}"><td class="no">{}</td><td class="sign"></td><td class="said">{}</td></tr>\n'
        return format_html(said, _LOCK if row.protected else NOTHING, number, segments(row))
    return format_html(
        '<tr class="{}{}{}{}"{}><td class="no">{}</td><td class="sign">{}</td><td class="said">{}{}{}</td></tr>\n',
        row.kind,
        _MOVED if row.moved else NOTHING,
        _HEAD if row.heading else NOTHING,
        _LOCK if row.protected else NOTHING,
        NOTHING if row.kind == "equal" else _ITEM,
        number,
        _SIGNS[row.kind],
        segments(row),
        _moved(row),
        format_html(' <span class="pill">{}</span>', "Protected") if row.heading and row.protected else "",
    )


def _half(row: Row | None, side: str, link: str) -> SafeString:
    if row is None:
        return _NOTHING
    number = str(row.old or "")
    if side == "new" or row.kind == "cut":
        number = line_number(row.new, link) if side == "new" else line_number(row.old, link, removed=True)
    said = {"add": "added", "cut": "removed"}.get(row.kind)
    return format_html(
        '<td class="no {}">{}</td><td class="said {} {}{}{}">{}{}{}</td>\n',
        side,
        number,
        row.kind,
        side,
        _MOVED if row.moved else NOTHING,
        _LOCK if row.protected else NOTHING,
        format_html('<span class="sr">{}</span>', said) if said else "",
        segments(row),
        _moved(row),
    )


_PAIR, _HEAD_OF_PAIR = SafeString("<tr>"), SafeString('<tr class="head">')
_ITEM = format_html(' data-item tabindex="{}"', -1)
_NOTHING = format_html('<td class="no {0}"></td><td class="said {0}"></td>\n', "none")


def _moved(row: Row) -> SafeString:
    if not row.moved:
        return NOTHING
    return format_html(' <span class="chip">moved {} line {}</span>', "from" if row.kind == "add" else "to", row.moved)
