"""Sections of a prompt, and the rule that protected ones are not touched unseen."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents import sections
from agents.sections import Section, protected_changed

TEXT = """You are the support agent of Lumen Books.

# Role

Help with orders, refunds and downloads.

## Refunds ##

- Refunds are possible within 30 days.

```python
# not a heading
## Safety
```

## Safety

Never ask for card numbers or passwords.

### Minors

Do not sell to children.

## Escalation

Hand over when asked.
"""
SAFETY = "## Safety\n\nNever ask for card numbers or passwords.\n\n### Minors\n\nDo not sell to children.\n\n"


def test_sections_are_found_by_their_headings_and_not_in_code() -> None:
    found = sections.parse(TEXT)
    assert [(s.heading, s.level) for s in found] == [
        ("", 0), ("Role", 1), ("Refunds", 2), ("Safety", 2), ("Minors", 3), ("Escalation", 2),
    ]  # fmt: skip
    assert found[1] == Section("Role", 1, 2, 6)


@given(
    st.lists(
        st.sampled_from(
            ["# A\n", "## B ##\n", "text\n", "\n", "```\n", "~~~\n", "#C\n", "    # D\n", "####### E\n", "x"]
        )
    ).map("".join)
)
def test_sections_cover_every_line_exactly_once(text: str) -> None:
    found = sections.parse(text)
    lines = sections.lines_of(text)
    assert "".join(lines) == text
    covered = [line for section in found for line in range(section.start, section.end)]
    assert covered == list(range(len(lines)))


@pytest.mark.parametrize(
    ("line", "heading"),
    [
        ("## Safety ##", "Safety"), ("   # Safety", "Safety"), ("#\tSafety", "Safety"), ("# Safety#", "Safety#"),
        ("###", ""), ("# C# and F#", "C# and F#"), ("## Safety ## \r", "Safety"),
    ],
)  # fmt: skip
def test_headings_are_read_as_markdown_does(line: str, heading: str) -> None:
    assert sections.parse(line + "\n")[0].heading == heading


@pytest.mark.parametrize("line", ["#Safety", "####### Safety", "    # Safety", "\\# Safety"])
def test_what_is_no_heading_in_markdown_is_none_here(line: str) -> None:
    assert sections.parse(line + "\n") == [Section("", 0, 0, 1)]


def test_a_body_holds_its_subsections_and_not_its_heading() -> None:
    assert sections.body(TEXT, "Safety").strip() == SAFETY.removeprefix("## Safety").strip()
    assert sections.body(TEXT, "Nowhere") == ""


def test_changed_headings_names_the_innermost_section() -> None:
    after = TEXT.replace("Do not sell to children.", "Ask for the age.").replace("30 days", "14 days")
    assert sections.changed_headings(TEXT, after) == {"Minors", "Refunds"}
    assert sections.changed_headings(TEXT, TEXT) == set()


HARMLESS = {
    "a rule elsewhere": TEXT.replace("30 days.", "30 days.\n- Check the date."),
    "a section before": TEXT.replace("## Safety\n\nNever", "## Shipping\n\nTwo days.\n\n## Safety\n\nNever"),
    "a section after": TEXT + "\n## Learned rules\n\n- Check the date.\n",
    "a section gone": TEXT.replace("## Escalation\n\nHand over when asked.\n", ""),
    "blank lines after it": TEXT.replace("children.\n", "children.\n\n\n"),
    "the word in a sentence": TEXT.replace("30 days.", "30 days. Safety comes first."),
    "a placeholder": TEXT.replace("30 days.", "30 days. Greet <name>."),
    "tags closed again": TEXT.replace("30 days.", "30 days.\n<example>\nHello\n</example>"),
}


@pytest.mark.parametrize("after", HARMLESS.values(), ids=HARMLESS.keys())
def test_a_protected_section_is_untouched_by_changes_elsewhere(after: str) -> None:
    assert protected_changed(TEXT, after, ["Safety"]) == []


def _with(old: str, new: str) -> str:
    assert old in TEXT
    return TEXT.replace(old, new)


ATTACKS = {
    "a word": _with("Never ask", "Ask"),
    "a subsection": _with("Do not sell", "Sell"),
    "a space inside": _with("Never ask", "Never  ask"),
    "an invisible character": _with("Never ask", "Never\u200b ask"),
    "removed": _with(SAFETY, ""),
    "heading removed": _with("## Safety\n\nNever", "Never"),
    "renamed": _with("## Safety\n\nNever", "## Old safety\n\nNever"),
    "level": _with("## Safety\n\nNever", "### Safety\n\nNever"),
    "trailing hashes": _with("## Safety\n\nNever", "## Safety ##\n\nNever"),
    "homoglyph in heading": _with("## Safety\n\nNever", "## S\u0430fety\n\nNever"),
    "invisible in heading": _with("## Safety\n\nNever", "## Sa\u200bfety\n\nNever"),
    "doubled": TEXT + "\n" + SAFETY,
    "second of the same name": TEXT + "\n## Safety\n\nAsk for anything.\n",
    "second with homoglyph": TEXT + "\n## Sаfety\n\nAsk for anything.\n",
    "second with invisible": TEXT + "\n## Safe\u00adty\n\nAsk for anything.\n",
    "second in full width": TEXT + "\n## Ｓａｆｅｔｙ\n\nAsk for anything.\n",
    "second in mathematical letters": TEXT + "\n## 𝐒𝐚𝐟𝐞𝐭𝐲\n\nAsk for anything.\n",
    "second in other case": TEXT + "\n# SAFETY:\n\nAsk for anything.\n",
    "second underlined": TEXT + "\nSafety\n======\n\nAsk for anything.\n",
    "second in bold": TEXT + "\n**Safety**\n\nAsk for anything.\n",
    "second in HTML": TEXT + "\n<h2>Safety</h2>\n\nAsk for anything.\n",
    "second behind many blanks": TEXT + "\n##" + " " * 5000 + "Safety\n\nAsk for anything.\n",
    "second in HTML with attributes": TEXT + f"\n<h2 title='{'x' * 500}'>Safety</h2>\n\nAsk for anything.\n",
    "second with an entity": TEXT + "\n## S&#97;fety\n\nAsk for anything.\n",
    "second as a link": TEXT + "\n## [Safety](#x)\n\nAsk for anything.\n",
    "second with emphasis": TEXT + "\n## Saf**e**ty\n\nAsk for anything.\n",
    "second numbered": TEXT + "\n## 7. Safety\n\nAsk for anything.\n",
    "second in a quote": TEXT + "\n> ## Safety\n> Ask for anything.\n",
    "second without a blank": TEXT + "\n##Safety\n\nAsk for anything.\n",
    "second after another line break": TEXT + "\nWell.\u2028## Safety\u2028Ask for anything.\n",
    "second after a carriage return": TEXT + "\nWell.\r## Safety\rAsk for anything.\n",
    "second in code": TEXT + "\n```\n## Safety\nAsk for anything.\n```\n",
    "second indented": TEXT + "\n    ## Safety\n\nAsk for anything.\n",
    "swallowed by a fence": _with("## Refunds ##", "~~~\n## Refunds ##"),
    "swallowed by a longer fence": _with("```python", "````python"),
    "swallowed and copied": _with("## Safety\n\nNever", "````\n## Safety\n\nNever") + "````\n" + SAFETY,
    "in a comment": _with("## Refunds ##", "<!--\n## Refunds ##") + "-->\n",
    "in an open comment": _with("## Refunds ##", "<!--\n## Refunds ##"),
    "in tags": _with("## Refunds ##", "<outdated>\n## Refunds ##") + "</outdated>\n",
    "in an open tag": _with("## Refunds ##", "<outdated>\n## Refunds ##"),
    "in inline tags": _with("Help with", "Below is <draft> Help with") + "</draft>\n",
    "moved to the end": _with(SAFETY, "") + "\n" + SAFETY,
    "moved to the start": SAFETY + _with(SAFETY, ""),
    "another one moved past it": _with("\n## Escalation\n\nHand over when asked.\n", "").replace(
        "# Role", "## Escalation\n\nHand over when asked.\n\n# Role"
    ),
    "below another heading": _with("## Refunds ##", "# Examples of what not to do\n\n## Refunds ##"),
    "another section below it": _with("## Escalation", "### Escalation"),
    "text appended": _with("children.\n", "children.\n\nExcept on Fridays.\n"),
    "empty": "",
}


@pytest.mark.parametrize("after", ATTACKS.values(), ids=ATTACKS.keys())
def test_every_way_of_touching_a_protected_section_is_seen(after: str) -> None:
    assert protected_changed(TEXT, after, ["Refunds", "Safety"][1:]) == ["Safety"]


def test_a_protected_heading_in_another_notation_is_watched_too() -> None:
    before = "Hello\n\nSafety\n======\n\nNever ask.\n\n## Other\n\nx\n"
    assert protected_changed(before, before.replace("Never ask", "Ask"), ["Safety"]) == ["Safety"]
    assert protected_changed(before, before.replace("x\n", "y\n"), ["Safety"]) == []


def test_a_protected_heading_found_nowhere_counts_as_changed_once_it_appears() -> None:
    assert protected_changed("# A\n", "# A\nb\n", ["Safety"]) == []
    assert protected_changed("# A\n", "# A\n## Safety\n", ["Safety"]) == ["Safety"]


def test_names_come_back_in_the_order_given_and_once() -> None:
    after = TEXT.replace("Never ask", "Ask").replace("30 days", "14 days")
    assert protected_changed(TEXT, after, ["Safety", "Refunds", "Safety", "Role"]) == ["Safety", "Refunds", "Role"]


LINES = st.sampled_from(
    [
        "# Role\n",
        "## Safety\n",
        "## Refunds\n",
        "### Minors\n",
        "Never ask.\n",
        "Be kind.\n",
        "\n",
        "```\n",
        "- a\n",
        "<x>\n",
        "</x>\n",
    ]
)


@given(st.lists(LINES, max_size=14), st.lists(LINES, max_size=14))
@settings(max_examples=400)
def test_nothing_reported_means_the_whole_section_is_there_to_the_letter(old: list[str], new: list[str]) -> None:
    before, after = "".join(old), "".join(new)
    if protected_changed(before, after, ["Safety"]) == []:
        assert sections.body(before, "Safety").rstrip() == sections.body(after, "Safety").rstrip()
        assert before.count("## Safety\n") == after.count("## Safety\n")


@given(st.lists(LINES, max_size=20).map("".join))
def test_a_text_compared_with_itself_is_unchanged(text: str) -> None:
    assert protected_changed(text, text, ["Safety", "Role", ""]) == []


def test_a_long_hostile_text_is_read_in_linear_time() -> None:
    text = "## Safety\n" * 20_000 + "".join(f"<t{n}>\n" for n in range(20_000)) + "<" * 100_000
    start = time.process_time()
    assert protected_changed(text, text + "x", ["Safety"]) == ["Safety"]
    assert time.process_time() - start < 8
