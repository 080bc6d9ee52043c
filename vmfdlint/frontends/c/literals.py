"""The values of literals. In: their text. Out: numbers and strings, and constants computed from constants."""

import re

from vmfdlint.ir import Const, Opaque, Operand

_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]+|[0-7]{1,3}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)", re.DOTALL)
_SIMPLE = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v", "e": "\x1b", "\n": ""}
_INTEGER = re.compile(r"(-?)(0[xX][0-9a-fA-F]+|0[bB][01]+|[0-9]+)([uUlLzZ]*)")


def integer(text: str) -> int | None:
    """A C integer literal, with a sign if tree-sitter put it inside; None for a floating one."""
    found = _INTEGER.fullmatch(text.replace("'", ""))
    if found is None:
        return None
    sign, digits = found[1], found[2].lower()
    if digits.startswith("0x"):
        value = int(digits, 16)
    elif digits.startswith("0b"):
        value = int(digits[2:], 2)
    elif digits.startswith("0") and len(digits) > 1:
        try:
            value = int(digits, 8)
        except ValueError:
            return None
    else:
        value = int(digits)
    return -value if sign else value


def unescape(text: str) -> str:
    """The inside of a string or character literal with its escapes decoded."""
    return _ESCAPE.sub(_escape, text) if "\\" in text else text


def _escape(found: re.Match[str]) -> str:
    body = found[1]
    if body[0] in "xuU" and len(body) > 1:
        value = int(body[1:], 16)
        return chr(value) if value < 0x110000 and not 0xD800 <= value < 0xE000 else "�"
    if body[0] in "01234567":
        return chr(int(body, 8) & 0xFF)
    return _SIMPLE.get(body, body)


def negated(operand: Operand) -> Operand:
    """``-operand``. The errno constants come from headers that are not read: their negative is -1 where
    unknown."""
    if isinstance(operand, Const):
        if operand.value is None:
            return Const(-1, operand.names) if operand.names else Opaque("negative")
        return Const(-operand.value, operand.names)
    return Opaque("negative")


def computed(op: str, left: Const, right: Const) -> Operand:
    """``left op right`` for constants. Bits put together keep their names; a sum is none of its parts."""
    names = tuple(sorted({*left.names, *right.names})) if op in ("|", "&") else ()
    if left.value is None or right.value is None:
        return Const(None, names) if op == "|" and names else Opaque("constant " + op)
    a, b = left.value, right.value
    if op in ("<<", ">>") and not 0 <= b < 128:
        return Opaque("shift")
    if op in ("/", "%"):
        if b == 0:
            return Opaque("division by zero")
        quotient = abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)
        return Const(quotient if op == "/" else a - b * quotient, names)
    results = {
        "|": lambda: a | b,
        "&": lambda: a & b,
        "^": lambda: a ^ b,
        "+": lambda: a + b,
        "-": lambda: a - b,
        "*": lambda: a * b,
        "<<": lambda: a << b,
        ">>": lambda: a >> b,
    }
    return Const(results[op](), names) if op in results else Opaque(op)
