"""Which groups may still grow: those that grew last. So a text costs the same however many were ever made."""

from collections import OrderedDict


class Window:
    """Of groups, by number, the `most` that grew last; those it leaves out come back, the last first, as others go.

    Which ones are in follows from when each group grew last and from nothing else, so it is the same when a stream
    is cut anywhere and the groups are read anew.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._in: OrderedDict[int, None] = OrderedDict()
        self._out: list[int] = []

    def grow(self, number: int) -> int | None:
        """A group that is in, or new, grew; the one that goes out for it."""
        self._in[number] = None
        self._in.move_to_end(number)
        if len(self._in) <= self._most:
            return None
        self._out.append(self._in.popitem(last=False)[0])
        return self._out[-1]

    def leave(self, number: int) -> int | None:
        """A group is no more of this sort; the one that comes back for it."""
        if number not in self._in:
            return None
        del self._in[number]
        if not self._out:
            return None
        back = self._out.pop()
        self._in[back] = None
        self._in.move_to_end(back, last=False)
        return back


class Windows:
    """The groups of one agent and kind: few at first, `waiting` of those, and those of `settled` members or more."""

    def __init__(self, waiting: int, recurring: int, settled: int) -> None:
        self._few, self._many, self._settled = Window(waiting), Window(recurring), settled

    def grow(self, number: int, size: int) -> tuple[list[int], list[int]]:
        """A group has `size` members now; (the groups that go out for it, those that come back)."""
        is_many = size >= self._settled
        back = self._few.leave(number) if is_many else None
        out = (self._many if is_many else self._few).grow(number)
        return [number for number in (out,) if number is not None], [n for n in (back,) if n is not None]

    def leave(self, number: int) -> list[int]:
        """A group is no more; those that come back for it."""
        found = (self._few.leave(number), self._many.leave(number))
        return [number for number in found if number is not None]
