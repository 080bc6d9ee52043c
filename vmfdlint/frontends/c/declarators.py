"""Syntax of C declarators. In: syntax nodes. Out: names with their types, as written in one place."""

from tree_sitter import Node

from vmfdlint.frontends.c.declarations import CType


class Declared:
    """Placeholder for the final struct (name, type, declarator node, value node)."""

    name: str
    type: CType
    node: Node
    value: Node | None


def declared(node: Node) -> tuple[Declared, ...]:
    """Names of a ``declaration``, ``field_declaration``, ``parameter_declaration``, ``function_definition`` or
    ``type_definition`` node. Records are as written: pass the type through ``Environment.resolve_type``."""
    raise NotImplementedError
