"""Constants computed from constants. In: operators and operands. Out: a constant, or None."""

import re
from collections.abc import Callable, Mapping
from operator import add, and_, floordiv, lshift, mul, or_, rshift, sub, xor

from vmfdlint.ir import Const, Flags, Operand, Place, Root, Text

_BINARY: Mapping[str, Callable[[int, int], int]] = {
    "+": add,
    "-": sub,
    "*": mul,
    "|": or_,
    "&": and_,
    "^": xor,
    "<<": lshift,
    ">>": rshift,
    "//": floordiv,
}
NOTHING = Place(Root.LOCAL, "%bits")
"""The base of a complement (``~FD_CLOEXEC``) until it is put to a variable."""
_WIDEST = 1 << 64
_DIRECTIONS = {"_IO": 0, "IO": 0, "_IOW": 1, "IOW": 1, "_IOR": 2, "IOR": 2, "_IOWR": 3, "IOWR": 3}
_DIRECTIVE = re.compile(r"%(?:\([^)]*\))?[-#0 +]*(?:\*|\d+)?(?:\.(?:\*|\d+))?[hlL]?([diouxXeEfFgGcrsa%])")
_FIELD = re.compile(r"\{\{|\}\}|\{[^{}]*\}")


def binary(operator: str, left: Operand, right: Operand) -> Operand | None:
    """``left operator right`` where it is known, or flags put together."""
    union = operator == "|"
    if operator in ("|", "&"):
        left, right = named(left), named(right)
    if isinstance(left, Const) and isinstance(right, Const):
        names = tuple(sorted({*left.names, *right.names})) if union else ()
        function = _BINARY.get(operator)
        if left.value is None or right.value is None or function is None:
            return Const(None, names) if names else None
        if operator in ("<<", "*") and max(left.value, right.value) > _WIDEST:
            return None
        if operator in ("<<", ">>") and not 0 <= right.value <= 64:
            return None
        try:
            return Const(function(left.value, right.value), names)
        except ZeroDivisionError:
            return None
    if union:
        place, bits = (left, right) if isinstance(left, Place | Flags) else (right, left)
        if isinstance(place, Place) and isinstance(bits, Const) and bits.names:
            return Flags(place, bits.names)
        if isinstance(place, Flags) and isinstance(bits, Const) and bits.names:
            return Flags(place.base, (*place.on, *bits.names), _without(place.off, bits.names))
    complement = operator == "&" and isinstance(right, Flags) and right.base == NOTHING
    if complement and isinstance(left, Place) and isinstance(right, Flags):
        return Flags(left, (), right.off)
    if operator == "+" and isinstance(left, Text) and isinstance(right, Text):
        return Text(left.value + right.value)
    return None


def _without(names: tuple[str, ...], others: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(one for one in names if one not in others)


def named(operand: Operand) -> Operand:
    """A name in capitals that is known elsewhere (``os.O_CLOEXEC``) as the constant of that name."""
    if isinstance(operand, Place) and operand.is_global and not operand.fields and not operand.unit:
        plain = operand.name.rpartition(".")[2]
        if plain.isupper():
            return Const(None, (plain,))
    return operand


def request(name: str, args: tuple[Operand, ...]) -> Const | None:
    """``_IO(0xAE, 0x01)`` and its kin: the number of an ioctl request (asm-generic/ioctl.h).

    The size is left at 0 where it is not a constant: type and number tell the request.
    """
    values = [one.value if isinstance(one, Const) else None for one in args]
    plain = name.rpartition(".")[2].upper()
    if plain in _DIRECTIONS and len(values) >= 2 and values[0] is not None and values[1] is not None:
        size = (values[2] or 0) if len(values) > 2 else 0
        return Const(_DIRECTIONS[plain] << 30 | (size & 0x3FFF) << 16 | values[0] << 8 | values[1])
    if plain in ("_IOC", "IOC") and len(values) == 4 and None not in values[:3]:
        direction, kind, number = (value or 0 for value in values[:3])
        return Const((direction & 3) << 30 | ((values[3] or 0) & 0x3FFF) << 16 | kind << 8 | number)
    return None


def filled(args: tuple[Operand, ...]) -> Text | None:
    """A format with its values put in, where all of them are known."""
    texts = [_text(one) for one in args]
    if None in texts or not texts:
        return None
    try:
        return Text(str(texts[0]) % tuple(texts[1:]))
    except (TypeError, ValueError):
        return None


def path(parts: tuple[Operand, ...]) -> Text | None:
    """A path that is made of known parts: ``Path("/sys", "kernel")``."""
    texts = [one.value for one in parts if isinstance(one, Text)]
    return Text("/".join(texts)) if texts and len(texts) == len(parts) else None


def _text(operand: Operand | None) -> str | None:
    match operand:
        case Text(value=text):
            return text
        case Const(value=value) if value is not None:
            return str(value)
        case _:
            return None


def percent(text: str) -> str:
    """A ``%`` format with every directive as ``%s``."""
    return _DIRECTIVE.sub(lambda found: "%%" if found[1] == "%" else "%s", text)


def braces(text: str) -> str:
    """A ``str.format`` text with every field as ``%s``."""
    return _FIELD.sub(
        lambda found: found[0][0] if found[0] in ("{{", "}}") else "%s", text.replace("%", "%%")
    )
