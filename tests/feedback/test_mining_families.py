"""Shapes of one error find together, whatever words vary in them, and shapes of two do not."""

import random
from collections import defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feedback.mining.errors import common, families, template

USERS = ["ann", "bob", "carla", "dora", "emil"]


def _families(*messages: str) -> list[int]:
    return families([template(message) for message in messages])


def test_a_place_that_takes_many_words_is_one_for_values() -> None:
    messages = [f"Login of {user} was refused by the gateway" for user in USERS]
    assert _families(*messages) == [0] * 5
    assert _families(*messages[:4]) == [0, 1, 2, 3]


def test_a_place_that_takes_numbers_is_one_for_words_too() -> None:
    assert _families("Login of u17 refused by gateway", "Login of ann refused by gateway") == [0, 0]


def test_names_tell_themselves_apart_from_prose_sooner() -> None:
    tools = ["lookup_order", "sendMail", "search.web"]
    assert _families(*(f"Call of {tool} failed: no permission" for tool in tools)) == [0, 0, 0]
    words = ["read", "write", "delete"]
    assert _families(*(f"Call of {word} failed: no permission" for word in words)) == [0, 1, 2]


def test_a_noun_can_announce_a_name() -> None:
    assert _families(*(f"Session opened for user {user} by cron" for user in USERS[:3])) == [0, 0, 0]
    assert _families(*(f"Session opened, the user {verb} by cron" for verb in ["left", "came", "slept"])) == [0, 1, 2]


def test_what_tells_the_error_is_no_value() -> None:
    reasons = ["timeout", "reset", "denied", "refused", "full", "empty"]
    assert _families(*(f"Export of the orders failed, reason = {reason}" for reason in reasons)) == [*range(6)]


def test_status_codes_stay_apart_where_only_errors_are_reported() -> None:
    codes = [400, 401, 403, 404, 500, 503]
    assert _families(*(f"Export of the orders failed with status {code}" for code in codes)) == [*range(6)]
    assert _families(*(f"Export of the orders ended with status {code}" for code in (200, *codes))) == [0] * 7


def test_what_a_message_is_about_is_no_value_before_there_are_many() -> None:
    assert _families("read_file failed: disk full", "writeFile failed: disk full", "sync.all failed: disk full") == [
        0,
        1,
        2,
    ]


def test_where_little_text_stays_nothing_is_joined() -> None:
    assert _families(*(f"Failed to {verb}" for verb in ["load", "save", "parse", "start", "stop", "open"])) == [
        *range(6)
    ]


def test_two_places_that_vary_are_found_one_after_the_other() -> None:
    messages = [
        f"Login of {user} from {place} was refused"
        for user in USERS
        for place in ["home", "work", "train", "shop", "bus"]
    ]
    assert set(_families(*messages)) == {0}
    assert common(template(message) for message in messages) == "login of <*> from <*> was refused"


def test_errors_with_a_word_of_difference_stay_apart() -> None:
    assert _families(
        "Failed password for invalid user ann from 10.0.0.1 port 22",
        "Failed none for invalid user ann from 10.0.0.1 port 22",
        "Accepted password for invalid user ann from 10.0.0.1 port 22",
    ) == [0, 1, 2]


_WORDS = st.sampled_from(
    ["disk", "full", "user", "ann", "bob", "eve", "io_error", "a.b", "c_d", "eF", "of", "7", "(", ":", "dan", "zoe"]
)
_SHAPES = st.lists(st.lists(_WORDS, min_size=1, max_size=6).map(" ".join).map(template), max_size=40, unique=True)


def _sets(shapes: list[str]) -> set[frozenset[str]]:
    found: dict[int, set[str]] = defaultdict(set)
    for shape, first in zip(shapes, families(shapes), strict=True):
        found[first].add(shape)
    return {frozenset(family) for family in found.values()}


@settings(deadline=None)
@given(_SHAPES, st.randoms(use_true_random=False))
def test_the_order_in_which_shapes_came_does_not_matter(shapes: list[str], rng: random.Random) -> None:
    assert _sets(shapes) == _sets(rng.sample(shapes, len(shapes)))


@settings(deadline=None)
@given(_SHAPES, st.integers(0, 40))
def test_more_shapes_only_join_more(shapes: list[str], count: int) -> None:
    whole = _sets(shapes)
    assert all(any(family <= larger for larger in whole) for family in _sets(shapes[:count]))


@pytest.mark.parametrize("words", [1, 240])
def test_many_shapes_of_nothing_but_noise_are_cheap(words: int) -> None:
    rng = random.Random(3)
    shapes = [" ".join(rng.choices("abcdefgh", k=words)) for _ in range(2000 // words + 20)]
    assert len(families(shapes)) == len(shapes)
