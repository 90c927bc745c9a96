"""Grouping: identity over batches, bounds on hostile input, quality on real requests."""

import csv
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feedback.mining import (
    DEFAULT,
    MAX_SIGNATURE,
    Group,
    Grouper,
    Item,
    Kind,
    TextGrouper,
    common,
    label,
    replacement,
    terms,
    topics,
    verdict,
)
from feedback.mining.cleaning import MAX_WORD_CHARS, MAX_WORDS, clean, words
from feedback.mining.errors import classify, families, template
from feedback.mining.offline import Store, group
from feedback.mining.reasons import changes_of, fitted, shared
from feedback.mining.texts import CENTROID_BYTES, MAX_MOVES
from feedback.mining.typical import typical
from feedback.mining.vectors import MAX_PARTS, SCALE, of_correction, of_text
from tests.hostile import HOSTILE, MOST_MS, least_ms

SAMPLE = Path(__file__).parents[1] / "data" / "banking77_sample.csv"

_PHRASES = st.lists(
    st.sampled_from(["refund", "card", "late", "wrong", "missing", "address", "the", "is", "30", "14", "字"]),
    max_size=7,
).map(" ".join)
_ITEMS = st.builds(
    Item,
    key=st.integers(),
    kind=st.sampled_from(Kind),
    text=_PHRASES | st.text(max_size=30),
    output=_PHRASES,
    predicted=st.sampled_from("ABC"),
    expected=st.sampled_from("ABC"),
)


def _run(batches: Iterable[Sequence[Item]], grouper: Grouper = DEFAULT) -> tuple[list[int | None], dict[int, Group]]:
    """Groups batch by batch as a store would: (key of each item's group, groups by key)."""
    store = Store()
    found: list[int | None] = []
    for batch in batches:
        result = grouper.assign(batch, list(store.groups.values()))
        keys = store.keep(result)
        found += [keys.get(a.group, a.group) if a.group else None for a in result.assignments]
    return found, store.groups


def _texts(*texts: str) -> list[Item]:
    return [Item(i, Kind.COMPLAINT, text) for i, text in enumerate(texts)]


@settings(deadline=None)
@given(st.lists(_ITEMS, max_size=25), st.sets(st.integers(0, 25)))
def test_cutting_the_stream_into_batches_anywhere_changes_nothing(items: list[Item], cuts: set[int]) -> None:
    edges = [0, *sorted(cuts), len(items)]
    batches = [items[a:b] for a, b in pairwise(edges)]
    for grouper in (DEFAULT, TextGrouper(by_words=(2, 1))):
        assert _run(batches, grouper) == _run([items], grouper)


def test_a_group_that_did_not_grow_for_long_grows_no_more() -> None:
    items = _texts("refund late", "card lost", "wrong address", "password reset", "refund late")
    assert _run([items])[0] == [1, 2, 3, 4, 1]
    assert _run([items], TextGrouper(by_words=(3, 3)))[0] == [1, 2, 3, 4, 5]


def test_real_requests_get_the_same_groups_one_by_one_as_all_at_once() -> None:
    items = _texts(*(text for text, _ in _sample()[:150]))
    assert _run([item] for item in items) == _run([items])


@settings(deadline=None)
@given(st.lists(_ITEMS, max_size=25))
def test_every_item_is_counted_in_its_group(items: list[Item]) -> None:
    found, groups = _run([items])
    assert Counter(key for key in found if key) == {key: group.size for key, group in groups.items()}


@given(_ITEMS)
def test_a_group_is_small_enough_to_store(item: Item) -> None:
    for made in DEFAULT.assign([item], []).groups:
        assert len(made.signature) <= MAX_SIGNATURE
        assert len(made.centroid) in (0, CENTROID_BYTES)
        assert bool(made.signature) != bool(made.centroid)


def test_paraphrases_are_one_group_and_other_complaints_are_not() -> None:
    found, _ = _run(
        [
            _texts(
                "The refund window for digital goods is wrong",
                "It never speaks German to me",
                "wrong refund window given for digital goods",
            )
        ]
    )
    assert found == [1, 2, 1]


def test_kinds_never_share_a_group() -> None:
    items = [Item(1, Kind.COMPLAINT, "great refund answer"), Item(2, Kind.SUCCESS, "great refund answer")]
    assert _run([items])[0] == [1, 2]


def test_corrections_are_grouped_by_what_changed() -> None:
    def fix(key: int, output: str, text: str) -> Item:
        return Item(key, Kind.CORRECTION, text, output=output)

    found, _ = _run(
        [
            [
                fix(
                    1,
                    "You can return it within 30 days of delivery.",
                    "You can return it within 14 days of delivery.",
                ),
                fix(2, "Returns are accepted for 30 days, Anna.", "Returns are accepted for 14 days, Anna."),
                fix(
                    3,
                    "You can return it within 30 days of delivery.",
                    "You can return it within 30 days of purchase.",
                ),
            ]
        ]
    )
    assert found == [1, 1, 2]


def test_mislabels_are_grouped_by_both_labels_in_their_order() -> None:
    pairs = [
        ("billing", "refund"),
        ("Billing ", "refund"),
        ("refund", "billing"),
        ("refund", "refund"),
        ("x", ""),
    ]
    items = [Item(i, Kind.MISLABEL, "", predicted=a, expected=b) for i, (a, b) in enumerate(pairs)]
    assert _run([items])[0] == [1, 1, 2, None, None]
    assert DEFAULT.signature(items[0]) == "billing→refund"


