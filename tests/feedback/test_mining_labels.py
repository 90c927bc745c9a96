"""Labels say what sources agree on, and let nothing hostile through."""

import pytest
import re2
from hypothesis import given
from hypothesis import strategies as st

from feedback.mining import Kind, apart, asides, label, replacement, telling, terms, topics, verdict
from feedback.mining.changes import diff
from feedback.mining.labels import MAX_LABEL
from feedback.mining.phrases import MAX_TERM, MAX_TERMS
from feedback.mining.replaced import MAX_PHRASE
from feedback.mining.stems import stem

_TERM = re2.compile(r"^[\p{L}\p{N}-]+(?: [\p{L}\p{N}-]+){0,6}$")
_TOPIC = re2.compile(r"^(?:the )?“?[\p{L}\p{N}-]+(?: [\p{L}\p{N}-]+){0,6}”?$")
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
    assert terms(said) == ["digital goods", "refund window"]
    assert label(Kind.COMPLAINT, terms(said)) == "Digital goods, refund window"


def test_one_loud_source_makes_no_term() -> None:
    assert terms({"loud": ["refund refund"] * 50, "b": ["late"], "c": ["late"]}) == []


@given(_HOSTILE)
def test_only_short_words_of_letters_and_digits_become_terms(text: str) -> None:
    found = terms(_from_each(text))
    assert len(found) <= MAX_TERMS
    assert all(_TERM.search(term) and len(term) <= MAX_TERM for term in found)


def test_addresses_leave_no_trace_in_terms() -> None:
    said = "refund late https://evil.example/pay a@evil.example evil.example www.evil.example"
    assert terms(_from_each(said)) == ["refund late"]


@pytest.mark.parametrize(
    "said",
    ["wrong", "it is expired", "asked again today", "a long text", "told me the wrong message", "30 days, last week"],
)
def test_words_that_only_judge_or_are_too_broad_name_no_subject(said: str) -> None:
    assert terms(_from_each(said)) == []


def test_a_broad_word_beside_another_names_a_subject() -> None:
    assert terms(_from_each("the opening hours are wrong, no error message")) == ["error message", "opening hours"]


def test_where_nothing_names_a_subject_words_of_judgement_may_still_make_a_label() -> None:
    assert label(Kind.COMPLAINT, terms(_from_each("much too long"), judging=True)) == "Long"


def test_topics_are_said_by_at_least_half_of_the_sources() -> None:
    said = {str(number): ["the refund deadline is wrong"] for number in range(6)}
    said |= {str(number): ["no voucher arrived for the refund"] for number in range(6, 12)}
    said |= {"odd": ["where is my parcel"]}
    assert topics(said) == ["the refund"]
    assert asides(said)[:1] == ["the refund"]


def test_words_that_stand_together_more_often_than_apart_are_one_term() -> None:
    said = [
        "what is the minimum payment",
        "my minimum payment",
        "minimum payment of my bill",
        "minimum payment, please",
    ]
    said += ["a minimum I must have as payment", "the minimum of a payment", "payment, at a minimum"]
    assert terms({str(number): [text] for number, text in enumerate(said)})[0] == "minimum payment"


def test_of_equals_words_side_by_side_are_the_better_term() -> None:
    assert terms(_from_each("the refund deadline for digital courses")) == ["digital courses", "refund deadline"]


def test_forms_of_one_word_count_together() -> None:
    said = ["too many apologies", "it apologises too much", "apologized three times", "stop the apologies"]
    assert terms({str(number): [text] for number, text in enumerate(said)}) == ["apologies"]


def test_a_name_with_underscores_is_no_phrase() -> None:
    assert terms(_from_each("Tool run_tests timed out, order_lookup too")) == ["timed out", "tool"]


def test_complaints_without_shared_words_are_named_by_their_reason() -> None:
    assert label(Kind.COMPLAINT, reason_code="too_long") == "Answers too long"
    assert label(Kind.COMPLAINT, reason_code="other") == "Complaints in different words"


def test_beside_a_lone_noun_stands_what_else_half_of_the_sources_say() -> None:
    assert topics(_from_each("is it lost? my card is to arrive")) == ["the card", "“arrive”"]
    assert topics(_from_each("top up the card")) == ["the card", "“top up”"]


@pytest.mark.parametrize("said", ["I think it is soon", "this isn't what I didn't want", "between them, tomorrow"])
def test_what_fills_a_sentence_names_nothing(said: str) -> None:
    assert terms(_from_each(said), judging=True) == []


