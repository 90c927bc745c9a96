"""What axe-core finds wrong with a page, by all rules of WCAG 2.2 AA and its own good practice."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
"""Without naming them axe leaves out `target-size`, the one rule of WCAG 2.2 that it has."""


def violations(page: Page) -> list[tuple[str, list[str]]]:
    """The rules that are broken, each with the elements that break it; empty when all is well.

    Looked at from the top: the bar that stays in sight covers a part of whatever has scrolled beneath it.
    """
    page.evaluate("window.scrollTo(0, 0)")
    found = Axe().run(page, options={"runOnly": {"type": "tag", "values": _TAGS}}).response["violations"]
    return [(rule["id"], [str(node["target"]) for node in rule["nodes"]]) for rule in found]
