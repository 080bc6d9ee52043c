"""What stands in the nodes of tree-sitter: names, literals, parts. In: a node. Out: texts and nodes."""

import re
from ast import literal_eval
from collections.abc import Iterator

from tree_sitter import Node

from vmfdlint.base import LIMITS

_DISPLAYS = ("list", "tuple", "set", "dictionary", "expression_list", "concatenated_string")
SCOPES = ("function_definition", "class_definition", "lambda")
_STRING = re.compile(r"[A-Za-z]*('''|\"\"\"|'|\")")


def spelled(node: Node | None) -> str:
    """The source of a node."""
    return "" if node is None or node.text is None else node.text.decode("utf-8", "replace")


def written(node: Node) -> list[Node]:
    """The parts of a node that are no punctuation and no comment."""
    return [child for child in node.named_children if child.type not in ("comment", "line_continuation")]


def is_table(node: Node) -> bool:
    """Whether a node is a list or its like with so many elements that it is data, written by a program."""
    return node.child_count > LIMITS.python_elements and node.type in _DISPLAYS


def inside(node: Node) -> list[Node]:
    """The nodes right below; none for a table, whose nodes would take more memory than all the rest."""
    return [] if is_table(node) else node.children


def below(node: Node, into_scopes: bool = False) -> Iterator[Node]:
    """Every node at or below one, without recursion; of a function or class inside only the node itself."""
    stack = [node]
    while stack:
        current = stack.pop()
        yield current
        if into_scopes or current == node or current.type not in SCOPES:
            stack.extend(reversed(inside(current)))


def integer(text: str) -> int | None:
    """The value of an integer literal, those of Python 2 too: ``0755``, ``10L``."""
    text = text.rstrip("lLjJ").replace("_", "")
    if re.fullmatch("0[0-7]+", text):
        return int(text, 8)
    try:
        return int(text, 0)
    except ValueError:
        return None


def literal(text: str) -> str:
    """What a string literal holds; bytes read as Latin-1."""
    found = _STRING.match(text)
    if found is None:
        return text
    if "\\" in text:
        try:
            value = literal_eval(re.sub("^[uU]+", "", text))
        except (SyntaxError, ValueError, MemoryError, RecursionError):
            value = None
        if isinstance(value, bytes | str):
            return value if isinstance(value, str) else value.decode("latin-1")
    return text[found.end() :].removesuffix(found[1])
