"""Expressions. In: syntax nodes. Out: operands with types; calls and assignments inside are emitted in
order."""

from collections.abc import Callable

import msgspec
from tree_sitter import Node

from vmfdlint.base import SourceText
from vmfdlint.frontends.c.declarators import CType, Declared
from vmfdlint.frontends.c.environment import Environment
from vmfdlint.frontends.c.literals import integer, unescape
from vmfdlint.frontends.c.state import UNKNOWN, Fragment, State, Typed
from vmfdlint.frontends.c.syntax import is_truth, only_expression, parts, text_of
from vmfdlint.frontends.graph import Graph
from vmfdlint.ir import Address, Const, Field, FuncRef, Opaque, Place, Root, Text

_THROUGH = Field("*", "", True)


class Expressions(State):
    """The layer of names, literals and access paths."""

    def __init__(self, source: SourceText, environment: Environment, name: str) -> None:
        super().__init__(source, environment, name)
        self.handlers: dict[str, Callable[[Node], Typed]] = {
            "identifier": self._identifier,
            "number_literal": self._number,
            "char_literal": self._character,
            "string_literal": self._string,
            "concatenated_string": self._string,
            "true": self._true,
            "false": self._zero,
            "null": self._zero,
            "parenthesized_expression": self._parenthesized,
            "extension_expression": self._extension,
            "field_expression": self._field,
            "subscript_expression": self._subscript,
            "pointer_expression": self._pointer,
            "cast_expression": self._cast,
            "compound_literal_expression": self._compound_literal,
        }

    def value(self, node: Node) -> Typed:
        """The value of an expression; arrays decay to their address."""
        found = self.expression(node)
        operand, ctype = found
        if ctype.array and isinstance(operand, Place):
            return Typed(Address(operand), pointer_to(ctype))
        return found

    def expression(self, node: Node) -> Typed:
        """An expression as it stands: an array stays a place. Unknown nodes give Opaque."""
        handler = self.handlers.get(node.type)
        if handler is None:
            return Typed(Opaque(node.type.replace("_", " ")), UNKNOWN)
        return handler(node)

    def place(self, node: Node) -> tuple[Place, CType]:
        """The access path of an expression; what has none gets a temporary."""
        found = self.expression(node)
        return self.settled(found, node), found.type

    def described(self, node: Node | None) -> CType:
        """The type a ``type_descriptor`` names."""
        if node is None:
            return UNKNOWN
        base = self.specified(node.child_by_field_name("type"))
        stars, array = 0, False
        declarator = node.child_by_field_name("declarator")
        while declarator is not None:
            stars += declarator.type == "abstract_pointer_declarator"
            array = declarator.type == "abstract_array_declarator"
            declarator = declarator.child_by_field_name("declarator")
        if not stars and not array:
            return base
        return msgspec.structs.replace(base, pointer=base.pointer + stars, array=array or base.array)

    def specified(self, node: Node | None) -> CType:
        """The type a specifier names: a record, a typedef, or ``typeof`` an expression."""
        if node is None:
            return UNKNOWN
        if node.type in ("struct_specifier", "union_specifier"):
            name = node.child_by_field_name("name")
            return self.environment.resolve(f"struct {text_of(name)}") if name is not None else UNKNOWN
        if node.type != "type_identifier":
            return UNKNOWN
        name_text = text_of(node)
        if name_text.lstrip("_").startswith("typeof_") and node.text != self.written(node):
            return self._type_of(self.written(node).decode("utf-8", "replace"))
        return self.environment.resolve(name_text)

    def declared_type(self, found: Declared, node: Node) -> CType:
        """The type of a name that the declaration ``node`` declares."""
        if not found.type.name.lstrip("_").startswith("typeof_"):
            return self.environment.resolve_type(found.type)
        base, written = self.specified(node.child_by_field_name("type")), found.type
        array = written.array or (base.array and not written.pointer)
        return msgspec.structs.replace(base, pointer=base.pointer + written.pointer, array=array)

    def _type_of(self, text: str) -> CType:
        """``typeof(x)`` as written, which the pre-pass makes one word. Nothing of ``x`` is evaluated."""
        snippet = self.read_text(text.partition("(")[2].rstrip().removesuffix(")"), "typeof")
        inner = only_expression(snippet[1]) if snippet is not None else None
        if snippet is None or inner is None:
            return UNKNOWN
        graph, self.graph = self.graph, Graph()
        try:
            with self.inside(Fragment(snippet[0], self.fragment.span or self.at(inner), self.fragment.macro)):
                return self.expression(inner).type
        finally:
            self.graph = graph

    # Names and literals

    def _identifier(self, node: Node) -> Typed:
        return self.named(text_of(node), node)

    def named(self, name: str, node: Node) -> Typed:
        """What a name means as a value: a variable, a function, a constant."""
        local = self.lookup(name)
        if local is not None:
            return Typed(local.place, local.type)
        if name == "NULL":
            return Typed(Const(0), UNKNOWN)
        if not name:
            return Typed(Opaque("missing"), UNKNOWN)
        if name in ("__func__", "__FUNCTION__", "__PRETTY_FUNCTION__"):
            return Typed(Text(self.name), UNKNOWN)
        environment = self.environment
        if not name.isupper():
            if self.is_function(name):
                return Typed(FuncRef(name), UNKNOWN)
            variable = environment.variable(name)
            if variable is not None:
                return Typed(variable.place, variable.type)
        constant = environment.constant(name)
        if constant is not None:
            return Typed(constant, UNKNOWN)
        expanded = self.object_macro(node, name)
        if expanded is not None:
            return expanded
        if name.isupper():
            variable = environment.variable(name)
            if variable is None:
                return Typed(Const(-1 if name == "MAP_FAILED" else None, (name,)), UNKNOWN)
            return Typed(variable.place, variable.type)
        return Typed(Place(Root.GLOBAL, name), UNKNOWN)

    def _number(self, node: Node) -> Typed:
        value = integer(text_of(node))
        return Typed(Opaque("floating") if value is None else Const(value), UNKNOWN)

    def _character(self, node: Node) -> Typed:
        inner = unescape(self.written(node).decode("utf-8", "replace").partition("'")[2][:-1])
        return Typed(Const(ord(inner)) if len(inner) == 1 else Opaque("character"), UNKNOWN)

    def _string(self, node: Node) -> Typed:
        if node.type == "concatenated_string":
            return Typed(Text("".join(self._piece(part) for part in parts(node))), UNKNOWN)
        return Typed(Text(self._piece(node)), UNKNOWN)

    def _piece(self, node: Node) -> str:
        """One of the adjacent parts of a string: a literal, or a macro that stands for one."""
        if node.type == "string_literal":
            return unescape(self.written(node).decode("utf-8", "replace").partition('"')[2][:-1])
        name = text_of(node)
        constant = self.environment.constant(name) if node.type == "identifier" else None
        if isinstance(constant, Text):
            return constant.value
        # <inttypes.h> is not read; the directive's letter is the part that matters.
        return "l" + name[3].lower() if name.startswith("PRI") and len(name) > 3 else ""

    def _true(self, node: Node) -> Typed:
        return Typed(Const(1), UNKNOWN)

    def _zero(self, node: Node) -> Typed:
        return Typed(Const(0), UNKNOWN)

    def _opaque(self, node: Node) -> Typed:
        return Typed(Opaque(node.type.removesuffix("_expression")), UNKNOWN)

    def _parenthesized(self, node: Node) -> Typed:
        inner = parts(node)
        if len(inner) != 1:
            return Typed(Opaque("unread"), UNKNOWN)
        return (
            self.block_value(inner[0]) if inner[0].type == "compound_statement" else self.expression(inner[0])
        )

    def _extension(self, node: Node) -> Typed:
        inner = parts(node)
        return self.expression(inner[-1]) if inner else self._opaque(node)

    # Access paths

    def _field(self, node: Node) -> Typed:
        argument, name_node = node.child_by_field_name("argument"), node.child_by_field_name("field")
        if argument is None or name_node is None:
            return self._opaque(node)
        operator = node.child_by_field_name("operator")
        base = self.expression(argument)
        return self.member(base, text_of(name_node), operator is not None and operator.type == "->", argument)

    def member(self, base: Typed, name: str, arrow: bool, node: Node) -> Typed:
        """``base->name`` or ``base.name``."""
        operand, ctype = base
        deref = arrow
        if isinstance(operand, Address) and arrow:
            place, deref = operand.place, False
        else:
            place = self.settled(base, node)
            if arrow and ctype.array and not ctype.pointer:
                place, deref = place.step(Field("[0]")), False
            elif not arrow and place.fields and place.fields[-1] == _THROUGH:
                place, deref = msgspec.structs.replace(place, fields=place.fields[:-1]), True
        found = self.environment.field(ctype.record, name) if ctype.record else None
        return Typed(place.step(Field(name, ctype.record, deref)), found or UNKNOWN)

    def _subscript(self, node: Node) -> Typed:
        argument, index_node = node.child_by_field_name("argument"), node.child_by_field_name("index")
        if argument is None or index_node is None:
            return self._opaque(node)
        base = self.expression(argument)
        index = self.value(index_node).operand
        name = f"[{index.value}]" if isinstance(index, Const) and index.value is not None else "[]"
        return self.element(base, name, argument)

    def element(self, base: Typed, name: str, node: Node) -> Typed:
        """``base[..]`` with the step's name already made."""
        operand, ctype = base
        if ctype.array:
            inner = msgspec.structs.replace(ctype, array=False)
        else:
            inner = msgspec.structs.replace(ctype, pointer=max(0, ctype.pointer - 1), function=False)
        if isinstance(operand, Address):
            return Typed(operand.place.step(Field(name)), inner)
        place = self.settled(base, node)
        return Typed(place.step(Field(name, "", not ctype.array and ctype.pointer > 0)), inner)

    def _pointer(self, node: Node) -> Typed:
        argument, operator = node.child_by_field_name("argument"), node.child_by_field_name("operator")
        if argument is None or operator is None:
            return self._opaque(node)
        return self._address(argument) if operator.type == "&" else self.pointee(argument)

    def _address(self, argument: Node) -> Typed:
        operand, ctype = self.expression(argument)
        pointer = pointer_to(ctype)
        if isinstance(operand, FuncRef):
            return Typed(operand, ctype)
        if not isinstance(operand, Place):
            return Typed(Opaque("address"), pointer)
        if operand.fields and operand.fields[-1] == _THROUGH:
            return Typed(msgspec.structs.replace(operand, fields=operand.fields[:-1]), pointer)
        return Typed(Address(operand), pointer)

    def pointee(self, argument: Node) -> Typed:
        """``*argument``."""
        inner = argument
        while inner.type == "parenthesized_expression" and len(parts(inner)) == 1:
            inner = parts(inner)[0]
        if inner.type == "binary_expression" and not is_truth(inner):
            left, right = inner.child_by_field_name("left"), inner.child_by_field_name("right")
            if left is not None and right is not None:
                base = self.expression(left)
                self.value(right)
                if isinstance(base.operand, Place | Address):
                    return self.element(base, "[]", left)
                return Typed(Opaque("arithmetic pointer"), UNKNOWN)
        found = self.expression(argument)
        operand, ctype = found
        if isinstance(operand, FuncRef) or (ctype.function and isinstance(operand, Place)):
            return found
        if ctype.array:
            return self.element(found, "[0]", argument)
        pointed = msgspec.structs.replace(ctype, pointer=max(0, ctype.pointer - 1))
        if isinstance(operand, Address):
            return Typed(operand.place, pointed)
        return Typed(self.settled(found, argument).step(_THROUGH), pointed)

    def _cast(self, node: Node) -> Typed:
        inner = node.child_by_field_name("value")
        if inner is None:
            return self._opaque(node)
        return Typed(self.value(inner).operand, self.described(node.child_by_field_name("type")))

    def _compound_literal(self, node: Node) -> Typed:
        ctype = self.described(node.child_by_field_name("type"))
        value = node.child_by_field_name("value")
        place = self.temp(ctype)
        if value is not None:
            self.initialise(place, ctype, value)
        return Typed(place, ctype)


def pointer_to(ctype: CType) -> CType:
    """The type of ``&x``, or of an array that decays."""
    if ctype.array:
        return msgspec.structs.replace(ctype, array=False, pointer=ctype.pointer + 1)
    return msgspec.structs.replace(ctype, pointer=ctype.pointer + 1)
