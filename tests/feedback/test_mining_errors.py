"""Error messages become templates and classes."""

import random
from collections.abc import Sequence

import pytest
import re2
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from feedback.mining.errors import ErrorClass, classify, readable, template
from feedback.mining.errors.pieces import NAMED
from reviewapp.environment import Environment


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("Tool 'search_web' not found", "tool <*> not found"),
        ("Retry in 1.2s, id 8f14e45f-ceea-467f-a1c2-1b2e6c6e1f0a", "retry in <*>, id <*>"),
        ("GET https://api.example/v1/x?y=1 failed", "GET <*> failed"),
        ("No such file: /srv/app/data.csv", "no such file: <*>"),
        (r"No such file: C:\Program Files\app\x.dll", "no such file: <*>"),
        ("connect ECONNREFUSED 10.0.0.1:5432", "connect ECONNREFUSED <*>"),
        ("2026-05-03T10:42:00Z worker deadbeef lost", "<*> worker <*> lost"),
        ("since Sat Jul  9 12:16:49 UTC 2005 it hangs", "since <*> it hangs"),
        ("Timed out after 30 seconds", "timed out after <*>"),
        ("read 12 of 30 MB in <1 sec", "read <*> of <*> in <*>"),
        ("S3 upload 3 of IPv6 host 6 in UTF-8, utf-9", "S3 upload <*> of IPv6 host <*> in UTF-8, <*>"),
        ("HTTP 404 for item 77", "HTTP 404 for item <*>"),
        ("HTTP/1.1 503 for item 404", "HTTP 503 for item <*>"),
        ("connect fe80::1ff:fe23:4567:890a refused", "connect <*> refused"),
        ("lost v4(en0:10.0.0.1) v6(en0-:2607:f140:6000:8:c6b3:1ff:fecd:467f)", "lost <*> (<*>)"),
        ("bug in std::add::fee (status:503:1:2)", "bug in std:: add:: fee (status: 503: <*>)"),
        ("mail to bob@example.org bounced", "mail to <*> bounced"),
        ("uid=0 tty=ssh ruser= rhost=a.example user= root", "uid=<*> tty=<*> ruser=<*> rhost=<*> user=<*>"),
        ("ws=WorkSource{10113 a}, ready= false, left =None", "ws=<*>, ready=<*>, left=<*>"),
        ("failed with reason=timeout after=3", "failed with reason=timeout after=<*>"),
        ("queue=[a, b], name=Ann Lee, size=Point(x=1, y=2) is full", "queue=<*>, name=<*>, size=<*> is full"),
        ("Order(id=7, lines=[1, 2]) of shop.example:443 is lost", "<*> of <*> is lost"),
        ("nodes [a, b, c] and [] ok", "nodes [<*>] and [<*>] ok"),
        ("lost node-1 (0x1f) ok node-2 (0xfe) ok node-3 (0x0) ok", "lost <*> (<*>) ok"),
        ("user 'ann' said 'I can not see my order'", "user <*> said <*>"),
        ("failed (5): 'out of reach for ann'", "failed (<*>): out of reach for ann"),
        ("{'type': 'error', 'message': 'Overloaded', 'id': 'x'}", "{type: error, message: Overloaded, id: <*>}"),
        ("Found 3 error(s), 1 class(es)", "found <*> error(s), <*> class(es)"),
        ("rpc status=503 code = Unavailable", "rpc status=503 code=Unavailable"),
        ("订单123失败", "订单 <*> 失败"),
        ("{'error': {'message': 'Rate limit reached for org-1', 'code': 429}}",
         "{error: {message: Rate limit reached for <*>, code: 429}}"),
    ],
)  # fmt: skip
def test_what_varies_becomes_a_placeholder(message: str, expected: str) -> None:
    assert readable(template(message)) == expected


def test_status_codes_tell_errors_apart() -> None:
    assert template("Error code: 429 - slow down") != template("Error code: 503 - slow down")


def test_a_python_traceback_is_known_by_its_last_line() -> None:
    frames = '  File "/a/b.py", line 3, in f\n    g()\n'
    trace = f"Traceback (most recent call last):\n{frames}KeyError: 'order_id'\n"
    assert template(trace) == template("KeyError: 'customer'") == "KeyError : <*>"


def test_a_very_long_traceback_is_still_known_by_its_last_line() -> None:
    frames = '  File "/a/b.py", line 3, in f\n    g()\n' * 50_000
    assert template(f"Traceback (most recent call last):\n{frames}ValueError: bad date") == "ValueError : bad date"


def test_other_stack_traces_are_known_by_their_first_line() -> None:
    assert template("TypeError: x is not a function\n    at f (/a/b.js:1:2)") == "TypeError : x is not a function"


def test_invisible_characters_do_not_make_another_error() -> None:
    assert template("con\u200bnection lost\u202e") == template("connection lost")


@given(st.text(max_size=300))
def test_a_template_keeps_no_digit_but_in_status_codes_and_technical_names(text: str) -> None:
    kept = [token for token in template(text).split() if re2.search(r"\d", token)]
    assert all(re2.fullmatch(r"[45]\d\d", token) or token.lower() in NAMED for token in kept)


@given(st.integers(min_value=0), st.uuids(), st.ip_addresses(v=4))
def test_ids_numbers_and_addresses_never_matter(number: int, identifier: object, address: object) -> None:
    assert template(f"job {number} ({identifier}) on {address} died") == "job <*> ( <*> ) on <*> died"


