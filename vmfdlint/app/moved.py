"""An outcome after edits that have no say in it: its places, put where they stand now.

In: an outcome, and which lines moved. Out: the outcome of the sources as they are, or None where a place of
it is in no stretch of lines that is known to have moved as a whole.
"""

import re
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from vmfdlint.base import Shift, Span
from vmfdlint.finding import Outcome

Value = TypeVar("Value")

_PLACED = ("findings", "problems", "safe", "notices", "suppressed", "inventory", "subjects", "claims")


def moved(outcome: Outcome, shifts: Mapping[str, tuple[Shift, ...]]) -> Outcome | None:
    """``shifts`` by path: the lines of that file that still say the same."""
    put = _Put(shifts)
    try:
        return msgspec.structs.replace(outcome, **{name: put(getattr(outcome, name)) for name in _PLACED})
    except _UnknownLineError:
        return None


class _UnknownLineError(Exception):
    """A line is in none of the stretches."""


class _Put:
    """Puts whatever holds places."""

    def __init__(self, shifts: Mapping[str, tuple[Shift, ...]]) -> None:
        self._shifts = shifts
        names = "|".join(map(re.escape, sorted(shifts, key=len, reverse=True)))
        self._place = re.compile(rf"(?<![\w./-])({names}):(\d+)")

    def __call__(self, value: Value) -> Value:
        """The same with each place in it moved. Raises _UnknownLineError."""
        found: Any = value
        match value:
            case Span(path=path, line=line, end_line=end):
                if path in self._shifts:
                    by = self._by(path, line, end)
                    found = msgspec.structs.replace(value, line=line + by, end_line=end + by)
            case str():
                if any(path in value for path in self._shifts):
                    found = self._place.sub(self._numbered, value)
            case msgspec.Struct():
                fields = {name: self(getattr(value, name)) for name in value.__struct_fields__}
                found = msgspec.structs.replace(value, **fields)
            case tuple():
                found = tuple(map(self, value))
            case Mapping():
                found = {self(key): self(one) for key, one in value.items()}
        return found  # type: ignore[no-any-return]

    def _by(self, path: str, first: int, last: int) -> int:
        for shift in self._shifts[path]:
            if shift.first <= first and last <= shift.last:
                return shift.by
        raise _UnknownLineError

    def _numbered(self, place: re.Match[str]) -> str:
        line = int(place[2])
        return f"{place[1]}:{line + self._by(place[1], line, line)}"
