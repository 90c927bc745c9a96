"""What can go wrong that the caller has to know of."""

from collections.abc import Mapping, Sequence
from typing import Any


class Error(Exception):
    """All errors of this client."""


class NeverServed(Error):
    """The board gave no instructions, and there is no copy of any that it gave before."""


class Refused(Error):
    """The board will not take this report, now or later. `errors` names the fields: `[{"loc": [...], "msg": "…"}]`."""

    def __init__(self, status: int, detail: str, errors: Sequence[Mapping[str, Any]] = ()) -> None:
        named = "; ".join(f"{'.'.join(map(str, one.get('loc', [])))}: {one.get('msg', '')}" for one in errors)
        super().__init__(f"{status}: {detail}" + (f" ({named})" if named and named not in detail else ""))
        self.status = status
        self.detail = detail
        self.errors = list(errors)
