"""Comparisons of two known numbers, for all who fold or prune branches."""

from collections.abc import Callable, Mapping
from operator import eq, ge, gt, le, lt, ne

_COMPARE: Mapping[str, Callable[[int, int], bool]] = {
    "==": eq,
    "!=": ne,
    "<": lt,
    "<=": le,
    ">": gt,
    ">=": ge,
    "&": lambda left, right: bool(left & right),
    "!&": lambda left, right: not left & right,
}


def holds(op: str, left: int, right: int) -> bool:
    """Whether ``left op right`` is true; ``op`` is one of :class:`Assume`'s."""
    return _COMPARE[op](left, right)