def test_where_no_word_reaches_half_a_third_will_do() -> None:
    said = {str(number): [f"the {thing} is wrong"] for number, thing in enumerate(["fee"] * 4 + ["date"] * 3 + ["x1"])}
    assert topics(said) == ["the fee"]
    assert topics({thing: [f"the {thing} is wrong"] for thing in ("fee", "date", "voucher", "parcel")}) == []


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("the refund deadline was off", ["the refund deadline"]),
        ("my card was blocked by your cards", ["the card"]),
        ("too many apologies, stop the apologies", ["apologies"]),
        ("shipping is free, nothing about shipping", ["shipping"]),
        ("I want to cancel", ["“cancel”"]),
        ("it was declined", ["“declined”"]),
        ("the address is wrong", ["the address"]),
    ],
)
def test_a_topic_is_written_as_a_sentence_takes_it(said: str, expected: list[str]) -> None:
    assert topics(_from_each(said))[:1] == expected


def test_words_that_tell_one_set_of_texts_from_another() -> None:
    back = {f"b{n}": [f"I want my money back for parcel {n}"] for n in range(4)}
    late = {f"l{n}": [f"where is my parcel, order {n}"] for n in range(4)} | {"odd": ["the parcel came back"]}
    assert apart(back, late) == ["money back for parcel"]
    assert apart(late, back) == ["order"]
    assert apart(back, {}) == apart({}, back) == apart(back, back) == []
    assert apart(back, late, min_sources=5) == []


@given(_HOSTILE)
def test_topics_are_words_only(text: str) -> None:
    assert all(_TOPIC.search(topic) for topic in topics(_from_each(text)))


def test_a_verdict_is_what_half_of_the_sources_say() -> None:
    assert verdict({"a": ["Wrong!"], "b": ["totally incorrect deadline"], "c": ["hm"], "d": ["no"]}) == "wrong"
    assert verdict({"a": ["wrong"], "b": ["hm"], "c": ["slow"]}) == ""
    assert verdict({"a": ["It told me one year"], "b": ["said one year, it is three"], "c": ["hm"]}) == "wrong"
    assert verdict({}) == ""


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
    assert label(Kind.MISLABEL, ["money back"], predicted="b", expected="refund") == "B → refund (money back)"
    long = label(Kind.MISLABEL, ["money back", "double order"], predicted="b" * 30, expected="r" * 30)
    assert long.endswith("r (money back)")
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


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (["set a timer", "please set the timer", "I set my timer"], ["set the timer"]),
        (["Where is my PIN?", "I lost the PIN", "a PIN again"], ["PIN"]),
        (["move my 401k", "is the 401k safe", "a 401k loan"], ["401k"]),
        (["was it delivered", "no delivery yet, delivered?", "delivery: not delivered"], ["delivered"]),
        (["THE REFUND IS LATE", "REFUND NOW", "WHERE IS THE REFUND"], ["refund"]),
    ],
)
def test_terms_are_phrases_as_people_write_them(said: list[str], expected: list[str]) -> None:
    assert terms({str(number): [text] for number, text in enumerate(said)}) == expected


def test_a_lone_word_in_a_label_gets_what_two_sources_say_of_it() -> None:
    said = {"a": ["my car's tire pressure"], "b": ["tires have low pressure"], "c": ["tell the tire pressure"]}
    assert telling(said, ["pressure", "tire"]) == ["tire pressure"]
    said = {"a": ["the car is in the shop"], "b": ["bring my car to a shop"], "c": ["a car"]}
    assert telling(said, ["car"]) == ["car", "shop"]
    said = {"a": ["what is life about"], "b": ["the meaning of life"], "c": ["has life a purpose"], "d": ["life?"]}
    assert telling(said | {"e": ["is there a meaning of life"]}, ["life", "meaning"]) == ["meaning of life"]
    assert telling(said, ["green tea"]) == ["green tea"]


def test_a_label_begins_with_what_names_something() -> None:
    said = {"a": ["how much vacation have i left"], "b": ["any vacation left?"], "c": ["days left of my vacation"]}
    assert telling(said, ["left", "vacation"]) == ["vacation", "left"]
    assert telling(said, ["vacation", "left"]) == ["vacation", "left"]


def test_a_verb_alone_is_left_open_in_a_label() -> None:
    said = {"a": ["can you suggest a meal"], "b": ["please suggest dinner"], "c": ["i want you to suggest it"]}
    assert label(Kind.COMPLAINT, telling(said, ["suggest"])) == "Suggest …"
    praised = {"a": ["very helpful"], "b": ["helpful!"], "c": ["so helpful of you"]}
    assert telling(praised, ["helpful"]) == ["helpful"]


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("<*> Served block <*> to <*>", "Served block … to …"),
        ("<*> ( ) found <*> <*>", "Found …"),
        ("search_help : <*> limited", "search_help: … limited"),
    ],
)
def test_an_error_is_named_without_ragged_ends(template: str, expected: str) -> None:
    assert label(Kind.ERROR, template=template) == expected
