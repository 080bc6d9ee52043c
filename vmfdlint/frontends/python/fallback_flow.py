"""Ways through a function that libcst does not read: exits, branches, loops. In: a node. Out: edges.

Handlers are entered from the start of their ``try``; a ``finally`` and the end of a ``with`` stand on every
way out that is written in the function.
"""

from abc import abstractmethod
from collections.abc import Callable

from tree_sitter import Node

from vmfdlint.frontends.python.fallback_expr import Expressions
from vmfdlint.frontends.python.fallback_tree import below, spelled, written
from vmfdlint.frontends.python.module import DROP
from vmfdlint.frontends.python.state import NONE, ONE, ZERO
from vmfdlint.ir import (
    ELEMENT,
    RAISED,
    Assign,
    Assume,
    Call,
    Const,
    Member,
    Named,
    Operand,
    Place,
    Return,
    Root,
)

_OPPOSITE = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}
_COMPARED = {"is": "==", "is not": "!=", "<>": "!=", **{op: op for op in _OPPOSITE}}


class _Loop:
    """Where ``break`` and ``continue`` go, and how many cleanups stand around the loop."""

    def __init__(self, after: int, again: int, cleanups: int) -> None:
        self.after = after
        self.again = again
        self.cleanups = cleanups


class Flow(Expressions):
    """Where control goes."""

    drops: tuple[str, ...] = ()
    """Locals whose object nobody else holds when the function ends."""

    def function(self, body: Node, end: Node) -> None:
        """The statements of a function or a file, and the return at the end."""
        self._loops: list[_Loop] = []
        self._cleanups: list[Callable[[], None]] = []
        self._handlers: list[int] = []
        self.block(body)
        self.leave(NONE, end)

    @abstractmethod
    def block(self, node: Node) -> None:
        """Lowers statements one after the other."""

    @abstractmethod
    def store(self, target: Node, value: Operand, node: Node) -> None:
        """Lowers the assignment of a value to a target."""

    def drop(self, place: Place, node: Node) -> None:
        """Emits that a place lets go of its object."""
        self.graph.emit(Call(None, Named(DROP), (place,), self.at(node)))

    # Ways out

    def _clean(self, down_to: int = 0) -> None:
        """The cleanups that a jump passes, the innermost first; none of them cleans up for itself."""
        kept, self._cleanups = self._cleanups, self._cleanups
        for index in range(len(kept) - 1, down_to - 1, -1):
            self._cleanups = kept[:index]
            kept[index]()
        self._cleanups = kept

    def leave(self, value: Operand, node: Node, raised: bool = False) -> None:
        """Leaves the function, with an exception or without; the value was read before anything goes."""
        if isinstance(value, Place) and value.fields and value.name in self.drops:
            kept = self.temp()
            self.graph.emit(Assign(kept, value, self.at(node)))
            value = kept
        self._clean()
        if raised:
            self.graph.emit(Assign(RAISED, ONE, self.at(node)))
        for name in self.drops:
            self.drop(Place(Root.LOCAL, name), node)
        self.graph.emit(Return(None if raised else value, self.at(node)))
        self.graph.end()

    def jump(self, again: bool) -> None:
        """``break`` and ``continue``."""
        if self._loops:
            loop = self._loops[-1]
            self._clean(loop.cleanups)
            self.graph.go(loop.again if again else loop.after)

    def raise_(self, node: Node) -> None:
        """To the innermost handlers, or out of the function."""
        for each in written(node):
            self.value(each)
        if self._handlers:
            self.graph.go(self._handlers[-1])
        else:
            self.leave(NONE, node, raised=True)

    def _protected(self, body: Callable[[], None], cleanup: Callable[[], None]) -> None:
        """``body`` with a cleanup on its end and on every jump out of it."""
        self._cleanups = [*self._cleanups, cleanup]
        body()
        self._cleanups = self._cleanups[:-1]
        cleanup()

    def try_(self, node: Node) -> None:
        """``try``."""
        final = next((each for each in written(node) if each.type == "finally_clause"), None)
        block = _suite(final) if final is not None else None
        if block is None:
            self._handled(node)
        else:
            self._protected(lambda: self._handled(node), lambda: self.block(block))

    def _handled(self, node: Node) -> None:
        clauses = [each for each in written(node) if each.type.startswith("except")]
        handlers, after = self.graph.new(), self.graph.new()
        if clauses:
            inside = self.graph.new()
            self.graph.edge(self.graph.current, handlers)
            self.graph.flow(inside)
            self._handlers = [*self._handlers, handlers]
        body = node.child_by_field_name("body")
        if body is not None:
            self.block(body)
        if clauses:
            self._handlers = self._handlers[:-1]
        for each in written(node):
            suite = _suite(each)
            if each.type == "else_clause" and suite is not None:
                self.block(suite)
        self.graph.go(after)
        self.graph.start(handlers)
        for clause in clauses:
            here = self.graph.new()
            self.graph.edge(handlers, here)
            self.graph.start(here)
            suite = _suite(clause)
            if suite is not None:
                self.block(suite)
            self.graph.go(after)
        self.graph.start(after)

    def with_(self, node: Node) -> None:
        """``with``: every manager is left on every way out."""
        clauses = [each for each in written(node) if each.type == "with_clause"]
        self._items([each for clause in clauses for each in below(clause) if each.type == "with_item"], node)

    def _items(self, items: list[Node], node: Node) -> None:
        body = node.child_by_field_name("body")
        if not items:
            if body is not None:
                self.block(body)
            return
        given = written(items[0])[0]
        target = None
        if given.type == "as_pattern":
            alias = given.child_by_field_name("alias")
            target = written(alias)[0] if alias is not None and written(alias) else alias
            given = written(given)[0]
        manager = self.temp()
        self.assign(manager, self.value(given), given)
        entered = self.emit_call(Member("", "__enter__", self.member_of(manager, "__enter__")), (), given)
        if target is not None:
            self.store(target, entered, given)

        def leave() -> None:
            exit_ = Member("", "__exit__", self.member_of(manager, "__exit__"))
            self.emit_call(exit_, (NONE, NONE, NONE), given)

        self._protected(lambda: self._items(items[1:], node), leave)

    # Branches and loops

    def if_(self, node: Node) -> None:
        """``if`` with all its branches."""
        after = self.graph.new()
        branches = [node, *(each for each in written(node) if each.type in ("elif_clause", "else_clause"))]
        for each in branches:
            condition = each.child_by_field_name("condition")
            suite = each.child_by_field_name("consequence") or each.child_by_field_name("body")
            following = self.graph.new()
            if condition is not None:
                taken = self.graph.new()
                self.branch(condition, taken, following)
                self.graph.start(taken)
            if suite is not None:
                self.block(suite)
            self.graph.go(after)
            self.graph.start(following)
        self.graph.go(after)
        self.graph.start(after)

    def while_(self, node: Node) -> None:
        """``while``: without a bound where the condition is a constant."""
        head, body, otherwise = self.graph.new(), self.graph.new(), self.graph.new()
        self.graph.flow(head)
        condition = node.child_by_field_name("condition")
        if condition is not None:
            if condition.type in ("true", "integer") and spelled(condition) != "0":
                self.graph.mark_unbounded(head)
            self.branch(condition, body, otherwise)
        self._ring(node, head, body, otherwise)

    def for_(self, node: Node) -> None:
        """``for``: a ring, whatever it runs over."""
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        over = self.settled(self.value(right), right) if right is not None else None
        head, body, otherwise = self.graph.new(), self.graph.new(), self.graph.new()
        self.graph.flow(head)
        self._either_way(body, otherwise)
        self.graph.start(body)
        if left is not None and over is not None:
            self.store(left, over.step(ELEMENT), left)
        self._ring(node, head, self.graph.current, otherwise)

    def _ring(self, node: Node, head: int, body: int, otherwise: int) -> None:
        after = self.graph.new()
        suite = node.child_by_field_name("body")
        self.graph.start(body)
        self._loops = [*self._loops, _Loop(after, head, len(self._cleanups))]
        if suite is not None:
            self.block(suite)
        self._loops = self._loops[:-1]
        self.graph.go(head)
        self.graph.start(otherwise)
        other = node.child_by_field_name("alternative")
        if other is not None and (suite := _suite(other)) is not None:
            self.block(suite)
        self.graph.go(after)
        self.graph.start(after)

    def _either_way(self, true: int, false: int) -> None:
        self.graph.edge(self.graph.current, true)
        self.graph.edge(self.graph.current, false)
        self.graph.end()

    def branch(self, node: Node, true: int, false: int) -> None:
        """Ends the block with an edge to each of two, guarded by a condition."""
        parts = written(node)
        match node.type:
            case "parenthesized_expression" if len(parts) == 1:
                self.branch(parts[0], true, false)
            case "not_operator" if parts:
                self.branch(parts[-1], false, true)
            case "boolean_operator" if len(parts) == 2:
                second = self.graph.new()
                if spelled(node.child_by_field_name("operator")) == "and":
                    self.branch(parts[0], second, false)
                else:
                    self.branch(parts[0], true, second)
                self.graph.start(second)
                self.branch(parts[1], true, false)
            case "comparison_operator" if len(parts) == 2 and _operator(node) in _COMPARED:
                self._compare(parts[0], _COMPARED[_operator(node)], parts[1], node, true, false)
            case _:
                given = self.value(node)
                if isinstance(given, Const) and given.value is not None:
                    self.graph.go(true if given.value else false)
                elif isinstance(given, Place):
                    self._guard(given, "!=", ZERO, node, true, false)
                else:
                    self._either_way(true, false)

    def _compare(self, left: Node, op: str, right: Node, node: Node, true: int, false: int) -> None:
        if spelled(left) == "__name__" and op == "==":
            self.graph.go(true)  # the file that is run, not imported, is of interest
            return
        one, other = self.value(left), self.value(right)
        if isinstance(one, Place) and isinstance(other, Place | Const):
            self._guard(one, op, other, node, true, false)
        else:
            self._either_way(true, false)

    def _guard(self, left: Place, op: str, right: Operand, node: Node, true: int, false: int) -> None:
        for target, comparison in ((true, op), (false, _OPPOSITE[op])):
            block = self.graph.new()
            self.graph.edge(self.graph.current, block)
            self.graph.emit_to(block, Assume(left, comparison, right, self.at(node)))
            self.graph.edge(block, target)
        self.graph.end()


def _suite(node: Node) -> Node | None:
    return next((each for each in written(node) if each.type == "block"), None)


def _operator(node: Node) -> str:
    return " ".join(spelled(each) for each in node.children_by_field_name("operators"))
