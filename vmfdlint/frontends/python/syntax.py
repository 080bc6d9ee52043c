"""The libcst nodes that mean something: children without white space, dotted names, literals."""

from collections.abc import Iterator
from dataclasses import fields
from functools import cache

import libcst as cst

_FORM = ("whitespace", "lpar", "rpar", "comma", "semicolon", "lbracket", "rbracket", "lbrace", "rbrace")
_LINES = ("leading_lines", "lines_after", "header", "footer", "indent", "trailing_whitespace")


@cache
def _semantic(kind: type[cst.CSTNode]) -> tuple[str, ...]:
    """The fields of a node type that hold more than form."""
    return tuple(
        each.name for each in fields(kind) if not each.name.startswith((*_FORM, *_LINES)) and each.init
    )


_NODES: dict[type, bool] = {}


def _is_node(kind: type) -> bool:
    """Whether a type is one of libcst's nodes; isinstance() asks an abstract class, which is slow."""
    known = _NODES.get(kind)
    if known is None:
        known = _NODES[kind] = issubclass(kind, cst.CSTNode)
    return known


def children(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """The nodes right below, in the order of the fields."""
    for name in _semantic(type(node)):
        value = getattr(node, name)
        if isinstance(value, (tuple, list)):
            for each in value:
                if _is_node(type(each)):
                    yield each
        elif _is_node(type(value)):
            yield value


SCOPES = (cst.FunctionDef, cst.Lambda, cst.ClassDef)
"""What opens a scope of names."""


def walk(node: cst.CSTNode, into_scopes: bool = False) -> Iterator[cst.CSTNode]:
    """Every node at or below one, without recursion; of a function, lambda or class only the node itself."""
    stack = [node]
    while stack:
        current = stack.pop()
        yield current
        if into_scopes or type(current) not in SCOPES:
            stack.extend(reversed(list(children(current))))


def dotted(node: cst.CSTNode | None) -> str:
    """``a.b.c`` of a name or a chain of attributes, "" for anything else."""
    parts: list[str] = []
    while isinstance(node, cst.Attribute):
        parts.append(node.attr.value)
        node = node.value
    if not isinstance(node, cst.Name):
        return ""
    parts.append(node.value)
    return ".".join(reversed(parts))


def literal(node: cst.CSTNode) -> str | None:
    """The text of a string literal without replacement fields, bytes read as latin-1; None for others."""
    if isinstance(node, cst.SimpleString | cst.ConcatenatedString):
        try:
            value = node.evaluated_value
        except (SyntaxError, ValueError, UnicodeError):
            return None
        return value.decode("latin-1") if isinstance(value, bytes) else value
    return None


def form_of(node: cst.FormattedString) -> str:
    """An f-string as a format: ``%s`` for each value."""
    parts = (
        each.value.replace("%", "%%") if isinstance(each, cst.FormattedStringText) else "%s"
        for each in node.parts
    )
    return "".join(parts)


_SIGNS = {
    "Add": "+",
    "Subtract": "-",
    "Multiply": "*",
    "BitOr": "|",
    "BitAnd": "&",
    "BitXor": "^",
    "LeftShift": "<<",
    "RightShift": ">>",
    "FloorDivide": "//",
}


def sign(operator: cst.BaseBinaryOp | cst.BaseAugOp) -> str:
    """How an operator of numbers is written, without the ``=`` of an assignment; "" for others."""
    return _SIGNS.get(type(operator).__name__.removesuffix("Assign"), "")


def integer(node: cst.CSTNode) -> int | None:
    """The value of an integer literal."""
    if not isinstance(node, cst.Integer):
        return None
    try:
        return int(node.value.replace("_", ""), 0)
    except ValueError:  # more digits than Python turns into a number
        return None
