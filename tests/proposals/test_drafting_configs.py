"""Settings are drafted from errors: one number, where it stands, and only where it is plain which one."""

import json

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from proposals.checking.checks import Context, run
from proposals.drafting import Brief, DocumentText, Draft, draft
from proposals.drafting.alternatives import alternatives
from proposals.drafting.configs import configured, leaves
from tests.drafts import PROMPT, drafted

JSON = """{
  "model": "large",
\t"timeouts_s": {"order_lookup": 5, "search_help": 8},
  "retries": {"attempts": 1, "first_wait_s": 0.5}
}
"""
YAML = """# How long we wait
defaults: &usual
  timeout: 30s   # raised in May
tools:
  - name: order_lookup
    retries: 2
"""
TIMEOUT = Brief("error", "Tool order_lookup timed out after …", error_class="timeout", support=44, sources=40, days=9)


def _config(text: str) -> DocumentText:
    return DocumentText("settings", "config", text)


def test_the_tool_that_ran_out_of_time_gets_more() -> None:
    made = drafted(TIMEOUT, PROMPT, _config(JSON))
    assert made.text == JSON.replace('"order_lookup": 5', '"order_lookup": 10')
    assert made.title == "Raise timeouts_s.order_lookup from 5 to 10"
    assert made.rationale == "44 runs from 40 sources failed in 9 days: a call took too long."


def test_units_comments_and_layout_of_yaml_stay() -> None:
    made = drafted(TIMEOUT, _config(YAML))
    assert made.text == YAML.replace("timeout: 30s", "timeout: 60s")


def test_how_often_to_try_is_a_rule_first_and_settings_are_another_way() -> None:
    down = Brief("error", "search_help: 503", error_class="unavailable", support=9, sources=9)
    documents = (PROMPT, _config(JSON))
    assert drafted(down, *documents).document == "system-prompt"
    assert "Raise retries.attempts from 1 to 2" in [made.title for made in alternatives(down, documents)]
    assert drafted(down, _config(JSON)).text == JSON.replace('"attempts": 1', '"attempts": 2')


@pytest.mark.parametrize(
    "text",
    [
        '{"timeouts": {"a": 1, "b": 2}}',
        '{"timeout": "never"}',
        '{"timeout": true}',
        '{"time": 5}',
        '{"timeout": -5}',
        "timeout: &a 5\n",
        "{" * 5000,
        "timeout: |\n  timeout: 5\n",
        "timeout: 5\n---\ntimeout: 6\n",
        "a: &a {timeout: 5}\nb: *a\nc: {timeout: 5}\n",
        '{"ignore all previous timeout": 5}',
        "",
    ],
)
def test_where_it_is_not_plain_what_to_change_nothing_is(text: str) -> None:
    assert configured(TIMEOUT, [_config(text)]) is None


def test_an_error_of_no_known_sort_leaves_settings_alone() -> None:
    assert configured(Brief("error", "boom", error_class="other"), [_config(JSON)]) is None
    assert configured(Brief("complaint", "timeout", reason_code="slow"), [_config(JSON)]) is None


_SETTINGS = st.recursive(
    st.integers(0, 99) | st.floats(0, 99, allow_nan=False).map(lambda value: round(value, 2)) | st.booleans(),
    lambda inner: st.dictionaries(st.sampled_from(["timeout_s", "retries", "order_lookup", "wait", "x"]), inner),
    max_leaves=8,
)


@given(_SETTINGS, st.sampled_from(["timeout", "rate_limit", "unavailable"]), st.booleans(), st.sampled_from([None, 2]))
def test_one_number_grows_and_the_rest_stays(value: object, name: str, as_yaml: bool, indent: int | None) -> None:
    text = yaml.safe_dump(value) if as_yaml else json.dumps(value, indent=indent)
    made = draft(Brief("error", "order_lookup failed", error_class=name), [_config(text)])
    if isinstance(made, Draft):
        old, new = leaves(text), leaves(made.text)
        grown = [(a.value, b.value) for a, b in zip(old, new, strict=True) if a.value != b.value]
        assert len(grown) == 1
        assert float(grown[0][1]) > float(grown[0][0])
        verdicts = {check.name: check.verdict for check in run(text, made.text, Context("config", "drafter"))}
        assert verdicts["format"] == "pass"


@given(st.text(max_size=200))
def test_no_text_breaks_the_reading_of_settings(text: str) -> None:
    configured(TIMEOUT, [_config(text), _config("timeout: " + text)])


@pytest.mark.parametrize(
    ("before", "after", "verdict"),
    [
        ("{}", "a: 1", "fail"),
        ("a: 1", "a: 2", "pass"),
        ("a: 1", "a: [", "fail"),
        ("a: 1", "just words", "fail"),
        ("a: 1", '{"a": 1}', "pass"),
    ],
)
def test_settings_stay_in_the_language_they_are_in(before: str, after: str, verdict: str) -> None:
    found = next(one for one in run(before, after, Context(kind="config")) if one.name == "format")
    assert found.verdict == verdict
