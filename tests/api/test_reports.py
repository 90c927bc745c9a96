"""POST /feedback and /runs: stored once, refused by field, never a 500."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agents.models import Agent
from feedback.ingest.reading import Reader
from feedback.ingest.rows import hashed, source
from feedback.ingest.shapes import FeedbackIn, RunIn
from feedback.models import Feedback, Run
from people.models import User
from tests.api.conftest import Caller, MakeCaller

GOOD = {"id": "f-1", "rating": "negative", "reason": "Wrong: thirty days", "user": "anna@example.org"}
RUN = {"id": "r-1", "success": False, "error": "timeout", "latency_ms": 0, "quality": 4.5, "unit": "session-9"}


def errors_of(response: Any) -> dict[str, str]:
    """Field path to message."""
    return {".".join(str(part) for part in error["loc"]): error["msg"] for error in response.json()["errors"]}


def test_feedback_is_stored_with_all_it_says(caller: Caller, support: Agent) -> None:
    sent = {
        **GOOD,
        "run_id": "r-7",
        "version": 3,
        "reason_code": "wrong",
        "correction": "Fourteen days",
        "signals": {"regenerated": True},
        "expected": "refund",
        "predicted": "exchange",
        "input": "How long?",
        "output": "Thirty days",
        "edited_output": "Fourteen",
        "at": "2026-05-03T10:42:00+02:00",
        "metadata": {"channel": {"name": "web"}},
    }
    response = caller.post("/feedback", sent)
    assert (response.status_code, response.json()) == (201, {"id": "f-1"})
    row = Feedback.objects.get()
    kept = {name: getattr(row, name) for name in sent if name not in ("id", "user", "at")}
    assert kept == {name: value for name, value in sent.items() if name in kept}
    assert row.at.isoformat() == "2026-05-03T08:42:00+00:00"
    assert (row.agent, row.mined_at, row.withdrawn_at) == (support, None, None)


def test_a_run_is_stored_with_its_zeroes(caller: Caller) -> None:
    assert caller.post("/runs", RUN).status_code == 201
    run = Run.objects.get()
    assert (run.success, run.error, run.latency_ms, run.quality, run.cost_usd) == (False, "timeout", 0, 4.5, None)


def test_the_same_again_is_200_and_something_else_409(caller: Caller) -> None:
    statuses = [caller.post("/feedback", body).status_code for body in (GOOD, GOOD, {**GOOD, "reason": "Other"})]
    assert statuses == [201, 200, 409]
    assert Feedback.objects.get().reason == GOOD["reason"]


def test_the_order_of_keys_makes_no_other_body(caller: Caller) -> None:
    body = {**GOOD, "metadata": {"a": 1, "b": 2}}
    turned = dict(reversed(list({**GOOD, "metadata": {"b": 2, "a": 1}}.items())))
    assert [caller.post("/feedback", sent).status_code for sent in (body, turned)] == [201, 200]


def test_two_agents_may_use_the_same_id(caller: Caller, coder: Agent, make_caller: MakeCaller) -> None:
    assert caller.post("/feedback", GOOD).status_code == 201
    assert make_caller(coder).post("/feedback", {**GOOD, "reason": "Other"}).status_code == 201


def test_without_an_id_each_report_gets_one(caller: Caller) -> None:
    ids = {caller.post("/feedback", {"rating": "positive"}).json()["id"] for _ in range(3)}
    assert set(Feedback.objects.values_list("external_id", flat=True)) == ids
    assert len(ids) == 3


def test_a_list_keeps_the_good_ones(caller: Caller) -> None:
    sent = [GOOD, {"rating": "so-so"}, GOOD, {**GOOD, "reason": "Other"}, 5, {"id": "f-2", "rating": "positive"}, {}]
    response = caller.post("/feedback", sent)
    answer = response.json()
    assert response.status_code == 207
    assert (answer["accepted"], answer["duplicates"]) == (2, 1)
    assert [item["index"] for item in answer["rejected"]] == [1, 3, 4, 6]
    assert answer["rejected"][0]["errors"] == [{"loc": ["rating"], "msg": "Use one of positive, negative."}]
    assert set(Feedback.objects.values_list("external_id", flat=True)) == {"f-1", "f-2"}


def test_a_list_sent_again_is_all_duplicates(caller: Caller) -> None:
    sent = [{"id": f"r{number}", "success": True} for number in range(50)]
    assert caller.post("/runs", sent).json()["accepted"] == 50
    assert caller.post("/runs", sent).json() == {"accepted": 0, "duplicates": 50, "rejected": []}


def test_an_empty_list_is_no_error(caller: Caller) -> None:
    assert caller.post("/runs", []).json() == {"accepted": 0, "duplicates": 0, "rejected": []}


def test_a_list_of_more_than_a_thousand_is_refused_whole(caller: Caller) -> None:
    response = caller.post("/feedback", [{"rating": "positive"}] * 1001)
    assert (response.status_code, response.json()["type"]) == (413, "/problems/list-too-long")
    assert not Feedback.objects.exists()


@pytest.mark.parametrize(
    ("body", "field", "words"),
    [
        ({**GOOD, "raiting": 1}, "raiting", "Unknown field"),
        ({"id": "x"}, "", "at least one of"),
        ({"reason": ""}, "", "at least one of"),
        ({**GOOD, "id": ""}, "id", "length"),
        ({**GOOD, "id": "x" * 65}, "id", "64"),
        ({**GOOD, "id": "a\nb"}, "id", "printable"),
        ({**GOOD, "rating": "bad"}, "rating", "positive, negative"),
        ({**GOOD, "reason_code": "meh"}, "reason_code", "wrong_tool"),
        ({**GOOD, "reason": "x" * 16_001}, "reason", "16000"),
        ({**GOOD, "output": "x" * 64_001}, "output", "64000"),
        ({**GOOD, "version": 0}, "version", ">= 1"),
        ({**GOOD, "version": 2**31}, "version", "2147483647"),
        ({**GOOD, "version": "3"}, "version", "Expected int"),
        ({**GOOD, "signals": {"a": "yes"}}, "signals", "Expected bool"),
        ({**GOOD, "at": "2026-05-03T10:42:00"}, "at", "zone"),
        ({**GOOD, "at": "yesterday"}, "at", "zone"),
        ({**GOOD, "at": "2199-01-01T00:00:00Z"}, "at", "future"),
        ({**GOOD, "at": "0001-01-01T00:00:00+14:00"}, "at", "before the year 2000"),
        ({**GOOD, "metadata": {"a": "x" * 17_000}}, "metadata", "16000"),
        ({**GOOD, "metadata": [1]}, "metadata", "Expected object"),
        ([[GOOD]], None, ""),
        ("text", "", "Send an object"),
    ],
)
def test_what_is_wrong_is_named(caller: Caller, body: Any, field: str | None, words: str) -> None:
    response = caller.post("/feedback", body)
    if field is None:
        assert response.json()["rejected"][0]["errors"][0]["msg"].startswith("Send an object")
        return
    assert response.status_code == 422
    assert response["Content-Type"] == "application/problem+json"
    assert words in errors_of(response)[field]
    assert not Feedback.objects.exists()


@pytest.mark.parametrize(
    "body", [{**RUN, "quality": 5.1}, {**RUN, "quality": 0}, {**RUN, "latency_ms": -1}, {"id": "x"}]
)
def test_runs_have_their_own_rules(caller: Caller, body: Any) -> None:
    response = caller.post("/runs", body)
    assert response.status_code == 422
    assert set(errors_of(response)) <= {"quality", "latency_ms", "success"}


def test_all_faults_of_a_report_are_named_at_once(caller: Caller) -> None:
    response = caller.post("/feedback", {"rating": "bad", "version": -1, "extra": 1})
    assert set(errors_of(response)) == {"rating", "version", "extra"}


NASTY: list[tuple[bytes, int, str]] = [
    (b'{"rating":"negative","rating":"negative"}', 422, "rating"),
    (b'{"rating":"negative","reason":"a: b","reason":"c"}', 422, "reason"),
    (b'{"rating":"negative","metadata":{"a":{"b":1,"b":2}}}', 422, "metadata.a.b"),
    (b'{"reason":"\\u003a\\u003a","rating":"negative","rating":"positive"}', 422, "rating"),
    (b'{"rating":"negative","reason":"a\\u0000b"}', 422, "reason"),
    (b'{"rating":"negative","metadata":{"a\\u0000":1}}', 422, "metadata.a\\x00"),
    (b'{"rating":"negative","reason":"\\ud800"}', 422, "reason"),
    (b'{"rating":"negative","metadata":{"x":["\\udfff"]}}', 422, "metadata.x.0"),
    (b'{"rating":"negative","metadata":{"x":NaN}}', 422, "metadata.x"),
    (b'{"rating":"negative","metadata":{"x":-Infinity}}', 422, "metadata.x"),
    (b'{"rating":"negative","metadata":{"x":1e999}}', 422, "metadata.x"),
    (b'{"rating":"negative","version":NaN}', 422, "version"),
    (b'{"rating":"negative","version":' + b"9" * 5000 + b"}", 422, "version"),
    (b'{"rating":"negative","metadata":{"x":' + b"9" * 30 + b"}}", 422, "metadata.x"),
    (b'{"rating":"negative","metadata":' + b'{"a":' * 40 + b"1" + b"}" * 41, 422, "metadata" + ".a" * 16),
    (b'{"rating":' + b"[" * 50_000, 422, ""),
    (b"[" * 200_000, 422, ""),
    (b'{"rating":"negative"', 400, ""),
    (b" ", 400, ""),
    (b'{"rating":"neg\xffative"}', 400, ""),
    (b"\xef\xbb\xbf{}", 400, ""),
    (b'{"rating":"negative"} x', 400, ""),
]


@pytest.mark.parametrize(("body", "status", "field"), NASTY)
def test_hostile_bodies_are_refused_by_field(caller: Caller, body: bytes, status: int, field: str) -> None:
    response = caller.post_raw("/feedback", body)
    assert response.status_code == status
    assert field in errors_of(response)
    assert not Feedback.objects.exists()


@pytest.mark.parametrize(("body", "status", "field"), [case for case in NASTY if case[1] == 422 and case[2]])
def test_hostile_reports_do_not_spoil_their_list(caller: Caller, body: bytes, status: int, field: str) -> None:
    response = caller.post_raw("/feedback", b'[{"rating":"positive"},' + body + b"]")
    assert response.status_code in (207, 422)
    if response.status_code == 207:
        assert (response.json()["accepted"], response.json()["rejected"][0]["index"]) == (1, 1)
    else:
        assert f"1.{field}" in errors_of(response)


@pytest.mark.parametrize(
    "text", ["a: b", '{"a":1}', "\\u0000", "\\", '"', "\t\x01\x1f", "é😀", "\u2028", "\\x00", "'; --"]
)
def test_odd_but_honest_text_survives_unchanged(caller: Caller, text: str) -> None:
    sent = {"reason": text, "metadata": {text: text}, "rating": "negative"}
    assert caller.post("/feedback", sent).status_code == 201
    row = Feedback.objects.get()
    assert (row.reason, row.metadata) == (text, {text: text})


def test_a_body_over_the_limit_is_not_even_read(caller: Caller, settings: Any) -> None:
    settings.COUNTERSIGN_BODY_LIMIT = 1000
    response = caller.post("/feedback", {"reason": "x" * 1000})
    assert (response.status_code, response.json()["type"]) == (413, "/problems/body-too-large")


def test_only_json_is_taken(caller: Caller) -> None:
    assert caller.post_raw("/feedback", b"rating=negative", "application/x-www-form-urlencoded").status_code == 415


def test_users_and_units_are_never_stored_as_sent(caller: Caller) -> None:
    caller.post("/feedback", GOOD)
    caller.post("/runs", RUN)
    for row in (*Feedback.objects.values(), *Run.objects.values()):
        assert not any("anna" in str(value) or "session-9" in str(value) for value in row.values())
    assert bytes(Feedback.objects.get().user_hash or b"") == hashed("anna@example.org")


def test_support_counts_people_behind_keys_not_keys(support: Agent, make_caller: MakeCaller) -> None:
    owner = User.objects.create_user("owner")
    for number in range(2):
        caller = make_caller(support, owner=owner)
        caller.post("/feedback", {"rating": "negative", "user": "u", "id": str(number)})
    expected = source(f"person:{owner.pk}", hashed("u"))
    assert {bytes(row.source) for row in Feedback.objects.all()} == {expected}


def test_a_key_for_all_agents_has_to_say_which(support: Agent, make_caller: MakeCaller) -> None:
    caller = make_caller(None, "ingest")
    assert errors_of(caller.post("/feedback", GOOD)) == {"agent": "Required: this key is for all agents."}
    assert caller.post("/feedback", {**GOOD, "agent": "nobody"}).status_code == 404
    assert caller.post("/feedback", {**GOOD, "agent": "support"}).status_code == 201
    assert caller.post("/feedback", [{**GOOD, "agent": "nobody"}]).json()["rejected"][0]["errors"][0]["loc"] == [
        "agent"
    ]


def test_a_list_takes_as_many_queries_as_ten_times_its_length(caller: Caller, django_assert_num_queries: Any) -> None:
    caller.post("/runs", [{"success": True}])
    for length in (10, 100):
        with django_assert_num_queries(0):  # the one statement goes past the ORM, and nothing else is asked
            assert caller.post("/runs", [{"success": True}] * length).json()["accepted"] == length


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda c: st.lists(c) | st.dictionaries(st.text(), c),
)
field_names = st.sampled_from([*FeedbackIn.__struct_fields__, *RunIn.__struct_fields__]) | st.text(max_size=5)
bodies = st.one_of(
    st.binary(max_size=200),
    json_values.map(lambda value: json.dumps(value).encode()),
    st.dictionaries(field_names, json_values).map(lambda value: json.dumps(value).encode()),
    st.lists(st.dictionaries(field_names, json_values)).map(lambda value: json.dumps(value).encode()),
    st.lists(
        st.sampled_from([b'{"rating":', b'"negative"', b"}", b",", b'"\\u0000"', b"[", b"]", b"1e999", b'"\\ud83d"'])
    ).map(b"".join),
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(body=bodies)
def test_whatever_is_sent_the_answer_is_no_500(caller: Caller, body: bytes) -> None:
    for path in ("/feedback", "/runs"):
        assert caller.post_raw(path, body).status_code in (200, 201, 207, 400, 404, 409, 413, 415, 422)


def test_the_two_readers_share_no_fields_by_accident() -> None:
    assert Reader(RunIn).shape is RunIn
    assert "success" not in FeedbackIn.__struct_fields__
