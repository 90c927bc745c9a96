"""Texts grouped by meaning: what the model reads, the odds, and groups that do not depend on how the stream was cut."""

import csv
import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.neutral import middle
from feedback.mining import DEFAULT, Grouper, Item, Kind, TextGrouper, meaning, odds
from feedback.mining.clusters import Clusters
from feedback.mining.lives import BOUND, Lives, closeness
from feedback.mining.meaning import changed, model, neutral, point_of
from feedback.mining.offline import Store, group
from feedback.mining.wordpiece import MAX_PIECES, pieces
from tests.hostile import HOSTILE, MOST_MS, least_ms

SAMPLE = Path(__file__).parents[1] / "data" / "banking77_sample.csv"

_CENTRES = np.random.default_rng(1).normal(size=(6, meaning.DIMENSIONS))


def _point(centre: int, salt: int) -> bytes:
    """A made-up point near one of six centres."""
    place = _CENTRES[centre] + 0.9 * np.random.default_rng(salt).normal(size=meaning.DIMENSIONS)
    return np.rint(place * 400 / np.linalg.norm(place)).clip(-127, 127).astype(np.int8).tobytes()


_ITEMS = st.builds(
    lambda kind, centre, salt, at: Item(
        0, kind, "something", point=_point(centre, salt) * (1 + (kind is Kind.CORRECTION)), at=at
    ),
    st.sampled_from([Kind.COMPLAINT, Kind.SUCCESS, Kind.CORRECTION]),
    st.integers(0, 5),
    st.integers(0, 50),
    st.one_of(st.just(0), st.integers(1_000_000, 1_003_000)),
)


def _together(batches: Iterable[Sequence[Item]], grouper: Grouper = DEFAULT) -> list[int]:
    """For each item the first item of its group."""
    store, found = Store(), []
    for batch in batches:
        numbered = [replace(item, key=at) for at, item in enumerate(batch)]
        result = grouper.assign(numbered, list(store.groups.values()), store.middles)
        keys = store.keep(result)
        found += [keys.get(a.group, a.group) for a in result.assignments if a.group]
    last = [store.last(key) for key in found]
    assert {key: last.count(key) for key in last} == {key: group.size for key, group in store.groups.items()}
    return [last.index(key) for key in last]


@settings(deadline=None, max_examples=40)
@given(st.lists(_ITEMS, max_size=60), st.sets(st.integers(0, 60)))
def test_cutting_the_stream_anywhere_changes_no_group(items: list[Item], cuts: set[int]) -> None:
    edges = [0, *sorted(cut for cut in cuts if cut < len(items)), len(items)]
    for grouper in (DEFAULT, TextGrouper(by_meaning=(2, 1)), TextGrouper(by_meaning=(4, 2))):
        assert _together((items[a:b] for a, b in pairwise(edges)), grouper) == _together([items], grouper)


def test_real_requests_get_the_same_groups_one_by_one_as_all_at_once() -> None:
    items = [_item(text) for text, _ in _sample()[:120]]
    found = _together([item] for item in items)
    assert found == _together([items])
    assert len(set(found)) < len(items)


def test_the_third_of_a_kind_brings_the_first_two_together() -> None:
    clusters = Clusters(neutral())
    said = ["How do I get a refund?", "The weather is fine today.", "I want to be paid back."]
    points = [np.frombuffer(_item(text).point, dtype=np.int8) for text in said]
    first, _, second = clusters.take(np.array(points))
    assert first != second
    third = np.frombuffer(_item("Can I have my money back?").point, dtype=np.int8)
    (joined,) = clusters.take(third[None])
    assert clusters.last(first) == clusters.last(second) == joined


def test_what_is_said_within_days_of_a_month_is_rather_one_thing() -> None:
    day = 86_400
    pair = [np.array([one]) for one in (2, 100 * day, 101 * day)]
    month = 28 * day
    near = closeness(Lives(*pair), Lives.at(101 * day), month)
    far = closeness(Lives(*pair), Lives.at(115 * day), month)
    assert 1 < near[0] <= BOUND
    assert -BOUND <= far[0] < -0.5
    assert closeness(Lives.at(101 * day), Lives.at(101 * day), 0) == 0  # all came at once: that says nothing
    assert closeness(Lives.at(0), Lives.at(101 * day), month) == 0


