"""The slow, thorough reading of a body that the fast one refused or suspects: what is wrong, by field.

Everything here is off the fast path; a body is at most a megabyte, so it stays within some tens of milliseconds.
"""

import json
import math
from collections import Counter
from typing import Any, Final, get_args

import msgspec

from agents.problems import FieldError, Problem
from feedback.ingest.shapes import DEEPEST, FeedbackIn, RunIn

_LARGEST: Final = 2**63 - 1
_LONGEST_NUMBER: Final = 19

Path = tuple[str | int, ...]


class _Bad:
    """Stands in a tree for a value that JSON or the database cannot hold."""

    def __init__(self, why: str) -> None:
        self.why = why


class _Object(dict[str, Any]):
    """An object that remembers the keys it was given more than once."""

    repeated: tuple[str, ...] = ()


def load(body: bytes) -> Any:
    """The tree of a body, with bad values marked. Raises Problem (400) for what is not JSON at all."""
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise _unreadable(f"The body is not UTF-8: byte {error.start}.") from None
    try:
        return json.loads(text, object_pairs_hook=_object, parse_constant=_constant, parse_float=_float, parse_int=_int)
    except RecursionError:
        raise Problem(422, "invalid-body", "The body is nested too deeply.", errors=[_too_deep(())]) from None
    except json.JSONDecodeError as error:
        raise _unreadable(f"The body is not JSON: {error.msg}, line {error.lineno}, column {error.colno}.") from None


def flaws(tree: Any) -> list[FieldError]:
    """What no field may hold: repeated keys, NUL, lone surrogates, NaN, huge numbers, depth."""
    found: list[FieldError] = []
    _walk(tree, (), found)
    return found


def misfits(tree: Any, shape: type[FeedbackIn] | type[RunIn]) -> list[FieldError]:
    """Where a loaded tree does not fit a shape, all fields at once."""
    if not isinstance(tree, dict):
        return [{"loc": [], "msg": f"Send an object, not {_kind(tree)}."}]
    fields = {field.name: field for field in msgspec.structs.fields(shape)}
    found: list[FieldError] = [
        {"loc": [name[:80]], "msg": f"Unknown field. Known: {', '.join(fields)}."}
        for name in tree
        if name not in fields
    ]
    found += [
        {"loc": [name], "msg": "Required."} for name, field in fields.items() if field.required and name not in tree
    ]
    for name, field in fields.items():
        if name in tree:
            found += _misfit(name, tree[name], field.type)
    return found


def _misfit(name: str, value: Any, wanted: Any) -> list[FieldError]:
    if flaws(value):
        return []  # named already, and msgspec does not know the stand-ins
    try:
        msgspec.convert(value, wanted)
    except msgspec.ValidationError as error:
        allowed = _choices(wanted)
        message = f"Use one of {', '.join(allowed)}." if allowed else _plain(str(error))
        return [{"loc": [name], "msg": message}]
    return []


def _choices(wanted: Any) -> list[str]:
    return [choice for part in get_args(wanted) for choice in get_args(part) if isinstance(choice, str)]


def _plain(message: str) -> str:
    """msgspec's sentence without its path, which `loc` gives already, and without what only a programmer would say."""
    return message.partition(" - at ")[0].replace(" | null", "").replace("`", "") + "."


def _walk(value: Any, path: Path, found: list[FieldError]) -> None:
    if isinstance(value, _Bad):
        found.append({"loc": list(path), "msg": value.why})
    elif isinstance(value, str):
        found += _text_flaws(value, path)
    elif len(path) > DEEPEST and isinstance(value, dict | list):
        found.append(_too_deep(path))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _walk(item, (*path, index), found)
    elif isinstance(value, dict):
        for key in getattr(value, "repeated", ()):
            found.append({"loc": [*path, _shown(key)], "msg": "This key is given more than once."})
        for key, item in value.items():
            found += _text_flaws(key, (*path, _shown(key)))
            _walk(item, (*path, _shown(key)), found)


def _text_flaws(text: str, path: Path) -> list[FieldError]:
    if "\0" in text:
        return [{"loc": list(path), "msg": "Contains a NUL character (\\u0000)."}]
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        return [{"loc": list(path), "msg": "Contains half of a surrogate pair, which is no character."}]
    return []


def _shown(key: str) -> str:
    return key[:80].encode("unicode_escape").decode() if _text_flaws(key, ()) else key[:80]


def _too_deep(path: Path) -> FieldError:
    return {"loc": list(path[:DEEPEST]), "msg": f"Nested deeper than {DEEPEST} levels."}


def _object(pairs: list[tuple[str, Any]]) -> _Object:
    made = _Object(pairs)
    if len(made) < len(pairs):
        made.repeated = tuple(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
    return made


def _constant(name: str) -> _Bad:
    return _Bad(f"{name} is not a JSON number.")


def _float(digits: str) -> float | _Bad:
    number = float(digits)
    return number if math.isfinite(number) else _Bad("This number is too large.")


def _int(digits: str) -> int | _Bad:
    # Asked by length first: int() refuses thousands of digits with an error of its own.
    if len(digits.lstrip("-")) > _LONGEST_NUMBER or abs(int(digits)) > _LARGEST:
        return _Bad("This number is too large.")
    return int(digits)


def _kind(value: Any) -> str:
    names = {
        list: "a list",
        str: "a string",
        bool: "true or false",
        type(None): "null",
        int: "a number",
        float: "a number",
    }
    return names.get(type(value), "this")


def _unreadable(detail: str) -> Problem:
    return Problem(400, "invalid-json", detail, errors=[{"loc": [], "msg": detail}])
