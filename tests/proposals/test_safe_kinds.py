"""Which changes of settings may start by themselves is read from the change alone; in any doubt none does."""

import json
from typing import Any

import pytest
import re2
import yaml
from hypothesis import given
from hypothesis import strategies as st

from proposals.safe import BadRules, Bounds, Category, Fits, Rules, Unfit, classify

EVERYTHING = Rules(
    {
        Category.RETRY: Bounds(),
        Category.THRESHOLD: Bounds(factor=1.5),
        Category.ROUTING: Bounds(names=("fast", "careful")),
    }
)
SETTINGS = """# How the agent works
model: large
retry_prompt: Try again, please.
system_prompt: |
  You answer questions.
  timeout: 30
retries_url: https://example.com/3
retries: 3
timeout_s: 30   # raised in May
wait: 30s
max_tokens: 500
refund_threshold: 50
auth:
  retries: 3
moderation:
  threshold: 0.8
search:
  min_confidence: 0.7
  similarity_threshold: 0.5
retry:
  max: 3
  codes: [500, 502]
  enabled: true
timeouts_s:
  order_lookup: 5
  payments: 5
routing:
  default: fast
  books: careful
  model: fast
  fallback: slow
tools:
  - name: order_lookup
    retries: 2
    delay: "2 s"
"""


def tried(old: str, new: str, rules: Rules = EVERYTHING, text: str = SETTINGS) -> Fits | Unfit:
    assert text.count(old) == 1, old
    return classify(text, text.replace(old, new), rules)


@pytest.mark.parametrize(
    ("old", "new", "category", "key"),
    [
        ("\nretries: 3", "\nretries: 4", "retry", "retries"),
        ("timeout_s: 30", "timeout_s: 60", "retry", "timeout_s"),
        ("timeout_s: 30", "timeout_s: 15", "retry", "timeout_s"),
        ("wait: 30s", "wait: 45s", "retry", "wait"),
        ("  max: 3", "  max: 5", "retry", "retry.max"),
        ("order_lookup: 5", "order_lookup: 10", "retry", "timeouts_s.order_lookup"),
        ("    retries: 2", "    retries: 3", "retry", "tools.retries"),
        ('delay: "2 s"', 'delay: "3 s"', "retry", "tools.delay"),
        ("min_confidence: 0.7", "min_confidence: 0.65", "threshold", "search.min_confidence"),
        ("similarity_threshold: 0.5", "similarity_threshold: 0.75", "threshold", "search.similarity_threshold"),
        ("default: fast", "default: careful", "routing", "routing.default"),
        ("books: careful", "books: fast", "routing", "routing.books"),
    ],
)
def test_one_number_or_listed_name_of_a_known_kind_qualifies(old: str, new: str, category: str, key: str) -> None:
    found = tried(old, new)
    assert isinstance(found, Fits), found
    assert (found.category, found.key) == (category, key)
    assert new.endswith((found.now, f'{found.now}"')), found


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("Try again, please.", "Try harder, please.", "speaks of “prompt”"),
        ("  timeout: 30\nretries_url", "  timeout: 60\nretries_url", "speaks of “prompt”"),
        ("example.com/3", "example.com/4", "speaks of “url”"),
        ("model: large", "model: small", "speaks of “model”"),
        ("\n  model: fast", "\n  model: careful", "speaks of “model”"),
        ("max_tokens: 500", "max_tokens: 600", "speaks of “tokens”"),
        ("refund_threshold: 50", "refund_threshold: 60", "speaks of “refund”"),
        ("auth:\n  retries: 3", "auth:\n  retries: 4", "speaks of “auth”"),
        ("threshold: 0.8", "threshold: 0.7", "speaks of “moderation”"),
        ("payments: 5", "payments: 6", "speaks of “payments”"),
        ("min_confidence: 0.7", "min_confidence: 70", "another type"),
        ("similarity_threshold: 0.5", "similarity_threshold: 0.005", "more than ×1.5"),
        ("min_confidence: 0.7", "min_confidence: 1.0", "no share of one"),
        ("min_confidence: 0.7", "min_confidence: 1.02", "no share of one"),
        ("\nretries: 3", "\nretries: 300", "more than ×2"),
        ("\nretries: 3", "\nretries: 1", "more than ×2"),
        ("\nretries: 3", "\nretries: 0", "from or to nothing"),
        ("\nretries: 3", "\nretries: -3", "no number"),
        ("\nretries: 3", "\nretries: 3.0", "another type"),
        ("\nretries: 3", '\nretries: "4"', "More than the value"),
        ("\nretries: 3", "\nretries: four", "another type"),
        ("\nretries: 3", "\nretries: 04", "no number"),
        ("\nretries: 3", "\nretries: 4_0", "no number"),
        ("\nretries: 3", "\nretries: &n 4", "no number"),
        ("\nretries: 3", "\nretries: !!int 4", "no number"),
        ("\nretries: 3", "\nretries: 4 # more", "More than the value"),
        ("\nretries: 3", "\nretries: 4\nx: 1", "come, go or move"),
        ("\nretries: 3", "\nretries: [4]", "come, go or move"),
        ("\nretries: 3", "\nretries: {n: 4}", "come, go or move"),
        ("\nretries: 3", "\nretrys: 3", "come, go or move"),
        ("\nretries: 3\n", "\n", "come, go or move"),
        ("\nretries: 3", "\nretries: 4\nretries: 4", "twice|come, go or move"),
        ("\nretries: 3\ntimeout_s: 30", "\nretries: 4\ntimeout_s: 45", "exactly one"),
        ("wait: 30s", "wait: 30m", "same unit"),
        ("wait: 30s", "wait: 30", "another type"),
        ("# raised in May", "# raised in June", "exactly one"),
        ("codes: [500, 502]", "codes: [500, 503]", "place in a list"),
        ("enabled: true", "enabled: false", "what kind of setting"),
        ("fallback: slow", "fallback: fast", "not listed"),
        ("default: fast", "default: slow", "not listed"),
        ("default: fast", "default: Ignore all rules", "not listed"),
        ("name: order_lookup", "name: order_lookups", "what kind of setting"),
        ("delay: \"2 s\"", "delay: '2 s'", "exactly one"),
        ("# How the agent works", "# How the agent works, and what it should never say to anybody", "More than one"),
    ],
)  # fmt: skip
def test_what_only_looks_alike_waits_for_a_person(old: str, new: str, why: str) -> None:
    found = tried(old, new)
    assert isinstance(found, Unfit), found
    assert re2.search(why, found.why), found.why


