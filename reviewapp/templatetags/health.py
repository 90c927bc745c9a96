"""How figures of health are shown. Rows of tables are one call each, for a page has many of them."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from audit import numbers
from feedback import health_page
from feedback.charts import Bar
from feedback.health.figures import Figures
from feedback.health_page import Part
from feedback.rates import Rate
from feedback.vitals import Span
from reviewapp.templatetags.board import day

register = template.Library()


@register.filter
def ms(milliseconds: float | None) -> str:
    """“840 ms”, “2.1 s”, “75 s”; “–” for none."""
    return health_page.seconds(milliseconds)


@register.filter
def usd(dollars: float | None) -> str:
    """“$0.0062”, “$12.40”; “–” for none."""
    if dollars is None:
        return "–"
    return f"${dollars:,.2f}" if dollars >= 1 or not dollars else f"${dollars:.2g}"


@register.filter
def limits(rate: Rate | None) -> str:
    """The limits of its 95 % interval: “93.1–96.4 %”."""
    if rate is None:
        return "–"
    low, high = rate.low * 100, rate.high * 100
    digits = 1 if high - low < 10 else 0
    return f"{low:.{digits}f}–{high:.{digits}f}\u00a0%"


@register.filter
def named(slug: str, names: Mapping[str, str]) -> str:
    """The name of the document with this slug, or what an agent calls one that there is not."""
    return names.get(slug, slug)


@register.simple_tag
def bar_paths(bars: Sequence[Bar]) -> SafeString:
    """All bars of a chart as one shape, and their bad parts over them as another."""
    whole = "".join(f"M{bar.x:g} {bar.y:g}h{bar.width:g}v{bar.height:g}h{-bar.width:g}z" for bar in bars)
    bad = "".join(f"M{bar.x:g} {bar.bad_y:g}h{bar.width:g}v{bar.bad_height:g}h{-bar.width:g}z" for bar in bars)
    return format_html('<path class="all" d="{}"/><path class="bad" d="{}"/>', whole, bad)


@register.filter
def moment(at: datetime, over: Span) -> str:
    """When a part of a span begins: a day of a month, else a day and an hour."""
    return day(at) if over.name == "month" else f"{day(at)}, {at:%H:%M}"


@register.simple_tag
def figure_cells(told: Figures) -> SafeString:
    """The cells of a version, task or tool: success, latency, thumbs down, quality, cost, runs."""
    success, down = told.success, told.thumbs_down
    quality = "–" if told.quality is None else f"{told.quality:.1f}"
    return format_html(
        '<td class="num">{}</td><td class="faint nowrap">{}</td><td class="num">{}</td><td class="faint nowrap">{}</td>'
        '<td class="num">{}</td><td class="faint nowrap">{} of {}</td><td class="num">{}</td><td class="num">{}</td>'
        '<td class="num">{}</td>',
        _share(success),
        limits(success) if success else "",
        ms(told.p50_ms),
        ms(told.p95_ms),
        _share(down),
        numbers.number(told.negative),
        numbers.number(told.reports),
        quality,
        usd(told.cost),
        numbers.number(told.runs),
    )


@register.simple_tag
def part_row(part: Part, over: Span) -> SafeString:
    """One part of the charts as a row: when, runs, failed, success, interval, p50, p95, feedback, thumbs, releases."""
    told = part.figures
    return format_html(
        '<tr><th scope="row" class="nowrap">{}</th><td class="num">{}</td><td class="num">{}</td>'
        '<td class="num">{}</td><td class="faint nowrap">{}</td><td class="num">{}</td><td class="num">{}</td>'
        '<td class="num">{}</td><td class="num">{}</td><td>{}</td></tr>',
        moment(part.at, over),
        numbers.number(told.runs),
        numbers.number(told.failed),
        _share(told.success),
        limits(told.success),
        ms(told.p50_ms),
        ms(told.p95_ms),
        numbers.number(told.reports),
        numbers.number(told.negative),
        ", ".join(part.releases),
    )


def _share(rate: Rate | None) -> str:
    return numbers.share(rate.share) if rate else "–"
