"""What tells who somebody is, and what is left alone."""

from collections import Counter

import pytest
import re2
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from agents.sensitive import EMAIL, MASKED, Mask
from reviewapp.environment import Environment
from tests.hostile import least_ms

ALL = Mask(MASKED)


def masked(text: str) -> str:
    return ALL.text(text, Counter())


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("write to bob.o'neil+x@mail.example.co.uk now", "write to [e-mail] now"),
        ("sent to 'bob@example.ie'", "sent to '[e-mail]'"),
        ("ring +49 30 1234567 or 0049 171 1234567", "ring [phone number] or [phone number]"),
        (
            "ring (030) 123 45 67, 0171/2345678, 555-867-5309 or (415) 555-2671",
            "ring [phone number], [phone number], [phone number] or [phone number]",
        ),
        ("paid with 4111 1111 1111 1111 and 5500-0000-0000-0004", "paid with [card number] and [card number]"),
        ("4111 1111 1111 1111 12/27 cvv 123", "[card number] 12/27 cvv 123"),
        ("order 2024 4111 1111 1111 1111", "order 2024 [card number]"),
        ("4111 1111 1111 1111 123, 4111.1111.1111.1111", "[card number] 123, [card number]"),
        ("amex 3782 822463 10005 and 4111\u00a01111\u00a01111\u00a01111", "amex [card number] and [card number]"),
        ("4111111111111111 0171 2345678", "[card number] [phone number]"),
        ("call +44 20 7946 0958 2026-11-22", "call [phone number] 2026-11-22"),
        ("+491712345678 4711 12345 999", "[phone number] 4711 12345 999"),
        ("06.12.34.56.78 or 0171.2345678", "[phone number] or [phone number]"),
        ("07911123456, (11) 91234-5678 or 138 1234 5678", "[phone number], [phone number] or [phone number]"),
        (
            "ISBN 0306406151 or 0306406152, isbn 0171 2345678",
            "ISBN [phone number] or [phone number], isbn [phone number]",
        ),
        ("anna@müller.de, jürgen@firma.de", "[e-mail], [e-mail]"),
        ("ju\u0308rgen@firma.de, “anna@müller.de”", "[e-mail], “[e-mail]”"),
        ("from 10.0.0.1:8080, fe80::1 and 2001:db8::2:1", "from [IP address]:8080, [IP address] and [IP address]"),
        ("key sk-live_abcdefghijklmnopqrst, password: hunter22", "key [secret], [secret]"),
        ("DB_PASSWORD=hunter22; Authorization: Bearer abcdefghijklmnop.qrst", "[secret] Authorization: [secret]"),
        ("postgresql://u:p%40ss@h/db, redis://:hunter2@h/0", "[secret]h/db, [secret]h/0"),
        (f"with csk_ab12345678_{'0' * 49}", "with [secret]"),
        ("-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\nbye", "[secret]\nbye"),
    ],
)
def test_what_tells_who_somebody_is_goes(text: str, left: str) -> None:
    assert masked(text) == left


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("４１１１ １１１１ １１１１ １１１１, by ｂｏｂ＠ｅｘａｍｐｌｅ．ｃｏｍ", "[card number], by [e-mail]"),
        ("+٤٩ ٣٠ ١٢٣٤٥٦٧", "[phone number]"),
        ("4111\u200b1111\u20111111\u00ad1111 \u2060and a\u200d@b.de", "[card number] \u2060and [e-mail]"),
        (
            "?to=bob%40example.com&tel=%2B49%2030%201234567&of=2024%E5%B9%B4",
            "?to=[e-mail]&tel=[phone number]&of=2024%E5%B9%B4",
        ),
        ("ＡＫＩＡIOSFODNN7EXAMPLE", "[secret]"),
        ("100%20people, ２０２４年 \u2060— “30\u00a0days”", "100%20people, ２０２４年 \u2060— “30\u00a0days”"),
    ],
)
def test_disguises_are_seen_through_and_all_else_stays_as_it_was_written(text: str, left: str) -> None:
    assert masked(text) == left