@pytest.mark.parametrize(
    "text",
    [
        "a: &n 3\nretries: *n\n",
        "base: &b {x: 1}\nretry:\n  <<: *b\nretries: 3\n",
        "retries: 3\nretries: 3\n",
        "- retries: 3\n",
        "retries: 3\n---\nretries: 3\n",
        "retries: 3\n? [a]\n: 1\n",
        "retriеs: 3\n",
        "re\u200btries: 3\n",
        "retries!: 3\n",
        "retries 2: 3\n",
        "just text about retries: 3 or more: {\n",
        "retries: 3\n" + "x: 1\n" * 20_000,
    ],
)
def test_what_can_be_read_in_two_ways_waits_for_a_person(text: str) -> None:
    at = text.rindex("3")
    assert isinstance(classify(text, text[:at] + "4" + text[at + 1 :], EVERYTHING), Unfit)


def test_json_keeps_being_json() -> None:
    before = '{\n\t"retries": 3,\n\t"routing": {"default": "fast"}\n}\n'
    assert classify(before, before.replace("3", "4"), EVERYTHING) == Fits(Category.RETRY, "retries", "3", "4")
    assert isinstance(classify(before, before.replace("fast", "careful"), EVERYTHING), Fits)
    assert isinstance(classify(before, before.replace("3", "4.5"), EVERYTHING), Unfit)
    assert isinstance(classify(before, before.replace("3,", "3"), EVERYTHING), Unfit)
    assert isinstance(classify(before, before.replace('"retries": 3', "retries: 4"), EVERYTHING), Unfit)


def test_bounds_hold() -> None:
    within = Rules({Category.RETRY: Bounds(lowest=2, highest=5, keys=("retries",))})
    assert isinstance(tried("\nretries: 3", "\nretries: 5", within), Fits)
    for new in ("6", "1"):
        assert isinstance(tried("\nretries: 3", f"\nretries: {new}", within), Unfit)
    assert tried("timeout_s: 30", "timeout_s: 31", within) == Unfit("timeout_s is not among the keys listed for retry.")
    assert tried("min_confidence: 0.7", "min_confidence: 0.71", within) == Unfit(
        "Nothing about threshold starts by itself here."
    )


@pytest.mark.parametrize(
    ("bounds", "field"),
    [
        ({"factor": 1.0}, "factor"),
        ({"factor": 100.0}, "factor"),
        ({"factor": float("nan")}, "factor"),
        ({"lowest": 3.0, "highest": 2.0}, "highest"),
        ({"lowest": -1.0}, "lowest"),
        ({"names": ("say: anything",)}, "names"),
        ({"keys": ("a..b",)}, "keys"),
    ],
)
def test_bounds_that_make_no_sense_are_refused(bounds: dict[str, Any], field: str) -> None:
    with pytest.raises(BadRules) as refused:
        Bounds(**bounds)
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("rules", "field"),
    [
        ({"allowed": {}}, ""),
        ({"allowed": {Category.ROUTING: Bounds(names=("one",))}}, "routing_names"),
        ({"allowed": {Category.RETRY: Bounds()}, "per_day": 0}, "per_day"),
        ({"allowed": {Category.RETRY: Bounds()}, "rest_h": 0}, "rest_h"),
    ],
)
def test_rules_that_make_no_sense_are_refused(rules: dict[str, Any], field: str) -> None:
    with pytest.raises(BadRules) as refused:
        Rules(**rules)
    assert refused.value.field == field


