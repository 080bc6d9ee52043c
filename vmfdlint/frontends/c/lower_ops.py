"""Operators, assignments and choices. In: syntax nodes. Out: operands, and branches where a value has a
choice."""

from tree_sitter import Node

from vmfdlint.base import SourceText
from vmfdlint.frontends.c.declarations import CType
from vmfdlint.frontends.c.environment import Environment
from vmfdlint.frontends.c.literals import computed, negated
from vmfdlint.frontends.c.lower_expr import Expressions
from vmfdlint.frontends.c.state import UNKNOWN, Typed
from vmfdlint.frontends.c.syntax import COMPARISONS, LOGICAL, is_truth, parts, text_of
from vmfdlint.ir import Address, Const, Flags, Opaque, Operand, Place, Step, step_by


class Operators(Expressions):
    """The layer that combines values and stores them."""

    def __init__(self, source: SourceText, environment: Environment, name: str) -> None:
        super().__init__(source, environment, name)
        self.handlers |= {
            "unary_expression": self._unary,
            "binary_expression": self._binary,
            "comma_expression": self._comma,
            "assignment_expression": self._assignment,
            "update_expression": self._update,
            "conditional_expression": self._conditional,
            "call_expression": self._call,
            "gnu_asm_expression": self._asm,
        }

    def assign_from(self, dst: Place, node: Node, at: Node) -> CType:
        """Emits ``dst = node`` so that calls and branches store into ``dst`` directly. Gives the value's
        type."""
        kind = node.type
        if kind == "parenthesized_expression":
            inner = parts(node)
            if len(inner) == 1 and inner[0].type != "compound_statement":
                return self.assign_from(dst, inner[0], at)
            if len(inner) == 1:
                found = self.block_value(inner[0], dst)
                self.assign(dst, found.operand, at)
                return found.type
        elif kind == "cast_expression":
            inner_node = node.child_by_field_name("value")
            if inner_node is not None:
                self.assign_from(dst, inner_node, at)
                return self.described(node.child_by_field_name("type"))
        elif kind == "call_expression":
            found = self.call(node, dst, True)
            self.assign(dst, found.operand, at)
            return found.type
        elif kind == "conditional_expression":
            return self.conditional_into(dst, node)
        elif is_truth(node):
            self.truth_into(dst, node)
            return UNKNOWN
        found = self.value(node)
        self.assign(dst, found.operand, at)
        return found.type

    # Operators

    def _unary(self, node: Node) -> Typed:
        argument, operator = node.child_by_field_name("argument"), node.child_by_field_name("operator")
        if argument is None or operator is None:
            return self._opaque(node)
        if operator.type == "!":
            return self._truth(node)
        operand = self.value(argument).operand
        if operator.type == "-":
            if isinstance(operand, Place) and operand.name == "errno":
                return Typed(Const(-1, ("errno",)), UNKNOWN)
            return Typed(negated(operand), UNKNOWN)
        if operator.type == "+":
            return Typed(operand, UNKNOWN)
        if isinstance(operand, Const):
            return Typed(Const(None if operand.value is None else ~operand.value, operand.names), UNKNOWN)
        return Typed(Opaque("complement"), UNKNOWN)

    def _truth(self, node: Node) -> Typed:
        place = self.temp()
        self.truth_into(place, node)
        return Typed(place, UNKNOWN)

    def _binary(self, node: Node) -> Typed:
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        operator = node.child_by_field_name("operator")
        if left is None or right is None or operator is None:
            return self._opaque(node)
        op = operator.type
        if op in COMPARISONS or op in LOGICAL:
            return self._truth(node)
        if op in "-+&*" and self._is_type(left):
            return self._cast_misread(op, left, right)
        if op == "&" and right.type == "unary_expression" and text_of(right).startswith("~"):
            argument = right.child_by_field_name("argument")
            if argument is not None:
                return Typed(self.with_bits("&~", self.value(left), self.value(argument), node), UNKNOWN)
        first = self.value(left)
        second = self.value(right)
        if op in ("+", "-") and (first.type.pointer or isinstance(first.operand, Address)):
            inner = first.operand if op == "-" and isinstance(first.operand, Place) else None
            return Typed(Opaque("pointer arithmetic", inner), first.type)
        return Typed(self.with_bits(op, first, second, node), UNKNOWN)

    def with_bits(self, op: str, left: Typed, right: Typed, node: Node) -> Operand:
        """``left op right``; ``&~`` stands for clearing the bits of ``right``."""
        a, b = left.operand, right.operand
        if isinstance(a, Const) and isinstance(b, Const):
            if op == "&~":
                inverse = Const(None if b.value is None else ~b.value)
                return computed("&", Const(a.value, a.names), inverse)
            return computed(op, a, b)
        if op == "|" and isinstance(a, Const):
            a, b = b, a
        if op not in ("|", "&~") or not isinstance(b, Const):
            return Opaque({"|": "or", "&~": "and"}.get(op, op))
        bits = b.names or ((str(b.value),) if b.value else ())
        if not bits:
            return a
        flags = a if isinstance(a, Flags) else Flags(self.settled(Typed(a, UNKNOWN), node))
        if op == "|":
            on = tuple(sorted({*flags.on, *bits}))
            return Flags(flags.base, on, tuple(bit for bit in flags.off if bit not in bits))
        off = tuple(sorted({*flags.off, *bits}))
        return Flags(flags.base, tuple(bit for bit in flags.on if bit not in bits), off)

    def _is_type(self, node: Node) -> bool:
        """Whether ``(name)`` before an operator is a cast that the grammar took for an operand."""
        inner = parts(node) if node.type == "parenthesized_expression" else []
        if len(inner) != 1 or inner[0].type != "identifier":
            return False
        name = text_of(inner[0])
        return name.endswith("_t") and self.lookup(name) is None

    def _cast_misread(self, op: str, left: Node, right: Node) -> Typed:
        ctype = self.environment.resolve(text_of(parts(left)[0]))
        if op == "&":
            operand = self._address(right).operand
        elif op == "*":
            operand = self.pointee(right).operand
        else:
            operand = self.value(right).operand
            operand = negated(operand) if op == "-" else operand
        return Typed(operand, ctype)

    def _comma(self, node: Node) -> Typed:
        inner = parts(node)
        for part in inner[:-1]:
            self.discard(part)
        return self.value(inner[-1]) if inner else self._opaque(node)

    # Assignments and choices

    def _assignment(self, node: Node) -> Typed:
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        operator = node.child_by_field_name("operator")
        if left is None or right is None or operator is None:
            return self._opaque(node)
        dst, ctype = self.place(left)
        op = operator.type[:-1]
        again = _step_of(left, right) if not op else None
        if again is not None:
            op, right = again
        if not op:
            if right.type == "initializer_list":
                self.initialise(dst, ctype, right)
            else:
                self.assign_from(dst, right, node)
            return Typed(dst, ctype)
        inverted = op == "&" and right.type == "unary_expression" and text_of(right).startswith("~")
        argument = right.child_by_field_name("argument") if inverted else right
        value = self.value(argument if argument is not None else right)
        stepped = step_by(op, value.operand)
        operand: Operand | None = Opaque("pointer arithmetic") if ctype.pointer else stepped
        if operand is None:
            operand = self.with_bits("&~" if inverted else op, Typed(dst, ctype), value, node)
        self.assign(dst, operand, node)
        return Typed(dst, ctype)

    def _update(self, node: Node) -> Typed:
        argument = node.child_by_field_name("argument")
        if argument is None:
            return self._opaque(node)
        place, ctype = self.place(argument)
        before = Typed(place, ctype)
        if node.children[0].id == argument.id:
            before = Typed(self.temp(ctype), ctype)
            self.assign(self.settled(before, node), place, node)
        self.assign(place, _step(node), node)
        return before

    def _conditional(self, node: Node) -> Typed:
        place = self.temp()
        ctype = self.conditional_into(place, node)
        if ctype.record:
            self.local_types[place.name] = ctype.record
        return Typed(place, ctype)

    def conditional_into(self, dst: Place, node: Node) -> CType:
        """``dst = c ? a : b``, also with ``a`` left out; each arm assigns on its own way."""
        condition, other = node.child_by_field_name("condition"), node.child_by_field_name("alternative")
        if condition is None or other is None:
            self.assign(dst, Opaque("conditional"), node)
            return UNKNOWN
        consequence = node.child_by_field_name("consequence")
        graph = self.graph
        yes, no, join = graph.new(), graph.new(), graph.new()
        ctype = UNKNOWN
        if consequence is None:
            # The condition's value is the result: it is kept before it is tested.
            ctype = self.assign_from(dst, condition, condition)
            self.guard(dst, "!=", Const(0), condition, yes, no)
            graph.start(yes)
        else:
            self.branch(condition, yes, no)
            graph.start(yes)
            ctype = self.assign_from(dst, consequence, consequence)
        graph.go(join)
        graph.start(no)
        second = self.assign_from(dst, other, other)
        graph.flow(join)
        return ctype if ctype.record else second

    def _call(self, node: Node) -> Typed:
        return self.call(node, None, True)

    # Effects only

    def discard(self, node: Node) -> None:
        """Lowers an expression for its effects."""
        kind = node.type
        if kind == "call_expression":
            self.call(node, None, False)
        elif kind == "comma_expression":
            for part in parts(node):
                self.discard(part)
        elif kind == "parenthesized_expression" and len(parts(node)) == 1:
            inner = parts(node)[0]
            if inner.type == "compound_statement":
                self.statement(inner)
            else:
                self.discard(inner)
        elif kind == "cast_expression":
            value = node.child_by_field_name("value")
            if value is not None:
                self.discard(value)
        elif kind == "update_expression":
            argument = node.child_by_field_name("argument")
            if argument is not None:
                self.assign(self.place(argument)[0], _step(node), node)
        elif kind == "conditional_expression" or is_truth(node):
            self._discard_choice(node)
        elif kind not in ("identifier", "number_literal", "string_literal", "null", "true", "false"):
            self.expression(node)

    def _discard_choice(self, node: Node) -> None:
        """``c ? f() : g();`` and ``c && f();`` as statements."""
        graph = self.graph
        yes, no, join = graph.new(), graph.new(), graph.new()
        condition = node.child_by_field_name("condition")
        arms = (node.child_by_field_name("consequence"), node.child_by_field_name("alternative"))
        if condition is None:
            self.branch(node, join, join)
        else:
            self.branch(condition, yes, no)
            for block, arm in ((yes, arms[0]), (no, arms[1])):
                graph.start(block)
                if arm is not None:
                    self.discard(arm)
                graph.go(join)
        graph.start(join)

    def _asm(self, node: Node) -> Typed:
        """An asm statement writes its output operands; what it writes is not known."""
        outputs = node.child_by_field_name("output_operands")
        for operand in parts(outputs) if outputs is not None else ():
            value = operand.child_by_field_name("value")
            if value is not None:
                self.assign(self.place(value)[0], Opaque("asm"), node)
        return Typed(Opaque("asm"), UNKNOWN)


def _step(node: Node) -> Step:
    """What ``++`` or ``--`` does to a number."""
    operator = node.child_by_field_name("operator")
    return Step(-1 if operator is not None and operator.type == "--" else 1)


def _step_of(left: Node, right: Node) -> tuple[str, Node] | None:
    """``x = x - 1`` as operator and number: what ``x -= 1`` says."""
    if right.type != "binary_expression":
        return None
    first, operator = right.child_by_field_name("left"), right.child_by_field_name("operator")
    number = right.child_by_field_name("right")
    if first is None or operator is None or number is None or number.type != "number_literal":
        return None
    same = operator.type in ("+", "-") and text_of(first) == text_of(left)
    return (operator.type, number) if same else None
