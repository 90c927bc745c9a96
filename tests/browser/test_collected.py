"""To a browser, the style and scripts that are sent say what their sources say."""

from collections.abc import Iterator

import pytest
from django.conf import settings
from playwright.sync_api import Browser, Page

from reviewapp.collected import shortened

pytestmark = pytest.mark.browser

RULES = """(text) => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(text);
    return [...sheet.cssRules].map((rule) => rule.cssText.replace(/\\s*,\\s*/g, ","));
}"""


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """An empty one."""
    opened = browser.new_page()
    yield opened
    opened.close()


def test_a_shortened_style_has_the_same_rules(page: Page) -> None:
    text = (settings.BASE_DIR / "static/countersign.css").read_text()
    rules = page.evaluate(RULES, text)
    assert len(rules) > 300
    assert page.evaluate(RULES, shortened("countersign.css", text)) == rules


def test_shortened_scripts_are_scripts(page: Page) -> None:
    for script in (settings.BASE_DIR / "static").glob("*.js"):
        page.evaluate("(text) => { new Function(text); }", shortened(script.name, script.read_text()))