_TEMPLATES = (
    "Connection to {ip} refused",
    "Connection to {ip} reset by peer",
    "Timed out after {n} ms waiting for {url}",
    "Tool {quoted} returned no output",
    "Tool {quoted} not found",
    "Worker {id} exited with code {n}",
    "Rate limit reached: {n} of {n} requests used, retry in {n}s",
    "Context length {n} exceeds {n} tokens",
    "HTTP 503 from {url}",
    "HTTP 429 from {url}",
    "Order {id} not found in {path}",
    "Could not write {path}: disk full",
    "Session {id} expired at {time}",
    "Field {quoted} is required",
    "{time} lost heartbeat of node {id}",
)


def _fill(shape: str, rng: random.Random) -> str:
    while "{" in shape:
        values = {
            "{n}": str(rng.randrange(10**6)),
            "{id}": f"{rng.getrandbits(64):016x}",
            "{ip}": ".".join(str(rng.randrange(256)) for _ in range(4)),
            "{url}": f"https://host{rng.randrange(99)}.example/a/{rng.randrange(999)}?q=x",
            "{path}": f"/srv/{rng.choice(['data', 'logs'])}/part-{rng.randrange(99)}.csv",
            "{quoted}": f"'{rng.choice(['search', 'fetch_page', 'sum'])}'",
            "{time}": f"2026-0{rng.randrange(1, 9)}-1{rng.randrange(9)}T10:4{rng.randrange(9)}:00.123Z",
        }
        name = shape[shape.index("{") : shape.index("}") + 1]
        shape = shape.replace(name, values[name], 1)
    return shape


def _grouping_accuracy(true: Sequence[object], found: Sequence[object]) -> float:
    """Share of items whose found group holds exactly the items of their true group."""
    members: dict[object, set[int]] = {}
    for i, (a, b) in enumerate(zip(true, found, strict=True)):
        members.setdefault(("true", a), set()).add(i)
        members.setdefault(("found", b), set()).add(i)
    exact = [members["true", a] == members["found", b] for a, b in zip(true, found, strict=True)]
    return sum(exact) / len(exact)


def test_messages_of_one_shape_are_grouped_and_of_two_shapes_are_not() -> None:
    rng = random.Random(5)
    shapes = [rng.choice(_TEMPLATES) for _ in range(600)]
    assert _grouping_accuracy(shapes, [template(_fill(shape, rng)) for shape in shapes]) >= 0.95


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("Error code: 429 - slow down", ErrorClass.RATE_LIMIT),
        ("Request timed out after 30 s", ErrorClass.TIMEOUT),
        ("The model returned an empty response", ErrorClass.EMPTY_RESPONSE),
        ("context length exceeded: 9000 > 8192", ErrorClass.CONTEXT_LOSS),
        ("Session 9f3c expired", ErrorClass.SESSION_RESET),
        ("Model gpt-x unavailable, falling back to gpt-y", ErrorClass.MODEL_FALLBACK),
        ("Unknown tool: lookup", ErrorClass.MISSING_TOOL),
        ("Tool lookup exited with code 2", ErrorClass.TOOL_ERROR),
        ("401 Unauthorized", ErrorClass.AUTH),
        ("ValidationError: 2 fields", ErrorClass.VALIDATION),
        ("InvalidArgument: x", ErrorClass.VALIDATION),
        ("input is invalid", ErrorClass.VALIDATION),
        ("Cache_Invalidated by another writer", ErrorClass.OTHER),
        ("cache invalidation lost", ErrorClass.OTHER),
        ("JsonValidationError", ErrorClass.VALIDATION),
        ("DomainValidationException", ErrorClass.VALIDATION),
        ("InvalidAttributeValue", ErrorClass.VALIDATION),
        ("unvalidated input", ErrorClass.VALIDATION),
        ("{'error': {'message': 'You exceeded your current quota', 'code': 429}}", ErrorClass.RATE_LIMIT),
        ("Could not connect to host db-1: Connection refused", ErrorClass.UNAVAILABLE),
        ("HTTP 503 from https://api.example", ErrorClass.UNAVAILABLE),
        ("FileNotFoundError: [Errno 2] No such file or directory: '/srv/a.csv'", ErrorClass.NOT_FOUND),
        ("Tool 'lookup_order' not found", ErrorClass.MISSING_TOOL),
        ("Tool lookup_order failed for ann: order not found", ErrorClass.NOT_FOUND),
        ("java.lang.OutOfMemoryError: Java heap space", ErrorClass.OUT_OF_RESOURCES),
        ("The answer was blocked by the content filter", ErrorClass.CONTENT_FILTER),
        ("the moon is full since 429 days", ErrorClass.OTHER),
    ],
)
def test_an_error_is_classed_by_its_message(message: str, expected: ErrorClass) -> None:
    assert classify(message) == expected


def test_classes_of_ones_own_go_first() -> None:
    own = (("billing", "card (?:was )?declined|insufficient funds"),)
    assert classify("The card was declined: access denied", own=own) == "billing"
    assert classify("access denied", own=own) == ErrorClass.AUTH
    with pytest.raises(ValueError, match="pattern of bad"):
        classify("x", own=(("bad", "("),))


def test_the_type_name_decides_before_the_message() -> None:
    assert classify("invalid input", "rate_limit_error") == ErrorClass.RATE_LIMIT
    assert classify("request timed out", "RuntimeError") == ErrorClass.TIMEOUT


def test_a_setting_for_classes_that_cannot_work_is_refused() -> None:
    given = Environment(countersign_error_classes={"billing": "card declined"})
    assert given.countersign_error_classes == {"billing": "card declined"}
    for bad in ({"Billing!": "x"}, {"billing": "("}):
        with pytest.raises(ValidationError, match=r"name|pattern of billing"):
            Environment(countersign_error_classes=bad)
