"""Functions of a file that changed beside those of an earlier run. In: the functions that were kept, and what
each has become. Out: for each whether it is the same, and where its lines are now.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

import msgspec

from vmfdlint.base import Shift
from vmfdlint.link.units import FILE

UNKEPT = msgspec.Raw(msgspec.msgpack.encode(None))
"""In the place of a function that no row can hold."""


class Comparison:
    """Each function is lowered and compared when it is asked about."""

    def __init__(
        self,
        before: Mapping[str, msgspec.Raw],
        by_name: Mapping[str, Sequence[str]],
        now: Callable[[str], msgspec.Raw | None],
    ) -> None:
        """``before`` holds the functions by what they were kept under, ``by_name`` gives that for what they
        are called, and ``now`` what has become of one, None where it is gone."""
        self._before = before
        self._by_name = by_name
        self._now = now
        self._known: dict[str, tuple[Shift, ...] | None] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """What the functions are called."""
        return tuple(self._by_name)

    def moved(self, name: str) -> tuple[Shift, ...] | None:
        """How far a function has moved that still comes to the same; None where it does not, or was not
        lowered before. Of several that are called the same, all have to."""
        if name not in self._known:
            self._known[name] = self._find(name)
        return self._known[name]

    def _find(self, name: str) -> tuple[Shift, ...] | None:
        found: list[Shift] = []
        for one in self._by_name.get(name, ()):
            before, now = self._before[one], self._now(one)
            moved = None if now is None or UNKEPT in (before, now) else _shifts(before, now)
            if moved is None:
                return None
            found += moved
        return tuple(found) if name in self._by_name else None


def _shifts(before: msgspec.Raw, after: msgspec.Raw) -> tuple[Shift, ...] | None:
    """How far the lines of a kept function have moved, None where it is another one now. At file level
    neither lines nor columns count."""
    old, new = msgspec.msgpack.decode(before), msgspec.msgpack.decode(after)
    outside = old[0]["key"]["name"] == FILE
    lines: tuple[list[int], list[int]] = [], []
    if _levelled(old, lines[0], outside) != _levelled(new, lines[1], outside):
        return None
    pairs = dict(zip(*lines, strict=True))
    if outside:
        return ()
    if [pairs[line] for line in lines[0]] != lines[1]:
        return None  # what stood in one line stands in several
    moved = sorted((line, now - line) for line, now in pairs.items())
    stretches = [list(group) for _by, group in groupby(moved, itemgetter(1))]
    return tuple(Shift(one[0][0], one[-1][0], one[0][1]) for one in stretches)


def _levelled(value: Any, lines: list[int], outside: bool) -> Any:
    """A kept function without its lines, which go to ``lines`` in their order; without its columns, too,
    where it stands ``outside`` of all functions."""
    if isinstance(value, list):
        return [_levelled(item, lines, outside) for item in value]
    if not isinstance(value, dict):
        return value
    found = {name: _levelled(item, lines, outside) for name, item in value.items()}
    if "end_line" in value:
        lines += (value["line"], value["end_line"])
        found |= dict.fromkeys(("line", "end_line", *(("col", "end_col") if outside else ())), 0)
    return found
