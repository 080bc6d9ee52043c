"""Syntax of C declarators. In: syntax nodes. Out: names with their types, as written in one place."""

from dataclasses import dataclass

import msgspec
from tree_sitter import Node

THREAD_WORDS = frozenset(("__thread", "_Thread_local", "thread_local"))
"""Storage words that give each thread its own variable."""


class CType(msgspec.Struct, frozen=True):
    """A declared type, as far as access paths need it.

    ``record`` is the struct or union tag, typedefs resolved ("" for scalars and void). ``pointer`` is the
    number of ``*``. ``array`` says that the outermost layer is an array. ``function`` says that this is a
    function or a pointer to one; the other fields then describe its result. ``name`` is the type name as
    written.
    """

    record: str = ""
    pointer: int = 0
    array: bool = False
    function: bool = False
    name: str = ""


@dataclass(frozen=True)
class Declared:
    """One declared name. ``node`` is its identifier, ``value`` the initialiser; both stay in this folder."""

    name: str
    type: CType
    node: Node
    value: Node | None


_RECORDS = ("struct_specifier", "union_specifier")
_NAMES = ("identifier", "field_identifier", "type_identifier")
_DECLARATORS = ("pointer_declarator", "array_declarator", "function_declarator", "parenthesized_declarator")


def text_of(node: Node) -> str:
    """The node's text."""
    return (node.text or b"").decode("utf-8", "replace")


def base_type(node: Node | None, anonymous: str = "") -> CType:
    """The type a specifier node names. An anonymous record gets the tag ``anonymous``."""
    if node is None:
        return CType(name="int")
    if node.type in _RECORDS:
        tag = node.child_by_field_name("name")
        name = text_of(tag) if tag is not None else anonymous
        return CType(record=name, name=f"{node.type.split('_')[0]} {name}" if tag is not None else name)
    if node.type == "enum_specifier":
        tag = node.child_by_field_name("name")
        return CType(name=f"enum {text_of(tag)}" if tag is not None else "enum")
    return CType(name=" ".join(text_of(node).split()))


def _shaped(base: CType, layers: list[str]) -> CType:
    """Apply declarator layers, outermost syntax first; those before a function layer shape its result."""
    pointer = 0
    function = False
    array = False
    for layer in layers:
        if layer == "function_declarator":
            function = True
            array = False
        elif layer == "pointer_declarator":
            pointer += 0 if function else 1
            array = False
        elif layer == "array_declarator":
            array = True
    return CType(base.record, base.pointer + pointer, array, function, base.name)


def _name_in(node: Node, layers: list[str]) -> Node | None:
    """Follow a declarator down to its name, noting the layers on the way."""
    current: Node | None = node
    for _ in range(64):
        if current is None or current.type in _NAMES:
            return current
        if current.type in _DECLARATORS and current.type != "parenthesized_declarator":
            layers.append(current.type)
        inner = current.child_by_field_name("declarator")
        if inner is None:
            inner = next(
                (
                    child
                    for child in current.named_children
                    if child.type in _NAMES or child.type in _DECLARATORS
                ),
                None,
            )
        current = inner
    return None


def declared(node: Node, outer: str = "") -> tuple[Declared, ...]:
    """Names of a ``declaration``, ``field_declaration``, ``parameter_declaration``, ``function_definition``
    or ``type_definition`` node, in source order.

    Types are as written: pass them through ``Environment.resolve_type``. An anonymous record gets the tag
    ``outer.name`` (or ``name`` where ``outer`` is empty) after the name declared with it.
    """
    specifier = node.child_by_field_name("type")
    found: list[Declared] = []
    for declarator in node.children_by_field_name("declarator"):
        value: Node | None = None
        if declarator.type == "init_declarator":
            value = declarator.child_by_field_name("value")
        layers: list[str] = []
        name = _name_in(declarator, layers)
        if name is None:
            continue
        text = text_of(name)
        base = base_type(specifier, f"{outer}.{text}" if outer else text)
        found.append(Declared(text, _shaped(base, layers), name, value))
    return tuple(found)


def storage_of(node: Node) -> frozenset[str]:
    """The storage words of a declaration: ``static``, ``extern``, ``__thread`` …"""
    return frozenset(text_of(child) for child in node.children if child.type == "storage_class_specifier")
