"""Characters nobody sees are shown as chips, and refused in instructions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proposals.checking.invisible import MAX, Chip, allowed_in_instructions, problems, spans


def _chips(text: str) -> list[str]:
    return [piece.code for piece in spans(text) if isinstance(piece, Chip)]


@given(st.text() | st.text(alphabet="a\u0430\u200d\u200b\u202e❤\ufe0f1\u20e3👩💻\U000e0041\n\t\r é"))
def test_pieces_and_chips_joined_are_the_text(text: str) -> None:
    joined = "".join(piece if isinstance(piece, str) else piece.char for piece in spans(text))
    assert joined == text


@given(st.text())
def test_a_text_without_problems_has_no_chips(text: str) -> None:
    assert allowed_in_instructions(text) == (not problems(text))
    if allowed_in_instructions(text):
        assert not _chips(text)


@pytest.mark.parametrize(
    ("text", "code", "name"),
    [
        ("refund \u202etfel", "U+202E", "right-to-left override"),
        ("a\u2066b", "U+2066", "left-to-right isolate"),
        ("re\u200bfund", "U+200B", "zero width space"),
        ("re\u00adfund", "U+00AD", "soft hyphen"),
        ("\ufeffYou", "U+FEFF", "zero width no-break space"),
        ("x\U000e0041", "U+E0041", "tag character, hidden “A”"),
        ("x\U000e0101", "U+E0101", "variation selector-18"),
        ("x\ufe00", "U+FE00", "variation selector-1"),
        ("a\ufe0f", "U+FE0F", "variation selector-16"),
        ("a\x00b", "U+0000", "null"),
        ("a\x1b[2J", "U+001B", "escape"),
        ("line\r\n", "U+000D", "carriage return"),
        ("a\ue000", "U+E000", "private character"),
        ("a\ud800", "U+D800", "half of a character"),
        ("a\u2028b", "U+2028", "line separator"),
        ("a\u3164b", "U+3164", "hangul filler"),
        ("a\u200db", "U+200D", "zero width joiner"),
        ("p\u0430ypal", "U+0430", "cyrillic small letter a, looks like “a”"),
        ("Αpple", "U+0391", "greek capital letter alpha, looks like “A”"),
    ],
)
def test_each_hidden_character_is_a_chip_with_its_code_and_name(text: str, code: str, name: str) -> None:
    chips = [piece for piece in spans(text) if isinstance(piece, Chip)]
    assert [(chip.code, chip.name) for chip in chips] == [(code, name)]
    assert not allowed_in_instructions(text)


@pytest.mark.parametrize(
    "text",
    [
        "Refunds within 14 days – “digital goods” … → ≥ 5 €, 20 %.\n\t- naïve café, Straße, ½",
        "Привет, мир. Сорок пять.",
        "Καλημέρα κόσμε",
        "α = 0.05, Δt, 5 µs",
        "返金は14日以内です。 환불",
        "می‌خواهم",
        "क्‍ष".replace("\u200d", ""),
        "❤️ ⚠️ ✈️ ℹ️ ™️ 1️⃣ #️⃣ 👍🏽",
        "👩\u200d💻 👨\u200d👩\u200d👧 🏳️\u200d🌈 🧑🏽\u200d🚀 ❤️\u200d🔥",
    ],
)
def test_ordinary_writing_in_any_language_and_emoji_pass(text: str) -> None:
    assert _chips(text) == []
    assert allowed_in_instructions(text)


def test_a_whole_word_of_look_alikes_is_seen_where_that_script_is_not_used_otherwise() -> None:
    assert _chips("Write to сор at once") == ["U+0441", "U+043E", "U+0440"]
    assert _chips("Сор на улице") == []


def test_text_in_another_normal_form_is_refused_and_says_so() -> None:
    assert not allowed_in_instructions("cafe\u0301")
    assert "NFC" in problems("cafe\u0301")[0]


def test_a_problem_names_its_line() -> None:
    assert problems("one\ntwo\u200b\n") == ["Line 2 holds U+200B, zero width space."]


def test_only_so_many_problems_are_named() -> None:
    assert len(problems("".join(map(chr, range(0xE0020, 0xE0070))))) == MAX
