"""How figures of health are shown."""

from django import template

from feedback import health_page
from feedback.rates import Rate

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