def test_the_patterns_leave_re2_room_to_work(capfd: pytest.CaptureFixture[str]) -> None:
    """Without it RE2 goes on a hundred times slower, and says so on stderr for every report."""
    masked("jürgen@firma.de " + "a.b" * 1000 + "\N{FULLWIDTH DIGIT FOUR}111 " * 1000)
    re2.search(EMAIL, "jürgen@firma.de " * 10 + "a.b" * 1000)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("piece", ["4111 ", "eyJ-0171-2345678-", "１.１.１.１-", "%34"])
def test_masking_takes_time_in_proportion_to_the_text(piece: str) -> None:
    text = piece * (64_000 // len(piece))
    assert least_ms(lambda: masked(text), times=1) < 1500


@pytest.mark.parametrize(
    "text",
    [
        "Parcels can be sent back within 30 days, at 12:30:45 on 2026-11-21T10:42:00Z.",
        "order 12345678, invoice 2026-0815-4711, 1 000 000 runs, 5-7 days, 100-200-3000",
        "4111 1111 1111 1112 fails the check digit",
        "300.1.1.1 is no address, std::vector::push_back and a::b:c are names",
        "on 02.11.2026 and 03.11.2026, 2.000.000 runs, 1234567890123456789012 rows",
        "ISBN 0306406152, ISBN-10: 0-306-40615-2, isbn:0306406152, ISBN 978-0-306-40615-7",
        "version 8.1.2, 16:9, 3:2:1, a@b, @mention, x = {secret}",
    ],
)
def test_other_numbers_and_names_stay(text: str) -> None:
    assert masked(text) == text


@given(st.text())
@example("[e-mail] a@b.cd [e-mail]")
def test_masking_again_finds_nothing_more_to_count_that_was_masked(text: str) -> None:
    counts: Counter[str] = Counter()
    once = ALL.text(text, counts)
    assert sum(once.count(word) for word in MASKED.values()) >= counts.total()
    if not counts:
        assert once == text


@given(st.integers(0, 10**15 - 1))
def test_every_card_number_with_its_check_digit_goes(body: int) -> None:
    digits = [4, *map(int, f"{body:014d}"[-14:])]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[::-2]]
    number = "".join(map(str, digits)) + str(-(sum(doubled) + sum(digits[-2::-2])) % 10)
    assert masked(f"card {number}.") == "card [card number]."


def test_only_the_kinds_asked_for_go() -> None:
    assert Mask(["email"]).text("a@b.org from 10.0.0.1", Counter()) == "[e-mail] from 10.0.0.1"


def test_a_kind_that_is_not_there_is_refused_at_start() -> None:
    assert Environment(countersign_mask="email, ip").countersign_mask == {"email", "ip"}  # type: ignore[arg-type]
    assert Environment(countersign_mask="all").countersign_mask == set(MASKED)  # type: ignore[arg-type]
    with pytest.raises(ValidationError, match="should be of secret, email"):
        Environment(countersign_mask="email,iban")  # type: ignore[arg-type]


def test_numbers_and_named_secrets_go_from_json_and_no_value_is_lost() -> None:
    counts: Counter[str] = Counter()
    sent = {"card": 4111111111111111, "password": "hunter2abc", "a@x.de": 1, "b@x.de": [2, True], "size": 12345678}
    kept = {"card": "[card number]", "password": "[secret]", "[e-mail]": 1, "[e-mail] 2": [2, True], "size": 12345678}
    assert ALL.tree(sent, counts) == kept
    assert counts == {"card": 1, "secret": 1, "email": 2}
    named = {"dbPassword": 12345678, "token": "abcdefgh", "tokens": 12345678, "paid": 4111111111111111.0, "rate": 0.25}
    left = {"dbPassword": "[secret]", "token": "[secret]", "tokens": 12345678, "paid": "[card number]", "rate": 0.25}
    assert ALL.tree(named, Counter()) == left
    assert Mask(["email"]).tree({"password": "hunter2abc"}, Counter()) == {"password": "hunter2abc"}
