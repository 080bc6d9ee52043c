"""Conditions: a comparison a branch. In: a boolean expression and two blocks. Out: edges that are guarded."""

import libcst as cst

from vmfdlint.frontends.python.lower_call import Calls
from vmfdlint.frontends.python.state import NONE, ZERO
from vmfdlint.frontends.python.syntax import literal
from vmfdlint.ir import Assume, Const, Operand, Place, Text, holds

_OPS: dict[type[cst.BaseCompOp], str] = {
    cst.Equal: "==",
    cst.NotEqual: "!=",
    cst.LessThan: "<",
    cst.LessThanEqual: "<=",
    cst.GreaterThan: ">",
    cst.GreaterThanEqual: ">=",
    cst.Is: "==",
    cst.IsNot: "!=",
}
_OPPOSITE = {"==": "!=", "!=": "==", "<": ">=", "<=": ">", ">": "<=", ">=": "<"}
_SWAPPED = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


class Conditions(Calls):
    """Where a branch goes."""

    def branch(self, node: cst.BaseExpression, true: int, false: int) -> None:
        """Lowers a condition: ends the current block with edges to ``true`` and ``false``."""
        match node:
            case cst.UnaryOperation(operator=cst.Not(), expression=inner):
                self.branch(inner, false, true)
            case cst.BooleanOperation(left=left, operator=operator, right=right):
                middle = self.graph.new()
                if isinstance(operator, cst.And):
                    self.branch(left, middle, false)
                else:
                    self.branch(left, true, middle)
                self.graph.start(middle)
                self.branch(right, true, false)
            case cst.Comparison(left=left, comparisons=[comparison]):
                self._compare(node, left, comparison, true, false)
            case cst.Comparison(comparisons=comparisons):
                for each in comparisons:
                    self.value(each.comparator)
                self._either_way(true, false)
            case cst.Call() if (member := self._asked_for(node)) is not None:
                self._has(member, node, true, false)
            case _:
                self._test(self.value(node), node, true, false)

    def guard(self, left: Place, op: str, right: Operand, node: cst.CSTNode, true: int, false: int) -> None:
        """Ends the block with ``left op right`` on the edge to ``true``, its opposite on the other."""
        for test, target in ((op, true), (_OPPOSITE[op], false)):
            block = self.graph.new()
            self.graph.edge(self.graph.current, block)
            here = self.graph.current
            self.graph.start(block)
            self.graph.emit(Assume(left, test, right, self.at(node)))
            self.graph.edge(block, target)
            self.graph.current = here
        self.graph.end()

    def _asked_for(self, node: cst.Call) -> Place | None:
        """The member that ``hasattr(a, "b")`` asks for; None for any other call."""
        if self.static_name(node.func) != "builtins.hasattr" or len(node.args) != 2:
            return None
        name = literal(node.args[1].value)
        if name is None or not name.isidentifier():
            return None
        return self.member_of(self.settled(self.value(node.args[0].value), node), name)

    def _has(self, member: Place, node: cst.CSTNode, true: int, false: int) -> None:
        """Ends the block with what a missing member says: it is nothing. One that is there can be that,
        too."""
        self.graph.edge(self.graph.current, true)
        missing = self.graph.new()
        self.graph.edge(self.graph.current, missing)
        self.graph.end()
        self.graph.start(missing)
        self.graph.emit(Assume(member, "==", NONE, self.at(node)))
        self.graph.go(false)

    def _test(self, given: Operand, node: cst.CSTNode, true: int, false: int) -> None:
        match given:
            case Place():
                self.guard(given, "!=", ZERO, node, true, false)
            case Const(value=int() as value):
                self.graph.go(true if value else false)
            case Text(value=text):
                self.graph.go(true if text else false)
            case _:
                self._either_way(true, false)

    def _either_way(self, true: int, false: int) -> None:
        self.graph.edge(self.graph.current, true)
        self.graph.edge(self.graph.current, false)
        self.graph.end()

    def _compare(
        self,
        node: cst.Comparison,
        left: cst.BaseExpression,
        comparison: cst.ComparisonTarget,
        true: int,
        false: int,
    ) -> None:
        op = _OPS.get(type(comparison.operator))
        right = comparison.comparator
        if isinstance(left, cst.Name) and left.value == "__name__" and literal(right) == "__main__":
            self.graph.go(true if op == "==" else false)  # the file that is run, not imported, is of interest
            return
        one, other = self.value(left), self.value(right)
        if op is None:
            self._either_way(true, false)
            return
        self._compared(node, one, op, other, true, false)

    def _compared(
        self, node: cst.CSTNode, one: Operand, op: str, other: Operand, true: int, false: int
    ) -> None:
        match one, other:
            case Const(value=int() as first), Const(value=int() as second):
                self.graph.go(true if holds(op, first, second) else false)
                return
            case _:
                pass
        if isinstance(one, Place):
            self.guard(one, op, other, node, true, false)
        elif isinstance(other, Place):
            self.guard(other, _SWAPPED[op], one, node, true, false)
        else:
            self._either_way(true, false)

    def matches(self, pattern: cst.MatchPattern, subject: Operand, true: int, false: int) -> None:
        """Ends the block with edges to ``true``, where ``case pattern`` takes the subject, and ``false``.
        What a pattern takes apart may fit or not."""
        match pattern:
            case cst.MatchAs(pattern=inner, name=name):
                named = self.graph.new()
                if inner is None:
                    self.graph.go(named)
                else:
                    self.matches(inner, subject, named, false)
                self.graph.start(named)
                if name is not None:
                    self.store(name, subject, pattern)
                self.graph.go(true)
            case cst.MatchValue(value=value) | cst.MatchSingleton(value=value):
                self._compared(pattern, subject, "==", self.value(value), true, false)
            case cst.MatchOr(patterns=patterns):
                for each in patterns:
                    following = self.graph.new()
                    self.matches(each.pattern, subject, true, following)
                    self.graph.start(following)
                self.graph.go(false)
            case _:
                self._either_way(true, false)
