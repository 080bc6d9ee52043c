"""Conditions. In: syntax nodes and two blocks. Out: edges to them, with one comparison assumed on each."""

from typing import NamedTuple

from tree_sitter import Node

from vmfdlint.frontends.c.lower_ops import Operators
from vmfdlint.frontends.c.syntax import COMPARISONS, LOGICAL, OPPOSITE, SWAPPED, parts
from vmfdlint.ir import Address, Assume, Const, FuncRef, Opaque, Operand, Place, Text, holds


class _Comparison(NamedTuple):
    left: Operand
    op: str
    right: Operand


class Conditions(Operators):
    """The layer that splits conditions over blocks."""

    def branch(self, node: Node, true: int, false: int) -> None:
        """Lowers a condition: ends the current block with edges to ``true`` and ``false``."""
        kind = node.type
        inner = self._transparent(node)
        if inner is not None:
            self.branch(inner, true, false)
        elif kind == "unary_expression" and self._operator(node) == "!":
            argument = node.child_by_field_name("argument")
            if argument is None:
                self._either(true, false)
            else:
                self.branch(argument, false, true)
        elif kind == "binary_expression" and self._operator(node) in LOGICAL:
            self._logical(node, true, false)
        elif kind == "binary_expression" and self._operator(node) in COMPARISONS:
            self._decide(self._comparison(node), node, true, false)
        elif kind == "binary_expression" and self._operator(node) == "&":
            self._bits(node, true, false)
        elif kind == "comma_expression" and parts(node):
            for part in parts(node)[:-1]:
                self.discard(part)
            self.branch(parts(node)[-1], true, false)
        elif kind == "conditional_expression" and node.child_by_field_name("consequence") is not None:
            self._choice(node, true, false)
        elif kind == "call_expression" and self.expanded_condition(node, true, false):
            return
        else:
            self._decide(_Comparison(self.value(node).operand, "!=", Const(0)), node, true, false)

    def guard(self, left: Place, op: str, right: Operand, node: Node, true: int, false: int) -> None:
        """Ends the current block with ``left op right`` on the edge to ``true`` and its opposite on the
        other."""
        graph, at = self.graph, self.at(node)
        yes, no = graph.new(), graph.new()
        graph.edge(graph.current, yes)
        graph.edge(graph.current, no)
        graph.start(yes)
        graph.emit(Assume(left, op, right, at))
        graph.go(true)
        graph.start(no)
        graph.emit(Assume(left, OPPOSITE[op], right, at))
        graph.go(false)

    def truth_into(self, dst: Place, node: Node) -> None:
        """Stores the truth of a condition (1 or 0) in ``dst``."""
        graph = self.graph
        yes, no, join = graph.new(), graph.new(), graph.new()
        if node.type == "binary_expression" and self._operator(node) in COMPARISONS:
            comparison = self._comparison(node)
            if _unknown(comparison):
                # Two blocks would say no more than this.
                self.assign(dst, Opaque("comparison"), node)
                return
            self._decide(comparison, node, yes, no)
        else:
            self.branch(node, yes, no)
        graph.start(yes)
        self.assign(dst, Const(1), node)
        graph.go(join)
        graph.start(no)
        self.assign(dst, Const(0), node)
        graph.flow(join)

    def _operator(self, node: Node) -> str:
        operator = node.child_by_field_name("operator")
        return operator.type if operator is not None else ""

    def _transparent(self, node: Node) -> Node | None:
        """The expression inside brackets or a cast, None where the node is neither."""
        if node.type == "parenthesized_expression":
            inner = parts(node)
            return inner[0] if len(inner) == 1 and inner[0].type != "compound_statement" else None
        if node.type == "cast_expression":
            return node.child_by_field_name("value")
        return None

    def _logical(self, node: Node, true: int, false: int) -> None:
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        if left is None or right is None:
            self._either(true, false)
            return
        middle = self.graph.new()
        if self._operator(node) == "&&":
            self.branch(left, middle, false)
        else:
            self.branch(left, true, middle)
        self.graph.start(middle)
        self.branch(right, true, false)

    def _bits(self, node: Node, true: int, false: int) -> None:
        """``flags & O_CREAT`` as a condition."""
        comparison = self._comparison(node)
        if isinstance(comparison.left, Place) and isinstance(comparison.right, Const):
            self.guard(comparison.left, "&", comparison.right, node, true, false)
        else:
            self._decide(_Comparison(self.value(node).operand, "!=", Const(0)), node, true, false)

    def _choice(self, node: Node, true: int, false: int) -> None:
        condition = node.child_by_field_name("condition")
        arms = (node.child_by_field_name("consequence"), node.child_by_field_name("alternative"))
        if condition is None:
            self._either(true, false)
            return
        yes, no = self.graph.new(), self.graph.new()
        self.branch(condition, yes, no)
        for block, arm in ((yes, arms[0]), (no, arms[1])):
            self.graph.start(block)
            if arm is None:
                self._either(true, false)
            else:
                self.branch(arm, true, false)

    def _comparison(self, node: Node) -> _Comparison:
        """Both sides' values, a constant on the right where there is one."""
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        if left is None or right is None:
            return _Comparison(Opaque("unread"), "==", Opaque("unread"))
        op = self._operator(node)
        first, second = self.value(left).operand, self.value(right).operand
        if not isinstance(first, Place) and isinstance(second, Place):
            return _Comparison(second, SWAPPED.get(op, op), first)
        return _Comparison(first, op, second)

    def _decide(self, comparison: _Comparison, node: Node, true: int, false: int) -> None:
        left, op, right = comparison
        known = _known(comparison)
        if known is not None:
            self.graph.go(true if known else false)
        elif isinstance(left, Place) and not _unknown(comparison):
            self.guard(left, op, right, node, true, false)
        else:
            self._either(true, false)

    def _either(self, true: int, false: int) -> None:
        """A condition that is not followed: both ways are possible."""
        self.graph.edge(self.graph.current, true)
        self.graph.go(false)


def _known(comparison: _Comparison) -> bool | None:
    """The outcome where the comparison does not depend on the program's state."""
    left, op, right = comparison
    if isinstance(left, Const) and isinstance(right, Const):
        if left.value is not None and right.value is not None:
            return holds(op, left.value, right.value)
    elif isinstance(left, Text | Address | FuncRef) and right == Const(0) and op in ("==", "!="):
        return op == "!="
    return None


def _unknown(comparison: _Comparison) -> bool:
    """Whether nothing useful can be assumed."""
    if _known(comparison) is not None:
        return False
    return not isinstance(comparison.left, Place) or not isinstance(
        comparison.right, Const | Place | FuncRef | Address
    )
