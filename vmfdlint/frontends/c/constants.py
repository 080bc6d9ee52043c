"""Values of constant expressions. In: C text and a way to look names up. Out: Const, Text, or None for no
constant.
"""

import operator
import re
from collections.abc import Callable

from vmfdlint.frontends.c.macros import MACROS
from vmfdlint.frontends.c.preprocess import split_arguments
from vmfdlint.ir import Const, Text

Value = Const | Text | None
_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d[\w.]*|\.\d\w*)|(?P<name>[A-Za-z_]\w*)|(?P<string>\"(?:[^\"\\]|\\.)*\")"
    r"|(?P<char>'(?:[^'\\]|\\.)+')|(?P<op><<|>>|<=|>=|==|!=|&&|\|\||->|.))",
    re.S,
)
_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]+|[0-7]{1,3}|.)", re.S)
_PLAIN_ESCAPES = {
    "n": "\n",
    "t": "\t",
    "r": "\r",
    "0": "\0",
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "v": "\v",
    "e": "\x1b",
}
_BINARY: dict[str, tuple[int, Callable[[int, int], int]]] = {
    "||": (1, lambda a, b: int(bool(a or b))),
    "&&": (2, lambda a, b: int(bool(a and b))),
    "|": (3, operator.or_),
    "^": (4, operator.xor),
    "&": (5, operator.and_),
    "==": (6, lambda a, b: int(a == b)),
    "!=": (6, lambda a, b: int(a != b)),
    "<": (7, lambda a, b: int(a < b)),
    ">": (7, lambda a, b: int(a > b)),
    "<=": (7, lambda a, b: int(a <= b)),
    ">=": (7, lambda a, b: int(a >= b)),
    "<<": (8, operator.lshift),
    ">>": (8, operator.rshift),
    "+": (9, operator.add),
    "-": (9, operator.sub),
    "*": (10, operator.mul),
    "/": (10, lambda a, b: abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)),
    "%": (10, lambda a, b: a - abs(a) // abs(b) * abs(b) * (1 if a >= 0 else -1)),
}
_TYPE_WORDS = frozenset(
    ("void", "char", "short", "int", "long", "float", "double", "signed", "unsigned", "bool", "_Bool")
)
_MOST_TOKENS = 2000
_MOST_DEPTH = 60
_MOST_BITS = 64


class NotConstant(Exception):
    """Raised inside this module where a text is no constant expression."""


def decoded(literal: str) -> str:
    """A string literal with its quotes -> its contents, escapes decoded."""

    def character(match: re.Match[str]) -> str:
        code = match.group(1)
        if code[0] == "x" and len(code) > 1:
            return chr(int(code[1:], 16) & 0xFF)
        if code[0] in "01234567":
            return chr(int(code, 8) & 0xFF)
        return _PLAIN_ESCAPES.get(code, code)

    return _ESCAPE.sub(character, literal[1:-1])


def number(text: str) -> int | None:
    """An integer literal with its suffix -> its value; None for a floating one."""
    bare = text.rstrip("uUlL").replace("'", "")
    try:
        if len(bare) > 1 and bare[0] == "0" and bare[1] in "01234567":
            return int(bare, 8)
        return int(bare, 0)
    except ValueError:
        return None


def evaluate(text: str, named: Callable[[str], Value], called: Callable[[str, list[str]], Value]) -> Value:
    """The value of a C expression, None where it is no constant.

    ``named`` gives the value of a name, ``called`` that of ``name(args)`` other than sizeof and the ioctl
    encoders. A name in the result's ``names`` is one that ``named`` put there.
    """
    if len(text) > 4 * _MOST_TOKENS:
        return None
    reader = _Reader(text, named, called)
    try:
        value = reader.expression(0)
    except NotConstant:
        return None
    return value if reader.at == len(reader.tokens) else None