def test_times_alone_put_nothing_together_and_take_nothing_apart() -> None:
    day = 86_400
    said = [
        "The weather is fine today.",
        "How do I get a refund?",
        "Is there a train to Bonn?",
        "How do I get a refund?",
    ]
    points = np.array([np.frombuffer(_item(text).point, dtype=np.int8) for text in said])
    weather, one, train, other = Clusters(neutral()).take(points, [day, 100 * day, 100 * day, 350 * day])
    assert one == other
    assert len({weather, one, train}) == 3


def test_one_off_texts_stay_apart_however_many_there_are() -> None:
    rng = np.random.default_rng(3)
    far = rng.normal(size=(400, meaning.DIMENSIONS))
    points = np.rint(far * 400 / np.linalg.norm(far, axis=1, keepdims=True)).clip(-127, 127).astype(np.int8)
    assert len(set(Clusters(neutral()).take(points))) == 400


def test_it_is_stricter_where_most_things_are_said_once() -> None:
    assert odds.strictness(390, 400) == pytest.approx(odds.MOST_STRICT, abs=0.01)
    assert odds.strictness(40, 4000) == pytest.approx(odds.LEAST_STRICT, abs=0.01)
    assert odds.strictness(150, 400) < odds.strictness(200, 400) < odds.strictness(300, 400)


def test_it_is_less_strict_where_little_was_said_at_all() -> None:
    assert odds.strictness(60, 60) == pytest.approx(math.log(120), abs=0.01)
    assert odds.strictness(10, 10) == odds.strictness(0, 0) == pytest.approx(odds.LEAST_STRICT, abs=0.01)


def test_words_are_cut_into_the_pieces_the_model_was_trained_on() -> None:
    # As the reference tokenizer of the model cuts them.
    expected = [101, 1996, 15743, 7668, 1005, 1055, 25416, 8630, 1011, 3332, 1006, 2403, 2420, 1007, 2003, 28616]
    expected += [1011, 3090, 1024, 1879, 1755, 999, 102]
    assert pieces("The naïve café's refund-window (14 days) is mis-stated: 東京!") == expected
    assert pieces("") == [101, 102]


def test_the_neutral_middle_is_that_of_the_neutral_texts() -> None:
    near = np.frombuffer(middle(model()), dtype=np.int8).astype(int) - np.array(neutral())
    assert abs(near).max() <= 1  # machines may round the last bit differently


def test_an_edit_is_what_was_changed_and_a_new_text_is_all_of_it() -> None:
    assert changed("Returns within 30 days of delivery.", "Returns within 14 days of delivery.") == ("30", "14")
    assert changed("Ask our bank.", "I cannot help with that.") == ("ask our bank", "i cannot help with that")
    assert changed("The same", "the same!") == ("", "")


@pytest.mark.parametrize(
    "text",
    HOSTILE.values(),
    ids=HOSTILE.keys(),
)
def test_hostile_text_is_cut_before_the_model_reads_it(text: str) -> None:
    assert len(pieces(text)) <= MAX_PIECES
    model().point("warm")
    assert least_ms(lambda: point_of(Item(1, Kind.COMPLAINT, text), model())) < MOST_MS


def test_real_requests_are_grouped_by_intent_better_than_words_allow() -> None:
    rows = _sample()[:250]
    found = [number for _, number in group((("", "text", text) for text, _ in rows), model=model())]
    pairs = [(a, b) for a in range(len(rows)) for b in range(a)]
    together = {pair for pair in pairs if found[pair[0]] == found[pair[1]]}
    same = {pair for pair in pairs if rows[pair[0]][1] == rows[pair[1]][1]}
    assert 2 * len(together & same) / (len(together) + len(same)) >= MEASURED - 0.05


MEASURED = 0.70


def _item(text: str) -> Item:
    item = Item(1, Kind.COMPLAINT, text)
    return Item(1, Kind.COMPLAINT, text, point=point_of(item, model()))


def _sample() -> list[tuple[str, str]]:
    with SAMPLE.open(newline="", encoding="utf-8") as file:
        return [(row["text"], row["label"]) for row in csv.DictReader(file)]
