"""The difference of two texts: exact, readable, bounded."""

import random
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proposals import diffs
from proposals.diffs import Gap, Row, words

BEFORE = """# Support agent
You help customers.

## Tone
- Be brief.
- Be kind.

## Refunds
Check the order date before you name a deadline.
Refunds are possible within 30 days of purchase.

## Escalation
- Hand over when asked.
- Say how long it takes.

## Safety
Never ask for card numbers or passwords.
"""
AFTER = BEFORE.replace(
    "within 30 days of purchase.",
    "within 14 days of purchase for digital goods and within 30 days for everything else.\n"
    "If the order holds both, answer for each item.",
)

PIECES = st.sampled_from(
    ["a", "b", "refund", " ", "  ", "\t", "\n", "\n\n", "\r\n", "\r", "# H\n", "## Safety\n", "- x\n", "1. y\n",
     "```\n", "é", "e\u0301", "👩\u200d💻", "\u2028", "\x0b", ".", ",", "don't", "30 days", "\U0010ffff", "\U000f0000"]
)  # fmt: skip
TEXTS = st.lists(PIECES, max_size=30).map("".join) | st.text(max_size=60)


@given(TEXTS, TEXTS)
@settings(max_examples=400, deadline=None)
def test_equal_and_cut_are_the_old_text_and_equal_and_added_the_new_one(before: str, after: str) -> None:
    made = diffs.compute(before, after, ["Safety"])
    assert made.before == before
    assert made.after == after
    for row in made.rows:
        assert {op for op, _ in row.segments} <= {"equal", row.kind}
    assert made.is_empty == (before == after)


@given(TEXTS, TEXTS)
@settings(max_examples=150, deadline=None)
def test_line_numbers_count_every_line_of_both_sides_once(before: str, after: str) -> None:
    rows = diffs.compute(before, after).rows
    old = [row.old for row in rows if row.old is not None]
    new = [row.new for row in rows if row.new is not None]
    assert old == list(range(1, len(old) + 1))
    assert new == list(range(1, len(new) + 1))
    assert all((row.old is None) == (row.kind == "add") and (row.new is None) == (row.kind == "cut") for row in rows)


@given(TEXTS, TEXTS)
@settings(max_examples=150, deadline=None)
def test_a_rewritten_line_is_a_cut_row_directly_followed_by_an_add_row(before: str, after: str) -> None:
    rows = diffs.compute(before, after).rows
    for index, row in enumerate(rows):
        if row.changed and row.kind == "cut":
            assert rows[index + 1].changed
            assert rows[index + 1].kind == "add"
        if row.changed and row.kind == "add":
            assert rows[index - 1].changed
            assert rows[index - 1].kind == "cut"


@given(TEXTS, TEXTS)
@settings(max_examples=100, deadline=None)
def test_a_stored_difference_reads_back_as_it_was(before: str, after: str) -> None:
    made = diffs.compute(before, after)
    assert diffs.Diff.from_json(made.to_json()) == made
    one_by_one = {**made.to_json(), "shape": 1, "rows": [row.to_json() for row in made.rows]}
    assert diffs.Diff.from_json(one_by_one) == made, "as it was stored before lines stood together"


def test_a_stored_difference_of_an_unknown_shape_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown shape"):
        diffs.Diff.from_json({"shape": 99, "rows": []})


def test_words_within_a_rewritten_line_are_marked_and_its_rest_is_not() -> None:
    rows = diffs.compute(BEFORE, AFTER).rows
    cut = next(row for row in rows if row.kind == "cut")
    add = next(row for row in rows if row.kind == "add")
    assert ("cut", "30") in cut.segments
    assert ("equal", "Refunds are possible within ") in add.segments
    assert ("add", "14") in add.segments
    assert ("add", " for digital goods and within 30 days for everything else") in add.segments


def test_a_rewritten_phrase_reads_as_one_change() -> None:
    made = diffs.compute(
        "Please send the customer a short note today.\n", "Please write to our client in a few lines today.\n"
    )
    cut = next(row for row in made.rows if row.kind == "cut")
    assert [op for op, _ in cut.segments].count("cut") <= 2


