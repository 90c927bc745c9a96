"""Labels say what sources agree on, and let nothing hostile through."""

import re2
from hypothesis import given
from hypothesis import strategies as st

from feedback.mining import Kind, label, replacement, terms
from feedback.mining.changes import diff
from feedback.mining.labels import MAX_LABEL, MAX_PHRASE, MAX_TERM, MAX_TERMS, content_terms
from feedback.mining.stems import stem

_TERM = re2.compile(r"^[\p{L}\p{N}-]+(?: [\p{L}\p{N}-]+)?$")
_HOSTILE = st.text(max_size=60) | st.sampled_from(
    [
        "visit https://evil.example/x now",
        "mail me at a@evil.example",
        "go to evil.example/login",
        "re\u200bfund\u202e window \u3164\u1160",
        "<script>alert(1)</script>",
        "www.evil.example",
        "x" * 100,
    ]
)


def _from_each(text: str, sources: int = 3) -> dict[str, list[str]]:
    return {f"source {i}": [text] for i in range(sources)}


def test_terms_are_what_three_sources_share() -> None:
    said = {
        "a": ["the refund window is wrong"],
        "b": ["You got the refund windows wrong for digital goods"],
        "c": ["wrong refund window, digital goods have 14 days"],
        "d": ["digital goods have other rules than shoes"],
    }
    assert terms(said) == ["digital goods", "refund window", "wrong"]
    assert label(Kind.COMPLAINT, terms(said)) == "Digital goods, refund window, wrong"


def test_one_loud_source_makes_no_term() -> None:
    assert terms({"loud": ["refund refund"] * 50, "b": ["late"], "c": ["late"]}) == []


@given(_HOSTILE)
def test_only_short_words_of_letters_and_digits_become_terms(text: str) -> None:
    found = terms(_from_each(text))
    assert len(found) <= MAX_TERMS
    assert all(_TERM.search(term) and len(term) <= MAX_TERM for term in [*found, *content_terms(text)])


def test_addresses_leave_no_trace_in_terms() -> None:
    said = "refund late https://evil.example/pay a@evil.example evil.example www.evil.example"
    assert terms(_from_each(said)) == ["refund late"]


def test_a_replacement_is_what_three_sources_changed() -> None:
    pairs = {
        name: [(f"Dear {name}, return it within 30 days.", f"Hi {name}! Please return it within 14 days.")]
        for name in ("Anna", "Bob", "Cy")
    }
    assert replacement(pairs) == ("30 days", "14 days")
    assert replacement({name: pairs[name] for name in ("Anna", "Bob")}) is None
    assert label(Kind.CORRECTION, changed=("30 days", "14 days")) == "30 days → 14 days"


def test_a_replacement_is_written_as_most_sources_wrote_it() -> None:
    pairs = {str(i): [("pay by Cheque", f"pay by {word}")] for i, word in enumerate(["PayPal", "PayPal", "paypal"])}
    assert replacement(pairs) == ("Cheque", "PayPal")


@given(_HOSTILE, _HOSTILE)
def test_replacements_hold_words_and_numbers_only(output: str, correction: str) -> None:
    found = replacement({str(i): [(output, correction)] for i in range(3)})
    for phrase in found or ():
        assert re2.search(r"^[\p{L}\p{N} .,%-]+$", phrase)
        assert re2.search(r"\p{L}\.\p{L}", phrase) is None
        assert len(phrase) <= MAX_PHRASE


@given(st.sampled_from(Kind), _HOSTILE, _HOSTILE)
def test_a_label_is_one_short_plain_line(kind: Kind, one: str, other: str) -> None:
    text = label(kind, [one], template=one, predicted=one, expected=other)
    assert 0 < len(text) <= MAX_LABEL
    assert re2.search(r"[^\p{L}\p{N} _.,:;()'…→-]", text) is None
    assert re2.search(r"\w\.\p{L}", text) is None


def test_each_kind_has_its_label() -> None:
    assert label(Kind.ERROR, template="tool <*> timed out after <*>") == "Tool … timed out after …"
    assert label(Kind.MISLABEL, predicted="billing", expected="refund") == "Billing → refund"
    assert label(Kind.SUCCESS, ["clear steps"]) == "Clear steps"
    assert label(Kind.COMPLAINT) == "Complaints in different words"


@given(st.lists(st.sampled_from("abcd"), max_size=15), st.lists(st.sampled_from("abcd"), max_size=15))
def test_applying_a_diff_gives_the_new_words(old: list[str], new: list[str]) -> None:
    built: list[str] = []
    at = 0
    for change in diff(old, new):
        built += old[at : change.old_start] + new[change.new_start : change.new_end]
        at = change.old_end
    assert built + old[at:] == new


def test_word_forms_share_a_stem() -> None:
    assert len({stem(word) for word in ("refund", "refunds", "refunded", "refunding")}) == 1
    assert len({stem(word) for word in ("charge", "charges", "charged", "charging")}) == 1
    assert len({stem(word) for word in ("cancel", "cancelled", "cancelling", "cancels")}) == 1
    assert len({stem(word) for word in ("delivery", "deliveries")}) == 1
