"""What a path condition knows of a variable: its sign class, or the constant it holds.

A sign class is a bit mask of NEGATIVE, ZERO and POSITIVE. It decides guards; where it cannot, both edges
stay.
"""

from typing import TypeAlias

from vmfdlint.ir import Const, Flags, FuncRef, Text, holds

NEGATIVE, ZERO, POSITIVE = 1, 2, 4
ANY = NEGATIVE | ZERO | POSITIVE

FORKED = 8
"""Beside the bits of a sign class: it says which of two processes runs, as fork() answered."""

Value: TypeAlias = int | Const | Text | FuncRef | Flags
"""Flags: an unknown number of which some bits are known."""

RETURNED, RAISING = Const(0), Const(1)
"""What EXCEPTION is where a call returned, and where it ended by an exception."""

OTHER = Const(None, ("another number",))
"""What a place holds that surely does not hold the reference at hand."""

_BITS = frozenset({"&", "!&"})
_SWAPPED = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


def signs(value: Value) -> int:
    """The sign class of a value. Pointers to something count as positive; error numbers' names as
    negative. Whoever asks for bits has a number of bits, and none that says that a call failed."""
    if isinstance(value, int):
        return value & ANY
    if isinstance(value, Flags):
        return ZERO | POSITIVE
    if isinstance(value, Const):
        if value.value is None:
            return ANY
        return NEGATIVE if value.value < 0 else ZERO if value.value == 0 else POSITIVE
    if isinstance(value, Text) and not value.value:
        return ANY  # a condition takes it for nothing, a comparison with None does not
    return POSITIVE


def says_process(value: Value) -> bool:
    """Whether a value is what a fork answered."""
    return isinstance(value, int) and bool(value & FORKED)


def says_none(value: Value | None) -> bool:
    """Whether a program that stores this notes that there is nothing: 0, NULL or -1."""
    return isinstance(value, Const) and value.value in (0, -1)


def may_hold(value: Value, op: str, right: Value) -> bool:
    """Whether ``value op right`` can be true."""
    if op in _BITS:
        return _share(value, right) in (None, op == "&")
    if isinstance(value, Flags) and isinstance(right, Flags):
        apart = not (set(value.on).isdisjoint(right.off) and set(value.off).isdisjoint(right.on))
        return op != "==" or not apart
    if isinstance(value, Text) and isinstance(right, Text):
        # A text with directives stands for many.
        return "%" in value.value + right.value or (value.value == right.value) is (op in ("==", "<=", ">="))
    if isinstance(value, Const) and isinstance(right, Const):
        if value.value is not None and right.value is not None:
            return holds(op, value.value, right.value)
        if value.names and value.names == right.names:
            return op in ("==", "<=", ">=")
    if isinstance(right, Const) and right.value is not None:
        return bool(narrow(signs(value), op, right.value))
    if isinstance(right, int):
        return bool(_meet(signs(value), op, signs(right)))
    return True


def _share(value: Value, right: Value) -> bool | None:
    """Whether two sets of bits have one in common; None where that is not known. Different names are taken
    for different bits."""
    if not isinstance(right, Const):
        return None
    if isinstance(value, Const):
        if value.value is not None and right.value is not None:
            return holds("&", value.value, right.value)
        if value.value == 0:
            return False
        if value.names and right.names:
            return not set(value.names).isdisjoint(right.names)
    if isinstance(value, Flags) and right.names:
        if not set(value.on).isdisjoint(right.names):
            return True
        if set(value.off) >= set(right.names):
            return False
    return None


def narrow(mask: int, op: str, number: int) -> int:
    """The part of a sign class that can satisfy ``op number``; 0 for none. FORKED stays with what is left."""
    if op in _BITS:
        return mask & ~ZERO if op == "&" else mask
    result = 0
    for sign, low, high in ((NEGATIVE, -(1 << 62), -1), (ZERO, 0, 0), (POSITIVE, 1, 1 << 62)):
        if mask & sign and _range_meets(low, high, op, number):
            result |= sign
    return result | mask & FORKED if result else 0


def _range_meets(low: int, high: int, op: str, number: int) -> bool:
    match op:
        case "==":
            return low <= number <= high
        case "!=":
            return not (low == high == number)
        case "<":
            return low < number
        case "<=":
            return low <= number
        case ">":
            return high > number
        case _:
            return high >= number


def _meet(left: int, op: str, right: int) -> int:
    """Sign classes compared with each other; exact only for (in)equality with zero."""
    if op == "==":
        return left & right
    if op == "!=" and left == right == ZERO:
        return 0
    return left


def implied(op: str, right: Value, managed: bool) -> Value | None:
    """What a satisfied comparison says of its left side; None where it says nothing. ``managed``: of a
    language of objects, where what is nothing may be an empty collection as well as the number 0."""
    if managed and op == "==" and right == Const(0):
        return ZERO
    if isinstance(right, Text):
        return right if op == "==" and "%" not in right.value else None
    if not isinstance(right, Const):
        return None
    if op in _BITS:
        return None
    if op == "==":
        return right if right.value is not None or right.names else None
    if right.value is None:
        return None
    if op == "!=" and right.value == -1:
        return ZERO | POSITIVE  # who asks for -1 alone knows of no other negative answer
    mask = narrow(ANY, op, right.value)
    return None if mask == ANY else mask


def swapped(op: str) -> str:
    """The comparison with its sides exchanged."""
    return _SWAPPED.get(op, op)
