"""Initialiser lists. In: ``{ ... }`` and the place it fills. Out: one assignment for each member it names.

Members that a list leaves out become zero, which no consumer needs to see; ``{0}`` names none.
"""

from collections.abc import Iterator

import msgspec
from tree_sitter import Node

from vmfdlint.base import LIMITS
from vmfdlint.frontends.c.declarations import CType
from vmfdlint.frontends.c.lower_macro import Macros, snippet_of
from vmfdlint.frontends.c.preprocess import expand, split_arguments
from vmfdlint.frontends.c.state import UNKNOWN
from vmfdlint.frontends.c.syntax import CONDITIONAL, parts, text_of
from vmfdlint.ir import Const, Field, Place


class Initialisers(Macros):
    """The layer that fills structs and arrays."""

    def initialise(self, place: Place, ctype: CType, node: Node) -> None:
        """Assigns what an initialiser list gives to the members of ``place``."""
        items = list(self._items(node))
        if len(items) == 1 and items[0].type == "number_literal" and text_of(items[0]) == "0":
            return
        self._fill(place, ctype, items, 0)

    def initial(self, place: Place, ctype: CType, value: Node, at: Node) -> None:
        """Assigns what a declaration, a member or an element starts with."""
        if value.type == "initializer_list":
            self.initialise(place, ctype, value)
            return
        if value.type == "compound_literal_expression" and not ctype.pointer:
            inner = value.child_by_field_name("value")
            if inner is not None:
                self.initialise(place, ctype, inner)
                return
        spliced = self._spliced(value) if value.type in ("call_expression", "identifier") else None
        if spliced is not None and len(spliced[2]) == 1 and spliced[2][0].type == "initializer_list":
            with self.within(value, spliced[1], spliced[0]):
                self.initialise(place, ctype, spliced[2][0])
            return
        self.assign_from(place, value, at)

    def _fill(self, place: Place, ctype: CType, items: list[Node], position: int) -> int:
        """Assigns items from ``position`` on, counted in members or elements; returns the next position."""
        for item in items:
            if item.type == "initializer_pair":
                target, inner, index = self._designated(place, ctype, item)
                value = item.child_by_field_name("value")
                position = position if index is None else index
                if value is not None and target is not None:
                    self.initial(target, inner, value, value)
            elif (
                item.type in ("call_expression", "identifier")
                and (spliced := self._spliced(item)) is not None
            ):
                original, name, nodes = spliced
                with self.within(item, name, original):
                    position = self._fill(place, ctype, nodes, position)
                continue
            else:
                target, inner = self._positional(place, ctype, position)
                self.initial(target, inner, item, item)
            position += 1
        return position

    def _items(self, node: Node) -> Iterator[Node]:
        """The entries of a list; those under #if and #else count all."""
        for child in parts(node):
            if child.type in CONDITIONAL:
                skipped = {
                    found.id
                    for name in ("name", "condition")
                    if (found := child.child_by_field_name(name)) is not None
                }
                for inner in parts(child):
                    if inner.type in CONDITIONAL:
                        yield from self._items(inner)
                    elif inner.id not in skipped:
                        yield inner
            elif not child.type.startswith("preproc_"):
                yield child

    def _positional(self, place: Place, ctype: CType, position: int) -> tuple[Place, CType]:
        if _is_record(ctype):
            members = self.environment.members(ctype.record)
            if position < len(members):
                name = members[position]
                found = self.environment.field(ctype.record, name)
                return place.step(Field(name, ctype.record)), found or UNKNOWN
        return place.step(Field(f"[{position}]")), _element(ctype)

    def _designated(self, place: Place, ctype: CType, item: Node) -> tuple[Place | None, CType, int | None]:
        """``.a[3].b`` -> the place, its type, and the position it stands at in the list's own object."""
        index: int | None = None
        first = True
        for child in item.children:
            if child.type in ("=", ":"):
                break
            if child.type in ("field_designator", "field_identifier"):
                name = text_of(child).lstrip(". \t\n")
                found = self.environment.field(ctype.record, name) if ctype.record else None
                if first and _is_record(ctype):
                    members = self.environment.members(ctype.record)
                    index = members.index(name) if name in members else None
                place, ctype = place.step(Field(name, ctype.record)), found or UNKNOWN
            elif child.type in ("subscript_designator", "subscript_range_designator"):
                known = self._index(child)
                index = known if first else index
                place, ctype = place.step(Field("[]" if known is None else f"[{known}]")), _element(ctype)
            first = False
        return place, ctype, index

    def _index(self, node: Node) -> int | None:
        inner = parts(node)
        if len(inner) != 1:
            return None
        operand = self.value(inner[0]).operand
        return operand.value if isinstance(operand, Const) else None

    def _spliced(self, node: Node) -> tuple[bytes, str, list[Node]] | None:
        """The entries a macro's use stands for, None where it cannot be read."""
        found = self._entries(node)
        if (
            found is None
            or len(self.expanding) >= LIMITS.macro_depth
            or len(found[1]) > LIMITS.expansion_bytes
        ):
            return None
        snippet = snippet_of("int v[] = {" + found[1] + "};")
        if snippet is None or len(snippet[1]) != 1:
            return None
        declarator = snippet[1][0].child_by_field_name("declarator")
        value = declarator.child_by_field_name("value") if declarator is not None else None
        if value is None or value.type != "initializer_list":
            return None
        return snippet[0], found[0], list(self._items(value))

    def _entries(self, node: Node) -> tuple[str, str] | None:
        """A macro's use among entries -> its name and what it stands for; None where it is an expression."""
        if node.type == "identifier":
            name = text_of(node)
            macro = self.environment.macro(name) if self.lookup(name) is None else None
            if macro is None or macro.params is not None or "{" not in macro.body or self.blocked(macro):
                return None
            return name, macro.body
        function, arguments = node.child_by_field_name("function"), node.child_by_field_name("arguments")
        if function is None or arguments is None or function.type != "identifier":
            return None
        macro = self.callable_macro(text_of(function))
        if macro is None:
            return None
        text = expand(macro, split_arguments(self.written(arguments).decode("utf-8", "replace")[1:-1]))
        return (macro.name, text) if text.strip() else None


def _is_record(ctype: CType) -> bool:
    return bool(ctype.record) and not ctype.pointer and not ctype.array


def _element(ctype: CType) -> CType:
    return msgspec.structs.replace(ctype, array=False) if ctype.array else UNKNOWN
