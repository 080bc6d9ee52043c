"""Expressions of a file that libcst does not read, from the syntax tree of tree-sitter, which forgives more.

In: a node. Out: an operand; calls in it are emitted. As ``lower_expr`` and ``lower_call`` do it, but for what
needs more than one function: a call does not raise, and a local that a function inside uses stays a local.
"""

from tree_sitter import Node

from vmfdlint.base import Span
from vmfdlint.frontends.graph import Graph
from vmfdlint.frontends.python import fold
from vmfdlint.frontends.python.collections import step_of
from vmfdlint.frontends.python.fallback_names import Names
from vmfdlint.frontends.python.fallback_tree import integer, is_table, literal, spelled, written
from vmfdlint.frontends.python.module import FORMAT
from vmfdlint.frontends.python.state import FALSE, NONE, TRUE
from vmfdlint.ir import (
    Assign,
    Call,
    Const,
    Field,
    FuncRef,
    Indirect,
    Member,
    Named,
    Opaque,
    Operand,
    Place,
    Root,
    Target,
    Text,
)


class Expressions:
    """One function in lowering. ``locals`` are the names it binds, ``receiver`` the parameter that is the
    object and ``record`` its class."""

    def __init__(self, names: Names, local: frozenset[str], receiver: str = "", record: str = "") -> None:
        self.names = names
        self.locals = local
        self.receiver = receiver
        self.record = record
        self.graph = Graph()
        self._temps = 0

    def at(self, node: Node) -> Span:
        """The span of a node."""
        return self.names.source.span(node.start_byte, node.end_byte)

    def temp(self) -> Place:
        """A fresh temporary."""
        self._temps += 1
        return Place(Root.LOCAL, f"%t{self._temps - 1}")

    def assign(self, dst: Place, src: Operand, node: Node) -> None:
        """Emits ``dst = src``."""
        if dst != src:
            self.graph.emit(Assign(dst, src, self.at(node)))

    def emit_call(
        self, target: Target, args: tuple[Operand, ...], node: Node, keywords: tuple[str, ...] = ()
    ) -> Place:
        """Emits a call and returns the place of its result."""
        place = self.temp()
        self.graph.emit(Call(place, target, args, self.at(node), keywords=keywords))
        return place

    def settled(self, value: Operand, node: Node) -> Place:
        """A place that holds a value: itself where it is one, else a temporary."""
        if isinstance(value, Place):
            return value
        place = self.temp()
        self.assign(place, value, node)
        return place

    def place_of(self, name: str) -> Place:
        """The variable of a name that is assigned to."""
        if name in self.locals:
            return Place(Root.LOCAL, name)
        return Place(Root.GLOBAL, name, (), self.names.source.path)

    def member_of(self, base: Place, name: str) -> Place:
        """A member of what a place refers to."""
        own = bool(self.record) and base == Place(Root.LOCAL, self.receiver)
        return base.step(Field(name, self.record if own else "", True))

    def value(self, node: Node) -> Operand:
        """Lowers an expression."""
        if is_table(node) or node.is_missing:
            return Opaque(node.type)
        match node.type:
            case "identifier":
                return self._name(spelled(node))
            case "none":
                return NONE
            case "true":
                return TRUE
            case "false":
                return FALSE
            case "integer":
                return Const(integer(spelled(node)))
            case "string" | "concatenated_string":
                return self._text(node)
            case "attribute":
                return self._attribute(node)
            case "subscript":
                return self._element(node)
            case "call":
                return self._call(node)
            case "binary_operator":
                return self._binary(node)
            case "unary_operator":
                given = self._values(node)
                minus = spelled(node).startswith("-") and len(given) == 1 and isinstance(given[0], Const)
                if minus and isinstance(given[0], Const) and given[0].value is not None:
                    return Const(-given[0].value)
                return Opaque(node.type)
            case "await":
                return (self._values(node) or [Opaque(node.type)])[-1]
            case "parenthesized_expression" | "expression_list" if len(inner := written(node)) == 1:
                return self.value(inner[0])
            case "tuple" | "list" | "set" | "expression_list" | "parenthesized_expression":
                return self._sequence(node)
            case "dictionary":
                return self._mapping(node)
            case "lambda":
                return Opaque(node.type)
            case _:
                self._values(node)
                return Opaque(node.type)

    def _values(self, node: Node) -> list[Operand]:
        return [self.value(child) for child in written(node)]

    def _name(self, name: str) -> Operand:
        if name in self.locals:
            return Place(Root.LOCAL, name)
        if name in ("None", "True", "False"):
            return {"None": NONE, "False": FALSE, "True": TRUE}[name]
        found = self.names.dotted(name)
        if not found and name in self.names.constants:
            return self.names.constants[name]
        if not found:
            return Place(Root.GLOBAL, name, (), self.names.source.path)
        if name in self.names.defined or found.startswith("builtins."):
            return FuncRef(found)
        return Place(Root.GLOBAL, found)

    def static_name(self, node: Node) -> str:
        """The dotted name of a chain of attributes that starts at an import, a class or a function."""
        parts: list[str] = []
        at: Node | None = node
        while at is not None and at.type == "attribute":
            parts.append(spelled(at.child_by_field_name("attribute")))
            at = at.child_by_field_name("object")
        if at is None or at.type not in ("identifier", "print", "exec") or spelled(at) in self.locals:
            return ""
        found = self.names.dotted(spelled(at))
        return ".".join([found, *reversed(parts)]) if found else ""

    def _attribute(self, node: Node) -> Operand:
        name = self.static_name(node)
        if name:
            return FuncRef(name) if name.startswith("builtins.") else Place(Root.GLOBAL, name)
        inner = node.child_by_field_name("object")
        if inner is None:
            return Opaque(node.type)
        return self.member_of(
            self.settled(self.value(inner), inner), spelled(node.child_by_field_name("attribute"))
        )

    def _element(self, node: Node) -> Operand:
        inner = node.child_by_field_name("value")
        given = node.children_by_field_name("subscript")
        if inner is None or len(given) != 1:
            return Opaque(node.type)
        base = self.settled(self.value(inner), inner)
        if given[0].type == "slice":
            return base
        return base.step(Field(step_of(self.value(given[0])), "", True))

    def _sequence(self, node: Node) -> Operand:
        place = self.settled(Opaque(node.type), node)
        for index, element in enumerate(written(node)):
            given = self.value(element)
            step = Field("[]" if node.type == "set" else f"[{index}]", "", True)
            self.assign(place.step(step), given, element)
        return place

    def _mapping(self, node: Node) -> Operand:
        place = self.settled(Opaque(node.type), node)
        for pair in written(node):
            key, value = pair.child_by_field_name("key"), pair.child_by_field_name("value")
            if key is not None and value is not None:
                step = Field(step_of(self.value(key)), "", True)
                self.assign(place.step(step), self.value(value), pair)
            else:
                self.value(pair)
        return place

    # Calls

    def _call(self, node: Node) -> Operand:
        func = node.child_by_field_name("function")
        if func is None:
            return Opaque(node.type)
        name = self.static_name(func)
        if name:
            args, keywords = self.arguments(node)
            request = None if keywords else fold.request(name, args)
            return request if request is not None else self.emit_call(Named(name), args, node, keywords)
        if func.type == "attribute" and (inner := func.child_by_field_name("object")) is not None:
            method = spelled(func.child_by_field_name("attribute"))
            given = self.value(inner)
            args, keywords = self.arguments(node)
            if isinstance(given, Text) and method == "format" and not keywords:
                return self._filled(fold.braces(given.value), list(args), node)
            if isinstance(given, Text) and method in ("encode", "decode", "strip"):
                return given
            base = self.member_of(self.settled(given, inner), method)
            return self.emit_call(Member("", method, base), args, node, keywords)
        place = self.settled(self.value(func), func)
        args, keywords = self.arguments(node)
        return self.emit_call(Indirect(place), args, node, keywords)

    def arguments(self, node: Node) -> tuple[tuple[Operand, ...], tuple[str, ...]]:
        """The arguments of a call, those given by name last, and their names."""
        plain: list[Operand] = []
        named: list[tuple[str, Operand]] = []
        given = node.child_by_field_name("arguments")
        for each in written(given) if given is not None and given.type == "argument_list" else ():
            value = each.child_by_field_name("value")
            if each.type == "keyword_argument" and value is not None:
                named.append((spelled(each.child_by_field_name("name")), self.value(value)))
            elif each.type in ("list_splat", "dictionary_splat") and written(each):
                star = "*" if each.type == "list_splat" else "**"
                named.append((star, self.value(written(each)[0])))
            else:
                plain.append(self.value(each))
        if given is not None and given.type == "generator_expression":
            plain.append(self.value(given))
        return (*plain, *(value for _name, value in named)), tuple(name for name, _value in named)

    # Texts and operators

    def _text(self, node: Node) -> Operand:
        form: list[str] = []
        values: list[Operand] = []
        for part in written(node) if node.type == "concatenated_string" else [node]:
            fields = [child for child in part.children if child.type == "interpolation"]
            if not fields:
                form.append(literal(spelled(part)).replace("%", "%%"))
                continue
            for child in part.children:
                if child.type == "interpolation":
                    form.append("%s")
                    inner = child.child_by_field_name("expression")
                    values.append(self.value(inner) if inner is not None else Opaque(child.type))
                elif child.type == "string_content":
                    form.append(spelled(child).replace("%", "%%"))
        return self._filled("".join(form), values, node)

    def _filled(self, form: str, values: list[Operand], node: Node) -> Operand:
        texts = tuple(value.value for value in values if isinstance(value, Text))
        if len(texts) < len(values):
            return self.emit_call(Named(FORMAT), (Text(form), *values), node)
        try:
            return Text(form % texts)
        except (TypeError, ValueError):
            return Opaque(node.type)

    def _binary(self, node: Node) -> Operand:
        one, other = node.child_by_field_name("left"), node.child_by_field_name("right")
        operator = spelled(node.child_by_field_name("operator"))
        if one is None or other is None:
            return Opaque(node.type)
        left, right = self.value(one), self.value(other)
        if operator == "%" and isinstance(left, Text):
            values = [right]
            if other.type == "tuple" and isinstance(right, Place):
                count = len(written(other))
                values = [right.step(Field(f"[{index}]", "", True)) for index in range(count)]
            return self._filled(fold.percent(left.value), values, node)
        folded = fold.binary(operator, left, right)
        if folded is not None:
            return folded
        if operator == "+" and (isinstance(left, Text) or isinstance(right, Text)):
            return self._filled("%s%s", [left, right], node)
        return Opaque(node.type)
