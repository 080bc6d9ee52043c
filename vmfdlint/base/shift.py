"""Lines that stand elsewhere after an edit."""

from collections.abc import Iterable

import msgspec


class Shift(msgspec.Struct, frozen=True, order=True):
    """The lines ``first`` to ``last`` of a file, from 1, now stand ``by`` lines further down."""

    first: int
    last: int
    by: int


def in_order(shifts: Iterable[Shift]) -> bool:
    """Whether what moved still stands in the order that it stood in."""
    before = sorted(shifts)
    after = [(one.first + one.by, one.last + one.by) for one in before]
    return after == sorted(after)
