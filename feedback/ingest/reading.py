"""Bytes to checked reports.

The fast path is msgspec's. What msgspec lets pass and we do not is found by two cheap questions about the raw bytes:

* Are there as many colons as in the report written anew from what was understood? Colons stand after keys and within
  strings only, so one that is missing was in a key or value that was dropped: a repeated key, of which msgspec keeps
  the last. Only an escaped colon (`\\u003a`) could make up for it, hence the second question.
* Does it hold an escape that begins with `\\u00`? That may be NUL, which PostgreSQL cannot store, or such a colon.

When either answer is suspicious, `diagnosis` reads the body thoroughly and decides.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final, Generic, NamedTuple, TypeVar

import msgspec

from agents.problems import FieldError, Invalid, Problem
from agents.times import parse_time
from feedback.ingest import diagnosis
from feedback.ingest.shapes import DEEPEST, LONGEST_METADATA, FeedbackIn, RunIn

LONGEST_LIST: Final = 1000
AHEAD: Final = timedelta(minutes=5)
"""How far a sender's clock may be ahead; within it, the time counts as now, beyond it the report is refused."""

S = TypeVar("S", FeedbackIn, RunIn)

encode: Final = msgspec.json.Encoder(order="deterministic").encode
_UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_RAWS: Final = msgspec.json.Decoder(list[msgspec.Raw])
_MEANING: Final = ("rating", "reason_code", "reason", "correction", "signals", "expected")


class Read(NamedTuple, Generic[S]):
    """One good report: what was sent, its canonical spelling, and when it happened (UTC)."""

    sent: S
    canonical: bytes
    at: datetime


class Reader(Generic[S]):
    """Reads one kind of report."""

    def __init__(self, shape: type[S]) -> None:
        self.shape: type[S] = shape
        self._one: msgspec.json.Decoder[S] = msgspec.json.Decoder(shape)
        self._many = msgspec.json.Decoder(list[shape])  # type: ignore[valid-type]

    def one(self, body: bytes, now: datetime) -> Read[S]:
        """A single report. Raises Problem: 400 for what is no JSON, Invalid (422) naming the fields."""
        try:
            sent = self._one.decode(body)
        except _UNREADABLE:
            raise self._refusal(body) from None
        canonical = encode(sent)
        if b"\\u00" in body or body.count(b":") != canonical.count(b":"):
            found = diagnosis.flaws(diagnosis.load(body))
            if found:
                raise Invalid(found)
        return _checked(sent, canonical, now)

    def many(self, body: bytes, now: datetime) -> list[Read[S] | list[FieldError]]:
        """A list, report by report: each good, or its errors. Raises Problem for what is no list of ≤ 1000 at all."""
        good = self._quickly(body)
        if good is None:
            return [self._item(bytes(raw), now) for raw in self._split(body)]
        return [_checked_or_errors(sent, canonical, now) for sent, canonical in good]

    def _quickly(self, body: bytes) -> list[tuple[S, bytes]] | None:
        """All reports of a list, if there is nothing wrong and nothing suspicious anywhere."""
        try:
            sent: Sequence[S] = self._many.decode(body)
        except _UNREADABLE:
            return None
        _refuse_longer(len(sent))
        spelt = [encode(item) for item in sent]
        if b"\\u00" in body or body.count(b":") != sum(canonical.count(b":") for canonical in spelt):
            return None
        return list(zip(sent, spelt, strict=True))

    def _split(self, body: bytes) -> list[msgspec.Raw]:
        try:
            raws = _RAWS.decode(body)
        except _UNREADABLE:
            raise self._list_refusal(body) from None
        _refuse_longer(len(raws))
        return raws

    def _item(self, raw: bytes, now: datetime) -> Read[S] | list[FieldError]:
        try:
            return self.one(raw, now)
        except Problem as problem:
            return problem.errors or [{"loc": [], "msg": problem.detail}]

    def _refusal(self, body: bytes) -> Problem:
        tree = diagnosis.load(body)
        found = diagnosis.flaws(tree) + diagnosis.misfits(tree, self.shape)
        return Invalid(found or [{"loc": [], "msg": "This cannot be read."}])

    def _list_refusal(self, body: bytes) -> Problem:
        tree = diagnosis.load(body)
        return Invalid(diagnosis.flaws(tree) or [{"loc": [], "msg": "Send an object or a list of objects."}])


def is_list(body: bytes) -> bool:
    """Whether a JSON body is a list."""
    return body.lstrip(b" \t\r\n")[:1] == b"["


def _refuse_longer(length: int) -> None:
    if length > LONGEST_LIST:
        detail = f"A list has at most {LONGEST_LIST} reports; this one has {length}."
        raise Problem(413, "list-too-long", detail, errors=[{"loc": [], "msg": detail}])


def _checked_or_errors(sent: S, canonical: bytes, now: datetime) -> Read[S] | list[FieldError]:
    try:
        return _checked(sent, canonical, now)
    except Invalid as refused:
        return refused.errors or []


def _checked(sent: S, canonical: bytes, now: datetime) -> Read[S]:
    """The rules that no single field's type can say. Raises Invalid."""
    found: list[FieldError] = []
    at = now
    if sent.at:
        try:
            at = _moment(sent.at, now)
        except ValueError as error:
            found.append({"loc": ["at"], "msg": str(error)})
    if sent.id and not sent.id.isprintable():
        found.append({"loc": ["id"], "msg": "An id has printable characters only."})
    if sent.metadata:
        found += _metadata_errors(sent.metadata, canonical)
    if isinstance(sent, FeedbackIn) and not _says_something(sent):
        found.append({"loc": [], "msg": f"Give at least one of {', '.join(_MEANING)}."})
    if found:
        raise Invalid(found)
    return Read(sent, canonical, at)


def _says_something(sent: FeedbackIn) -> bool:
    """Whether any field of _MEANING is given; written out, since it is asked of every report."""
    return bool(sent.rating or sent.reason_code or sent.reason or sent.correction or sent.signals or sent.expected)


def _moment(sent: str, now: datetime) -> datetime:
    moment = parse_time(sent)
    if moment > now + AHEAD:
        raise ValueError("This time is more than five minutes in the future.")
    return min(moment, now)


def _metadata_errors(metadata: dict[str, Any], canonical: bytes) -> list[FieldError]:
    if len(canonical) > LONGEST_METADATA and len(encode(metadata)) > LONGEST_METADATA:
        return [{"loc": ["metadata"], "msg": f"Metadata has at most {LONGEST_METADATA} bytes of JSON."}]
    return _free_form_errors(metadata, ("metadata",))


def _free_form_errors(value: Any, path: tuple[str | int, ...]) -> list[FieldError]:
    """Depth and size of numbers in free-form JSON, which msgspec leaves open."""
    if isinstance(value, int) and abs(value) > 2**63 - 1:
        return [{"loc": list(path), "msg": "This number is too large."}]
    if not isinstance(value, dict | list):
        return []
    if len(path) > DEEPEST:
        return [{"loc": list(path), "msg": f"Nested deeper than {DEEPEST} levels."}]
    items = value.items() if isinstance(value, dict) else enumerate(value)
    return [error for key, item in items for error in _free_form_errors(item, (*path, key))]
