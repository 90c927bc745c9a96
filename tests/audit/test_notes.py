"""Signed notes, against the key and the note that the documentation of Go's package has."""

import pytest

from audit.notes import BadNote, Checkpoint, PrivateKey, PublicKey, opened, signed_note

PRIVATE = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
PUBLIC = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
NOTE = f"""{TEXT}
— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=
"""
OTHER = PrivateKey.generate("example.org/log")


def test_the_known_key_signs_the_known_note() -> None:
    key = PrivateKey.parse(f" {PRIVATE}\n")
    assert (key.text, key.public.text) == (PRIVATE, PUBLIC)
    assert signed_note(TEXT, [key]) == NOTE
    assert opened(NOTE, [PublicKey.parse(PUBLIC)]) == (TEXT, [key.public])


def test_one_of_two_signatures_is_enough_and_the_unknown_one_is_passed_over() -> None:
    peter = PrivateKey.parse(PRIVATE)
    note = signed_note(TEXT, [OTHER, peter])
    assert opened(note, [peter.public])[1] == [peter.public]
    assert opened(note, [OTHER.public, peter.public])[1] == [OTHER.public, peter.public]


@pytest.mark.parametrize(
    ("note", "problem"),
    [
        (NOTE.replace("answer", "Answer"), "changed after"),
        (NOTE.replace("JnAM=", "JnEM="), "changed after"),
        (NOTE.replace("JnAM=", "JnAN="), "cannot be read"),
        (NOTE.replace("PeterNeumann", "PeterOldmann"), "no key of this log"),
        (signed_note(TEXT, [OTHER]), "no key of this log"),
        (NOTE.replace("— Peter", "- Peter"), "cannot be read"),
        (NOTE.replace("x08go", "!!!!"), "cannot be read"),
        (TEXT, "not a signed note"),
        (NOTE[:-1], "not a signed note"),
        ("", "not a signed note"),
        (TEXT + "\n" + "— a AAAAAAAA\n" * 17, "too many"),
    ],
)
def test_a_note_that_was_tampered_with_is_refused(note: str, problem: str) -> None:
    with pytest.raises(BadNote, match=problem):
        opened(note, [PublicKey.parse(PUBLIC)])


@pytest.mark.parametrize("text", ["", "x", PRIVATE, PUBLIC[:-1], PUBLIC.replace("c74f", "c74e"), "a b+c74f20a3+AR"])
def test_what_is_no_public_key_is_refused(text: str) -> None:
    with pytest.raises(BadNote):
        PublicKey.parse(text)


@pytest.mark.parametrize("text", ["", PUBLIC, PRIVATE[:-1], PRIVATE.replace("c74f20a3", "00000000")])
def test_what_is_no_private_key_is_refused(text: str) -> None:
    with pytest.raises(BadNote):
        PrivateKey.parse(text)


def test_a_checkpoint_is_three_lines() -> None:
    text = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    found = Checkpoint.parse(text + "more\n")
    assert (found.origin, found.size) == ("example.com/behind-the-sofa", 20852163)
    assert found.text == text


@pytest.mark.parametrize("text", ["", "a\n1\n", "a\n01\nAA==\n", "a\n-1\nAA==\n", "a\n1\nAA==\n", "a\n٣\nAA==\n", TEXT])
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(BadNote):
        Checkpoint.parse(text)
