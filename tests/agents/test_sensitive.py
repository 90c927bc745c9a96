"""What tells who somebody is, and what is left alone."""

from collections import Counter

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from agents.sensitive import MASKED, Mask
from reviewapp.environment import Environment

ALL = Mask(MASKED)


def masked(text: str) -> str:
    return ALL.text(text, Counter())


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("write to bob.o'neil+x@mail.example.co.uk now", "write to bob.o'[e-mail] now"),
        ("ring +49 30 1234567 or 0049 171 1234567", "ring [phone number] or [phone number]"),
        (
            "ring (030) 123 45 67, 0171/2345678, 555-867-5309 or (415) 555-2671",
            "ring [phone number], [phone number], [phone number] or [phone number]",
        ),
        ("paid with 4111 1111 1111 1111 and 5500-0000-0000-0004", "paid with [card number] and [card number]"),
        ("from 10.0.0.1:8080, fe80::1 and 2001:db8::2:1", "from [IP address]:8080, [IP address] and [IP address]"),
        ("key sk-live_abcdefghijklmnopqrst, password: hunter22", "key [secret], [secret]"),
        ("-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\nbye", "[secret]\nbye"),
    ],
)
def test_what_tells_who_somebody_is_goes(text: str, left: str) -> None:
    assert masked(text) == left


@pytest.mark.parametrize(
    "text",
    [
        "Parcels can be sent back within 30 days, at 12:30:45 on 2026-11-21T10:42:00Z.",
        "order 12345678, invoice 2026-0815-4711, 1 000 000 runs, 5-7 days, 100-200-3000",
        "4111 1111 1111 1112 fails the check digit",
        "300.1.1.1 is no address, std::vector::push_back and a::b:c are names",
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