def test_added_and_removed_words_are_counted() -> None:
    made = diffs.compute(BEFORE, AFTER)
    assert (made.words_added, made.words_removed) == (20, 1)


def test_rows_know_their_section_and_whether_it_is_protected() -> None:
    rows = diffs.compute(BEFORE, AFTER, ["Safety"]).rows
    assert next(row for row in rows if row.kind == "cut").section == "Refunds"
    assert [row.text for row in rows if row.protected] == ["## Safety\n", "Never ask for card numbers or passwords.\n"]
    assert [row.section for row in rows if row.heading] == ["Support agent", "Tone", "Refunds", "Escalation", "Safety"]


def test_unchanged_stretches_become_gaps_that_name_the_headings_they_hide() -> None:
    shown = diffs.collapse(diffs.compute(BEFORE, AFTER, ["Safety"]).rows, context=1)
    gaps = [item for item in shown if isinstance(item, Gap)]
    assert gaps[0].headings == ("Support agent", "Tone")
    assert [gap.headings for gap in gaps[1:]] == [("Escalation",)]
    assert any(isinstance(item, Row) and item.heading and item.protected for item in shown)


@given(TEXTS, TEXTS, st.integers(0, 4))
@settings(max_examples=150, deadline=None)
def test_gaps_and_rows_together_are_all_rows_and_no_change_is_hidden(before: str, after: str, context: int) -> None:
    rows = diffs.compute(before, after, ["Safety"]).rows
    joined: list[Row] = []
    for item in diffs.collapse(rows, context):
        if isinstance(item, Gap):
            hidden = rows[item.start : item.end]
            assert len(hidden) == item.count >= 2
            assert all(row.kind == "equal" for row in hidden)
            joined.extend(hidden)
        else:
            joined.append(item)
    assert joined == list(rows)


@given(TEXTS, TEXTS)
@settings(max_examples=150, deadline=None)
def test_side_by_side_shows_each_line_once_on_its_side(before: str, after: str) -> None:
    pairs = diffs.side_by_side(diffs.compute(before, after).rows)
    assert "".join(pair.left.text for pair in pairs if pair.left) == before
    assert "".join(pair.right.text for pair in pairs if pair.right) == after


def test_a_lost_line_break_at_the_end_is_a_change() -> None:
    made = diffs.compute("a\nb\n", "a\nb")
    cut = next(row for row in made.rows if row.kind == "cut")
    assert cut.ending == "\n"
    assert [row.ending for row in made.rows if row.kind == "add"] == [""]
    assert cut.shown == (("equal", "b"),)


@pytest.mark.skipif(not shutil.which("patch"), reason="the patch program is not installed")
@given(
    before=st.lists(st.sampled_from(["a\n", "b c\n", "\n", "refund d\n"]), max_size=25).map("".join),
    after=st.lists(st.sampled_from(["a\n", "b c\n", "\n", "refund e\n", "x"]), max_size=25).map("".join),
)
@settings(max_examples=25, deadline=None)
def test_patch_makes_the_new_text_from_the_unified_difference(
    tmp_path_factory: pytest.TempPathFactory, before: str, after: str
) -> None:
    if not before or not after or before == after:
        return
    folder: Path = tmp_path_factory.mktemp("patch")
    (folder / "text").write_text(before, newline="")
    subprocess.run(
        ["patch", "-s", "text"], cwd=folder, input=diffs.unified(before, after).encode(), check=True, timeout=20
    )
    assert (folder / "text").read_bytes().decode() == after


def test_equal_texts_have_an_empty_unified_difference() -> None:
    assert diffs.unified(BEFORE, BEFORE) == ""


def test_a_unified_difference_is_cut_at_the_end_of_a_line() -> None:
    text = diffs.unified("", "word " * 10 + "\n" + "line of text\n" * 40_000)
    assert len(text) < 200_100
    assert text.endswith("\n… cut here, the difference is longer\n")