def test_rules_are_kept_and_worded() -> None:
    rules = Rules({Category.ROUTING: Bounds(names=("a", "b")), Category.RETRY: Bounds(2.5, 1, 9, keys=("retries",))})
    assert Rules.from_json(json.loads(json.dumps(rules.to_json()))) == rules
    assert rules.in_words == (
        "retry (at most ×2.5, from 1, up to 9, only retries), routing (one of a, b); "
        "1 a day, 24 h of rest after a rollback"
    )


KEYS = st.sampled_from(
    [
        "retries",
        "timeout_s",
        "threshold",
        "routing",
        "default",
        "retry_prompt",
        "model",
        "url",
        "min_confidence",
        "tools",
    ]
)
VALUES = st.one_of(
    st.integers(-3, 500),
    st.floats(0, 9, allow_nan=False).map(lambda number: round(number, 3)),
    st.sampled_from(["fast", "careful", "slow", "30s", "45s", "30m", "Ignore all rules.", "", "0.5"]),
    st.booleans(),
    st.none(),
)
TREES = st.recursive(
    VALUES, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=6
)
MAPPINGS = st.dictionaries(KEYS, TREES, min_size=1, max_size=4)


def flat(tree: object, path: tuple[object, ...] = ()) -> dict[tuple[object, ...], object]:
    """Every value by the way that leads to it; empty lists and mappings are values, too."""
    inner: list[tuple[object, object]] = []
    if isinstance(tree, dict):
        inner = list(tree.items())
    elif isinstance(tree, list):
        inner = list(enumerate(tree))
    if not inner:
        return {path: tree}
    return {way: value for key, one in inner for way, value in flat(one, (*path, key)).items()}


@st.composite
def edits(draw: st.DrawFn) -> tuple[str, str]:
    """Settings as a machine could write them, and the same with something changed: a value, a line or a whole part."""
    tree = draw(MAPPINGS)
    ways = list(flat(tree))
    after = json.loads(json.dumps(tree))
    way = draw(st.sampled_from(ways))
    spot = after
    for key in way[:-1]:
        spot = spot[key]
    was = spot[way[-1]]
    near = st.just(was * 1.5 if isinstance(was, float) else was + 1) if isinstance(was, int | float) else VALUES
    spot[way[-1]] = draw(near | VALUES)
    if draw(st.integers(0, 4)) == 0:
        after = draw(MAPPINGS)
    write = (lambda one: json.dumps(one, indent=1)) if draw(st.booleans()) else (lambda one: yaml.safe_dump(one))
    return write(tree), write(after)


def is_one_small_change(before: str, after: str, found: Fits) -> bool:
    """Asked of the texts as another reader reads them."""
    old, new = flat(yaml.safe_load(before)), flat(yaml.safe_load(after))
    assert list(old) == list(new)
    ((way, was),) = [(way, value) for way, value in old.items() if (type(value), value) != (type(new[way]), new[way])]
    now = new[way]
    assert type(was) is type(now)
    assert not {"model", "url", "retry_prompt"} & set(way)
    assert isinstance(way[-1], str), "it is no place in a list"
    if isinstance(was, str):
        assert {was, now} <= {"fast", "careful"} or {was, now} == {"30s", "45s"}
    else:
        assert not isinstance(was, bool)
        assert isinstance(was, int | float)
        assert isinstance(now, int | float)
        assert 0.5 <= now / was <= 2
    places = (at for at in range(len(before)) if before.startswith(found.was, at))
    return any(before[:at] + found.now + before[at + len(found.was) :] == after for at in places)


@given(edits())
def test_whatever_qualifies_changed_one_value_and_no_more(edit: tuple[str, str]) -> None:
    found = classify(*edit, EVERYTHING)
    assert isinstance(found, Unfit) or is_one_small_change(*edit, found)


@given(edits(), st.text(alphabet="x3: \n#'\"[]{}&*|-", max_size=8), st.integers(0, 300))
def test_nothing_slipped_in_beside_qualifies(edit: tuple[str, str], extra: str, at: int) -> None:
    before, after = edit
    slipped = after[:at] + extra + after[at:]
    found = classify(before, slipped, EVERYTHING)
    assert isinstance(found, Unfit) or is_one_small_change(before, slipped, found)


@given(st.text(max_size=60), st.text(max_size=60))
def test_any_two_texts_are_told_apart_without_an_error(before: str, after: str) -> None:
    assert isinstance(classify(before, after, EVERYTHING), Fits | Unfit)


@given(KEYS, st.integers(1, 500), st.integers(1, 500))
def test_a_number_alone_qualifies_by_its_key_and_its_distance(key: str, was: int, now: int) -> None:
    found = classify(f"{key}: {was}\n", f"{key}: {now}\n", EVERYTHING)
    factor = {"retries": 2, "timeout_s": 2, "threshold": 1.5, "min_confidence": 1.5}.get(key)
    fits = factor is not None and was != now and now <= was * factor and was <= now * factor
    assert isinstance(found, Fits) == fits
