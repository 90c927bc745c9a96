"""A page looked at as everybody may meet it: in both themes, on a telephone and on a wall, and by the tab key."""

from typing import Final

from playwright.sync_api import Page

from tests.browser.axe import unseen_stops, violations

WIDTHS: Final = (320, 390, 1280, 2560)
_OPENED: Final = "document.querySelectorAll('main details:not(.drop)').forEach((one) => { one.open = true; })"
_WIDER: Final = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def faults(page: Page) -> list[object]:
    """What is wrong with the page as it stands, with all of it unfolded; empty when nothing is."""
    page.evaluate(_OPENED)
    found: list[object] = [f"wider than {width} px" for width in WIDTHS if _is_wider(page, width)]
    _show(page, "light", 1280)
    found += violations(page)
    found += [f"not seen: {stop}" for stop in unseen_stops(page)]
    _show(page, "dark", 1280)
    found += violations(page, rules=["color-contrast"])
    _show(page, "dark", 390)
    # The whole page in sight, or what the bar at its foot lies over at this moment would count as too small to press.
    page.set_viewport_size({"width": 390, "height": int(page.evaluate("document.documentElement.scrollHeight"))})
    found += violations(page)
    return found


def faults_on_paper(page: Page) -> list[object]:
    """What is wrong with it in print."""
    page.emulate_media(media="print")
    found: list[object] = [*violations(page), *(["wider than paper"] if _is_wider(page, 700) else [])]
    page.emulate_media(media="screen")
    return found


def _show(page: Page, scheme: str, width: int) -> None:
    # Without motion, or colours would be looked at while they change.
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": 800})


def _is_wider(page: Page, width: int) -> bool:
    page.set_viewport_size({"width": width, "height": 800})
    return int(page.evaluate(_WIDER)) > 0
