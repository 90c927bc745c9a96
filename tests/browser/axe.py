"""What is wrong with a page, by all rules of WCAG 2.2 AA and axe-core's own good practice."""

from typing import Final

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
"""Without naming them axe leaves out `target-size`, the one rule of WCAG 2.2 that it has."""

# A ring of 2 px around it or around what it stands for, and some of it not beneath a bar that stays in sight.
_UNSEEN: Final = """() => {
    const ring = (one) => {
        const style = getComputedStyle(one);
        return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
    };
    const ringed = (one) => [one, one.closest(".row"), one.closest(".editor")].some((around) => around && ring(around));
    const within = (box) => [0.1, 0.5, 0.9].map((part) => [box.left + box.width * part, box.top + box.height * part]);
    const shown = (one) => [...one.getClientRects()].some((box) => within(box).some(([x, y]) => {
        const hit = document.elementFromPoint(x, y);
        return hit && (one.contains(hit) || hit.contains(one));
    }));
    const stops = [...document.querySelectorAll("a[href], button, summary, input, select, textarea, [tabindex='0']")];
    const reached = stops.filter((one) => one.checkVisibility({ visibilityProperty: true }) && one.tabIndex >= 0);
    return [...reached, ...reached.reverse()].filter((one) => {
        one.focus();
        return one === document.activeElement && !(ringed(one) && shown(one));
    }).map((one) => one.outerHTML.slice(0, 120));
}"""


def violations(page: Page, rules: list[str] | None = None) -> list[tuple[str, list[str]]]:
    """The rules that are broken, of these or of all, each with the elements that break it; empty when all is well.

    Looked at from the top: the bar that stays in sight covers a part of whatever has scrolled beneath it.
    """
    page.evaluate("window.scrollTo(0, 0)")
    only = {"type": "rule", "values": rules} if rules else {"type": "tag", "values": _TAGS}
    # Without this it also hands over every element that is all right, which takes it longer than looking at them.
    found = Axe().run(page, options={"runOnly": only, "resultTypes": ["violations"]}).response["violations"]
    return [(rule["id"], [str(node["target"]) for node in rule["nodes"]]) for rule in found]


def unseen_stops(page: Page) -> list[str]:
    """What the tab key stops at, forth and back, without a ring around it or wholly under something else."""
    page.keyboard.press("Tab")  # so that the browser draws rings from now on
    found: list[str] = page.evaluate(_UNSEEN)
    return found
