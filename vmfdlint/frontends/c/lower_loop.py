"""Loops and switches. In: syntax nodes. Out: blocks with back edges; case blocks with what their label
assumes."""

import msgspec
from tree_sitter import Node

from vmfdlint.base import SourceText
from vmfdlint.frontends.c.environment import Environment
from vmfdlint.frontends.c.lower_leave import Exits
from vmfdlint.frontends.c.state import Fragment, Scope
from vmfdlint.frontends.c.syntax import damage_names, parts, text_of
from vmfdlint.ir import Assume, Const, Opaque, Operand, Place, Unparsed

_BODY = "__vmfdlint_body__"
"""Stands for the body of a loop macro while its expansion is parsed."""


class _Target(msgspec.Struct, frozen=True):
    """Where ``break`` and ``continue`` lead and how many scopes stay. A switch has no place to
    ``continue``."""

    exit: int
    head: int | None
    depth: int


class _Switch(msgspec.Struct, frozen=True):
    """A switch statement whose body is being lowered. ``known`` holds the single constants of its cases."""

    value: Operand
    dispatch: int
    known: list[Const]
    default: list[int]


class Loops(Exits):
    """The layer of statements that repeat or select."""

    def __init__(self, source: SourceText, environment: Environment, name: str) -> None:
        super().__init__(source, environment, name)
        self._targets: list[_Target] = []
        self._switches: list[_Switch] = []
        self._bodies: list[tuple[Node, Fragment]] = []

    def damage(self, node: Node | None) -> None:
        """Emits Unparsed for what a node holds under parse errors."""
        if node is not None and node.has_error:
            names = damage_names(node)
            if names:
                self.graph.emit(Unparsed(names, self.at(node)))

    def break_from(self, node: Node) -> None:
        """``break;``"""
        if self._targets:
            self.leave(self._targets[-1].depth, node)
            self.graph.go(self._targets[-1].exit)

    def continue_from(self, node: Node) -> None:
        """``continue;``"""
        for target in reversed(self._targets):
            if target.head is not None:
                self.leave(target.depth, node)
                self.graph.go(target.head)
                return

    def _body(self, node: Node | None, exit_block: int, head: int | None) -> None:
        self._targets.append(_Target(exit_block, head, len(self.scopes)))
        if node is not None:
            self.statement(node)
        self._targets.pop()

    def while_loop(self, node: Node) -> None:
        """``while (c) body``, and the loop macros that the pre-pass wrote as one."""
        condition, body = node.child_by_field_name("condition"), node.child_by_field_name("body")
        if self.fragment.original[node.start_byte : node.start_byte + 5] != b"while":
            self.macro_loop(node, condition, body)
            return
        graph = self.graph
        head, inside, after = graph.new(), graph.new(), graph.new()
        graph.flow(head)
        self._test(condition, head, inside, after)
        graph.start(inside)
        self._body(body, after, head)
        graph.go(head)
        graph.start(after)

    def _test(self, condition: Node | None, head: int, inside: int, after: int) -> None:
        """A loop's condition; marks the loop's head where it always holds."""
        self.damage(condition)
        if condition is None or self._always(condition):
            self.graph.mark_unbounded(head)
            self.graph.go(inside)
        else:
            self.branch(condition, inside, after)

    def _always(self, condition: Node) -> bool:
        while condition.type == "parenthesized_expression" and len(parts(condition)) == 1:
            condition = parts(condition)[0]
        if condition.type not in ("number_literal", "true", "identifier"):
            return False
        if condition.type == "identifier" and self.lookup(text_of(condition)) is not None:
            return False
        operand = self.value(condition).operand
        return isinstance(operand, Const) and bool(operand.value)

    def do_loop(self, node: Node) -> None:
        """``do body while (c);``"""
        condition, body = node.child_by_field_name("condition"), node.child_by_field_name("body")
        graph = self.graph
        inside, test, after = graph.new(), graph.new(), graph.new()
        graph.flow(inside)
        self._body(body, after, test)
        graph.flow(test)
        self._test(condition, inside, inside, after)
        graph.start(after)

    def for_loop(self, node: Node) -> None:
        """``for (a; b; c) body``"""
        graph = self.graph
        initial, condition = node.child_by_field_name("initializer"), node.child_by_field_name("condition")
        update = node.child_by_field_name("update")
        self.scopes.append(Scope())
        if initial is not None:
            if initial.type == "declaration":
                self.declaration(initial)
            else:
                self.discard(initial)
        head, inside, step, after = graph.new(), graph.new(), graph.new(), graph.new()
        graph.flow(head)
        self._test(condition, head, inside, after)
        graph.start(inside)
        self._body(node.child_by_field_name("body"), after, step)
        graph.flow(step)
        if update is not None:
            self.discard(update)
        graph.go(head)
        graph.start(after)
        self.leave(len(self.scopes) - 1, node)
        self.scopes.pop()

    def macro_loop(self, node: Node, head_node: Node | None, body: Node | None) -> None:
        """A statement whose head is a macro's use: ``QLIST_FOREACH(..) body``. ``head_node`` is ``(..)``.

        The macro is expanded with a marker for a body; where the marker is met the body is lowered.
        """
        if head_node is None or body is None:
            return
        name = (
            self.fragment.original[node.start_byte : head_node.start_byte].decode("utf-8", "replace").strip()
        )
        macro = self.callable_macro(name)
        snippet = None
        if macro is not None:
            arguments = self.written(head_node).decode("utf-8", "replace")[1:-1]
            snippet = self.expansion_of(macro, arguments, " { " + _BODY + "; }")
        if snippet is None:
            self._unknown_loop(head_node, body)
            return
        self._bodies.append((body, self.fragment))
        with self.within(head_node, name, snippet[0]):
            for statement in snippet[1]:
                self.statement(statement)
        self._bodies.pop()

    def marked_body(self, node: Node) -> bool:
        """Lowers the body that a marker stands for; False where the node is no marker."""
        if not self._bodies or self.fragment.span is None or text_of(node) != _BODY:
            return False
        body, fragment = self._bodies.pop()
        with self.inside(fragment):
            self.statement(body)
        self._bodies.append((body, fragment))
        return True

    def _unknown_loop(self, head_node: Node, body: Node) -> None:
        """A loop of which only the body is known; its first argument is taken for the variable that moves
        on."""
        graph = self.graph
        head, inside, after = graph.new(), graph.new(), graph.new()
        graph.flow(head)
        graph.edge(head, inside)
        graph.go(after)
        graph.start(inside)
        first = head_node
        while first.type in ("parenthesized_expression", "comma_expression") and parts(first):
            first = parts(first)[0]
        if first.type == "identifier" and self.lookup(text_of(first)) is not None:
            self.assign(self.place(first)[0], Opaque("iteration"), head_node)
        self._body(body, after, head)
        graph.go(head)
        graph.start(after)

    def switch(self, node: Node) -> None:
        """``switch (v) body``: each label gets a block that assumes its value and leads into the body."""
        condition, body = node.child_by_field_name("condition"), node.child_by_field_name("body")
        graph = self.graph
        self.damage(condition)
        value: Operand = self.value(condition).operand if condition is not None else Opaque("unread")
        after = graph.new()
        found = _Switch(value, graph.current, [], [])
        graph.end()
        self._switches.append(found)
        self._body(body, after, None)
        self._switches.pop()
        graph.go(after)
        other = graph.new()
        graph.edge(found.dispatch, other)
        graph.start(other)
        if isinstance(value, Place):
            for constant in found.known:
                graph.emit(Assume(value, "!=", constant, self.at(condition or node)))
        graph.go(found.default[0] if found.default else after)
        graph.start(after)

    def case(self, node: Node) -> None:
        """``case v: ...`` and ``default: ...`` with the statements up to the next label."""
        label = node.child_by_field_name("value")
        graph = self.graph
        block = graph.new()
        if not self._switches:
            graph.go(block)
        elif label is None:
            self._switches[-1].default.append(block)
            graph.go(block)
        else:
            graph.go(block)
            self._select(self._switches[-1], label, block)
        graph.start(block)
        for child in parts(node):
            if label is None or child.id != label.id:
                self.statement(child)

    def _select(self, switch: _Switch, label: Node, block: int) -> None:
        """The edge from the switch to one of its cases."""
        graph = self.graph
        entry = graph.new()
        graph.edge(switch.dispatch, entry)
        graph.start(entry)
        bounds = self._bounds(label)
        if isinstance(switch.value, Place):
            if len(bounds) == 1:
                switch.known.append(bounds[0])
                graph.emit(Assume(switch.value, "==", bounds[0], self.at(label)))
            elif len(bounds) == 2:
                graph.emit(Assume(switch.value, ">=", bounds[0], self.at(label)))
                graph.emit(Assume(switch.value, "<=", bounds[1], self.at(label)))
        graph.go(block)

    def _bounds(self, label: Node) -> list[Const]:
        """The constant of a label, or both of a GNU range, which the pre-pass wrote as ``a || b``."""
        nodes: list[Node | None] = [label]
        if label.type == "binary_expression" and b"..." in self.written(label):
            nodes = [label.child_by_field_name("left"), label.child_by_field_name("right")]
        operands = [self.value(node).operand for node in nodes if node is not None]
        constants = [operand for operand in operands if isinstance(operand, Const)]
        return constants if len(constants) == len(nodes) else []