class _Reader:
    """Precedence climbing over the tokens of one expression."""

    def __init__(
        self, text: str, named: Callable[[str], Value], called: Callable[[str, list[str]], Value]
    ) -> None:
        self.tokens = [
            (match.lastgroup or "", match.group().strip()) for match in _TOKEN.finditer(text.strip())
        ]
        if len(self.tokens) > _MOST_TOKENS:
            self.tokens = []
        self.at = 0
        self.depth = 0
        self.named = named
        self.called = called

    def peek(self, ahead: int = 0) -> str:
        place = self.at + ahead
        return self.tokens[place][1] if place < len(self.tokens) else ""

    def expression(self, floor: int) -> Const | Text:
        self.depth += 1
        if self.depth > _MOST_DEPTH:
            raise NotConstant
        left = self.unary()
        while self.peek() in _BINARY and _BINARY[self.peek()][0] > floor:
            rank, function = _BINARY[self.peek()]
            self.at += 1
            left = _combined(function, left, self.expression(rank))
        if floor == 0 and self.peek() == "?":
            left = self.choice(left)
        self.depth -= 1
        return left

    def choice(self, condition: Const | Text) -> Const | Text:
        """``condition ? a : b``; both where the condition is unknown gives no constant."""
        self.at += 1
        yes = self.expression(0)
        if self.peek() != ":" or not isinstance(condition, Const) or condition.value is None:
            raise NotConstant
        self.at += 1
        no = self.expression(0)
        return yes if condition.value else no

    def unary(self) -> Const | Text:
        token = self.peek()
        if token in ("-", "~", "+", "!"):
            self.at += 1
            self.depth += 1
            value = self.unary() if self.depth < _MOST_DEPTH else None
            self.depth -= 1
            if not isinstance(value, Const):
                raise NotConstant
            return _signed(token, value)
        if token == "(":
            return self.parenthesis()
        return self.primary()

    def parenthesis(self) -> Const | Text:
        closed = self.closing()
        inside = self.tokens[self.at + 1 : closed]
        following = self.tokens[closed + 1] if closed + 1 < len(self.tokens) else ("", "")
        is_type = (
            bool(inside)
            and all(kind == "name" or token == "*" for kind, token in inside)
            and (
                inside[0][1] in _TYPE_WORDS
                or inside[-1][1] == "*"
                or inside[0][1].endswith("_t")
                or len(inside) > 1
            )
        )
        starts = following[0] in ("number", "name", "string", "char") or following[1] in ("(", "~", "-")
        looks_cast = (
            len(inside) == 1 and inside[0][0] == "name" and (following[0] in ("number", "name", "char"))
        )
        if (is_type or looks_cast) and starts:
            self.at = closed + 1
            return self.unary()
        self.at += 1
        value = self.expression(0)
        if self.peek() != ")":
            raise NotConstant
        self.at += 1
        return value

    def closing(self) -> int:
        depth = 0
        for place in range(self.at, len(self.tokens)):
            token = self.tokens[place]
            if token[0] == "op":
                depth += (token[1] == "(") - (token[1] == ")")
                if depth == 0:
                    return place
        raise NotConstant

    def primary(self) -> Const | Text:
        if self.at >= len(self.tokens):
            raise NotConstant
        kind, token = self.tokens[self.at]
        if kind == "number":
            self.at += 1
            return Const(number(token))
        if kind == "char":
            self.at += 1
            text = decoded(token)
            return Const(ord(text) if len(text) == 1 else None)
        if kind == "string" or (kind == "name" and self.next_is_string()):
            return self.string()
        if kind != "name":
            raise NotConstant
        if self.peek(1) == "(":
            return self.call(token)
        self.at += 1
        return _required(self.named(token))

    def next_is_string(self) -> bool:
        return self.at + 1 < len(self.tokens) and self.tokens[self.at + 1][0] == "string"

    def string(self) -> Text:
        """Adjacent literals and names of literals, joined."""
        pieces: list[str] = []
        while self.at < len(self.tokens) and self.tokens[self.at][0] in ("string", "name"):
            kind, token = self.tokens[self.at]
            value = Text(decoded(token)) if kind == "string" else self.named(token)
            if not isinstance(value, Text):
                raise NotConstant
            pieces.append(value.value)
            self.at += 1
        return Text("".join(pieces))

    def call(self, name: str) -> Const | Text:
        self.at += 1
        opened = self.at
        closed = self.closing()
        inside = " ".join(token for _, token in self.tokens[opened + 1 : closed])
        self.at = closed + 1
        if name == "sizeof":
            return Const(MACROS.sizes.get(_type_name(inside)))
        args = split_arguments(inside)
        if name in MACROS.ioctl:
            return self.ioctl(name, args)
        return _required(self.called(name, args))

    def ioctl(self, name: str, args: list[str]) -> Const:
        """The number made by _IO and its kin, as asm-generic/ioctl.h lays it out: direction, size, type,
        number.
        """
        direction = MACROS.ioctl[name]
        if len(args) != (3 if direction else 2):
            raise NotConstant
        group, nr = (evaluate(arg, self.named, self.called) for arg in args[:2])
        size = MACROS.sizes.get(_type_name(args[2])) if direction else 0
        if not isinstance(group, Const) or not isinstance(nr, Const):
            raise NotConstant
        if group.value is None or nr.value is None or size is None:
            return Const(None)
        return Const(direction << 30 | size << 16 | group.value << 8 | nr.value)


def _type_name(text: str) -> str:
    words = [word for word in text.replace("*", " * ").split() if word not in ("const", "volatile")]
    return "void *" if words and words[-1] == "*" else " ".join(words)


def _required(value: Value) -> Const | Text:
    if value is None:
        raise NotConstant
    return value


def _combined(function: Callable[[int, int], int], left: Const | Text, right: Const | Text) -> Const:
    if not isinstance(left, Const) or not isinstance(right, Const):
        raise NotConstant
    names = tuple(sorted({*left.names, *right.names}))
    if left.value is None or right.value is None:
        return Const(None, names)
    if function in (operator.lshift, operator.rshift) and not 0 <= right.value <= _MOST_BITS:
        return Const(None, names)
    try:
        value = function(left.value, right.value)
    except ZeroDivisionError:
        return Const(None, names)
    return Const(value if value.bit_length() <= 2 * _MOST_BITS else None, names)


def _signed(sign: str, value: Const) -> Const:
    if value.value is None:
        # The numbers of errno differ between machines, but all of them are positive.
        errno = sign == "-" and len(value.names) == 1 and re.fullmatch(r"E[A-Z0-9]+", value.names[0])
        return Const(-1 if errno else None, value.names)
    result = {"-": -value.value, "~": ~value.value, "+": value.value, "!": int(not value.value)}[sign]
    return Const(result, value.names)