def test_only_the_signatures_of_the_batch_need_to_be_loaded() -> None:
    errors = [Item(i, Kind.ERROR, text) for i, text in enumerate(["disk full", "no route", "disk full"])]
    first = DEFAULT.assign(errors[:2], [])
    stored = [Group(7, Kind.ERROR, first.groups[0].signature, b"", 1)]
    assert DEFAULT.signature(errors[2]) == stored[0].signature
    result = DEFAULT.assign(errors[2:], stored)
    assert [a.group for a in result.assignments] == [7]
    assert result.groups == (Group(7, Kind.ERROR, "disk full", b"", 2),)


@pytest.mark.parametrize("text", ["", "   ", "\u200b\u200b", "it is not", "!!!", "\ud800"])
def test_a_text_that_says_nothing_is_in_no_group(text: str) -> None:
    assert _run([_texts(text)]) == ([None], {})


def test_long_signatures_stay_different() -> None:
    long = "very " * 150
    a, b = (DEFAULT.signature(Item(1, Kind.ERROR, long + end)) for end in ("north", "south"))
    assert a != b
    assert len(a) == len(b) == MAX_SIGNATURE


def test_a_centroid_stops_moving_but_its_group_goes_on_counting() -> None:
    items = _texts(*["refund is late"] * (MAX_MOVES + 5))
    groups = [_run([items[:n]])[1][1] for n in (MAX_MOVES, MAX_MOVES + 5)]
    assert groups[0].centroid == groups[1].centroid
    assert groups[1].size == MAX_MOVES + 5


@pytest.mark.parametrize(
    "bad",
    [
        Group(-1, Kind.ERROR, "x", b"", 1),
        Group(0, Kind.ERROR, "x", b"", 1),
        Group(1, Kind.COMPLAINT, "", b"xx", 1),
    ],
)
def test_groups_that_no_store_can_have_are_refused(bad: Group) -> None:
    with pytest.raises(ValueError, match=r"key of a known group|A centroid has"):
        DEFAULT.assign(_texts("refund"), [bad])


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_text_is_cut_before_it_costs_anything(text: str) -> None:
    assert len(clean(text)) <= 2000
    found = words(clean(text))
    assert len(found) <= MAX_WORDS
    assert all(len(word) <= MAX_WORD_CHARS for word in found)
    for vector in (of_text(text), of_correction(text, text[::-1])):
        assert vector is None or (len(vector.places) <= MAX_PARTS and abs(vector.parts).max() <= SCALE)
    for kind in Kind:
        assert len(DEFAULT.assign([Item(1, kind, text, text, text, text)], []).assignments) == 1


def _why(text: str) -> object:
    return shared(text, {"refund": 2}), fitted(text, "error <*> in <*>"), changes_of(text, text[::-1])


_PATHS: dict[str, Callable[[str], object]] = {
    "shape": lambda text: template(text),
    "class": lambda text: classify(text, ""),
    "families": lambda text: families([template(text), template(f"{text} more"), template(f"another {text}")]),
    "grouping": lambda text: [DEFAULT.assign([Item(1, kind, text, text[::-1], text, text)], []) for kind in Kind],
    "terms": lambda text: terms({"a": [text], "b": [text], "c": [text]}),
    "topics": lambda text: topics({"a": [text]}, 1),
    "label": lambda text: label(Kind.ERROR, [], template=common([template(text)])),
    "replacement": lambda text: replacement({"a": [(text, text[::-1])]}, 1),
    "verdict": lambda text: verdict({"a": [text]}),
    "typical": lambda text: typical([text, text[::-1], "refund"]),
    "why": lambda text: _why(text.encode(errors="ignore").decode()),
}
"""All that the miner does with what one report says, in the cost of at most three reports each."""


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
@pytest.mark.parametrize("path", _PATHS.values(), ids=_PATHS.keys())
def test_hostile_text_costs_little_on_every_path(path: Callable[[str], object], text: str) -> None:
    path("warm up")
    assert least_ms(lambda: path(text)) < 3 * MOST_MS


def test_a_file_is_grouped_with_numbers_in_order_of_appearance() -> None:
    lines = [
        ("a", "error", "disk 1 full"),
        ("b", "text", "refund late"),
        ("c", "error", "disk 2 full"),
        ("d", "text", ""),
    ]
    assert list(group(lines)) == [("a", 1), ("b", 2), ("c", 1), ("d", None)]


def _sample() -> list[tuple[str, str]]:
    with SAMPLE.open(newline="", encoding="utf-8") as file:
        return [(row["text"], row["label"]) for row in csv.DictReader(file)]


def _pairs(counts: Iterable[int]) -> int:
    return sum(n * (n - 1) // 2 for n in counts)


def _precision_and_recall(true: Sequence[object], found: Sequence[object]) -> tuple[float, float]:
    """Of pairs of items: the share of those put together that belong together, and the other way round."""
    both = _pairs(Counter(zip(true, found, strict=True)).values())
    return both / _pairs(Counter(found).values()), both / _pairs(Counter(true).values())


def test_real_requests_are_grouped_by_intent_about_as_well_as_words_alone_allow() -> None:
    texts, intents = zip(*_sample(), strict=True)
    found, _ = _run([_texts(*texts)])
    precision, recall = _precision_and_recall(intents, found)
    # Measured: 0.53 and 0.52.
    assert precision >= 0.45
    assert recall >= 0.45