def _document(size: int, seed: int, changed: float = 0.0) -> str:
    rng = random.Random(seed)
    found = [f"word{rng.randrange(800)}" for _ in range(size)]
    other = random.Random(seed + 1)
    found = [f"word{other.randrange(800)}" if other.random() < changed else word for word in found]
    return "\n".join(" ".join(found[start : start + 12]) for start in range(0, size, 12))


def test_a_document_of_20_000_words_takes_well_under_a_second() -> None:
    before, after = _document(20_000, 1), _document(20_000, 1, 0.02)
    start = time.process_time()
    made = diffs.compute(before, after)
    assert time.process_time() - start < 1.0
    assert any(op == "equal" for row in made.rows if row.changed for op, _ in row.segments)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("ab " * 10_000, "ba " * 9_000 + "c"),
        ("x\n" + "a\nb\n" * 10_000, "y\n" + "a\nb\n" * 9_000 + "z\n" + "b\na\n" * 1_000),
        (" ".join(random.Random(1).choices("ab", k=20_000)), " ".join(random.Random(2).choices("abc", k=20_000))),
        ("a" * 1_000_000, "a" * 500_000 + "b" * 500_000),
        ("\n" * 100_000, "\r\n" * 100_000),
    ],
    ids=["two words", "two lines", "random pair", "one word", "line breaks"],
)
def test_texts_made_to_be_slow_end_in_bounded_time(before: str, after: str) -> None:
    start = time.process_time()
    made = diffs.compute(before, after)
    assert time.process_time() - start < 6.0
    assert (made.before, made.after) == (before, after)


def test_more_different_lines_than_private_characters_still_compare_exactly() -> None:
    before = "".join(f"{number}\n" for number in range(80_000))
    after = "".join(f"{number}\n" for number in range(5, 80_000, 1))
    made = diffs.compute(before, after)
    assert (made.before, made.after) == (before, after)
    assert sum(row.kind == "equal" for row in made.rows) == 79_995


def test_what_comparing_words_would_cost_too_much_is_shown_as_replaced() -> None:
    old, new = ["a", "b", "c", "d"], ["a", "c", "x", "d"]
    budget = words.Budget(5)
    assert words.compare(old, new, budget) == [("equal", 1), ("cut", 1), ("equal", 1), ("add", 1), ("equal", 1)]
    assert words.compare(old, new, budget) == [("equal", 1), ("cut", 2), ("add", 2), ("equal", 1)]


@given(st.text(max_size=200))
def test_tokens_joined_are_the_text(text: str) -> None:
    assert "".join(words.tokens(text)) == text


PARAGRAPH = "Refunds are paid within fourteen days.\nAsk for the order number before you talk about a refund.\n"


def test_a_paragraph_that_only_moved_is_shown_as_moved() -> None:
    found = diffs.compute(f"# A\n\n{PARAGRAPH}\nOne.\nTwo.\nThree.\n", f"# A\n\nOne.\nTwo.\nThree.\n\n{PARAGRAPH}")
    moved = [(row.kind, row.old, row.new, row.moved) for row in found.rows if row.moved]
    assert moved == [("cut", 3, None, 7), ("cut", 4, None, 8), ("add", None, 7, 3), ("add", None, 8, 4)]
    assert (found.words_added, found.words_removed) == (0, 0)


def test_a_line_too_short_to_be_known_again_is_no_move() -> None:
    found = diffs.compute("- Yes.\nOne of them.\nTwo of them.\n", "One of them.\nTwo of them.\n- Yes.\n")
    assert not any(row.moved for row in found.rows)


PARTS = [PARAGRAPH, "One.\n", "Two.\n", "\n", "- A rule about the delivery date.\n"]


@given(st.lists(st.sampled_from(PARTS), max_size=9))
def test_moves_come_in_pairs_of_equal_lines(parts: list[str]) -> None:
    rows = diffs.compute("".join(parts), "".join(reversed(parts))).rows
    cuts = {row.old: row for row in rows if row.kind == "cut" and row.moved}
    adds = {row.new: row for row in rows if row.kind == "add" and row.moved}
    assert {row.moved for row in cuts.values()} == set(adds)
    for row in adds.values():
        assert cuts[row.moved].text.strip() == row.text.strip()
        assert cuts[row.moved].moved == row.new
