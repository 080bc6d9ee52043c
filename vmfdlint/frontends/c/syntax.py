"""Small questions to syntax nodes. Nothing here knows what a name means."""

from typing import NamedTuple

from tree_sitter import Node

from vmfdlint.frontends.c.declarators import text_of

__all__ = [
    "COMPARISONS",
    "CONDITIONAL",
    "LOGICAL",
    "OPPOSITE",
    "SWAPPED",
    "DefinedName",
    "damage_names",
    "damaged_bytes",
    "declared_name",
    "error_bytes",
    "is_prototype",
    "is_truth",
    "names_in",
    "only_expression",
    "parts",
    "text_of",
]

COMPARISONS = frozenset({"==", "!=", "<", "<=", ">", ">="})
LOGICAL = frozenset({"&&", "||"})
SWAPPED = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
OPPOSITE = {"==": "!=", "!=": "==", "<": ">=", "<=": ">", ">": "<=", ">=": "<", "&": "!&"}

CONDITIONAL = frozenset({"preproc_if", "preproc_ifdef", "preproc_else", "preproc_elif", "preproc_elifdef"})

_NAMES = frozenset({"identifier", "type_identifier"})


def parts(node: Node) -> list[Node]:
    """The named children without comments and damage."""
    return [child for child in node.named_children if child.type not in ("comment", "ERROR")]


def damage_names(node: Node) -> tuple[str, ...]:
    """The identifiers in the damaged stretches of a node, sorted; damage inside an argument does not
    count.

    A call keeps its other arguments (see ``Calls.arguments``), so a damaged one is no reason to mark the
    statement.
    """
    found: set[str] = set()
    stack = [node]
    while stack:
        current = stack.pop()
        for child in current.children:
            if child.is_error:
                if current.type != "argument_list":
                    found.update(names_in(child))
            elif child.has_error and child.type != "function_definition":
                stack.append(child)
    return tuple(sorted(found))


def names_in(node: Node) -> set[str]:
    """Every identifier under a node."""
    found: set[str] = set()
    stack = [node]
    while stack:
        current = stack.pop()
        if current.type in _NAMES:
            found.add(text_of(current))
        stack.extend(current.children)
    found.discard("")
    return found


def damaged_bytes(node: Node) -> int:
    """How many bytes of a node lie under ERROR nodes; functions inside it count for themselves."""
    total = 0
    stack = [node] if node.has_error else []
    while stack:
        for child in stack.pop().children:
            if child.is_error:
                total += child.end_byte - child.start_byte
            elif child.has_error and child.type != "function_definition":
                stack.append(child)
    return total


def error_bytes(root: Node, start: int, end: int) -> int:
    """How many of the bytes from ``start`` to ``end`` lie under ERROR nodes, nested ones counted once."""
    total = 0
    stack = [root] if root.has_error else []
    while stack:
        node = stack.pop()
        if node.end_byte <= start or node.start_byte >= end:
            continue
        if node.is_error:
            total += min(node.end_byte, end) - max(node.start_byte, start)
        elif node.has_error:
            stack.extend(node.children)
    return total


class DefinedName(NamedTuple):
    """The name in a definition's header. ``maker`` is a macro's use that makes the name, None for a plain
    one."""

    name: str
    parameters: Node | None
    maker: Node | None


def declared_name(node: Node) -> DefinedName:
    """The name and parameters of a ``function_definition``; "" where none is to be found."""
    declarator = node.child_by_field_name("declarator")
    parameters: Node | None = None
    maker: Node | None = None
    while declarator is not None:
        if declarator.type in ("identifier", "type_identifier", "field_identifier"):
            return DefinedName(text_of(declarator), parameters, maker)
        inner = declarator.child_by_field_name("declarator")
        if declarator.type == "function_declarator":
            if inner is not None and inner.type == "function_declarator":
                # HELPER(name)(int x): what looks like a function that returns one is a macro's use.
                parameters, maker = declarator.child_by_field_name("parameters"), inner
            elif maker is None:
                parameters = declarator.child_by_field_name("parameters")
        if inner is None:
            nested = (
                child
                for child in parts(declarator)
                if child.type == "identifier" or "declarator" in child.type
            )
            inner = next(nested, None)
        declarator = inner
    return DefinedName("", parameters, maker)


def is_truth(node: Node) -> bool:
    """Whether an expression is a comparison, ``&&``, ``||`` or ``!``."""
    operator = node.child_by_field_name("operator")
    if operator is None:
        return False
    if node.type == "binary_expression":
        return operator.type in COMPARISONS or operator.type in LOGICAL
    return node.type == "unary_expression" and operator.type == "!"


def is_prototype(name: Node) -> bool:
    """Whether a declared name is that of a function, not of a variable."""
    parent = name.parent
    return parent is not None and parent.type == "function_declarator"


def only_expression(statements: tuple[Node, ...]) -> Node | None:
    """The expression an expansion consists of, None where it is more or something else."""
    if len(statements) != 1 or statements[0].type != "expression_statement":
        return None
    inner = parts(statements[0])
    return inner[0] if len(inner) == 1 else None
