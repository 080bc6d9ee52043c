"""Entering and leaving scopes. In: declarations, return, goto, labels. Out: what runs where a scope ends.

A declaration with a cleanup function (``__attribute__((cleanup(f)))``, ``g_autofd``) runs it on every way
out of its scope. A goto may lead forward to a label not yet seen, so what it leaves is settled at the end
of the function.
"""

from typing import NamedTuple

from tree_sitter import Node

from vmfdlint.base import SourceText, Span
from vmfdlint.frontends.c.cleanups import Cleanup, cleanup_at
from vmfdlint.frontends.c.declarators import THREAD_WORDS, declared, storage_of
from vmfdlint.frontends.c.environment import Environment
from vmfdlint.frontends.c.lower_init import Initialisers
from vmfdlint.frontends.c.state import Scope
from vmfdlint.frontends.c.syntax import is_prototype, is_truth, parts, text_of
from vmfdlint.ir import Address, Call, Const, Named, Operand, Return, Via

_RECORD_WORDS = frozenset(("struct", "union", "enum"))


class _Jump(NamedTuple):
    """A goto: the block it ends and the scopes it leaves from, with the cleanups each had by then."""

    block: int
    scopes: tuple[tuple[Scope, int], ...]
    label: str
    at: Span


class Exits(Initialisers):
    """The layer of scopes and of the ways out of them."""

    def __init__(self, source: SourceText, environment: Environment, name: str) -> None:
        super().__init__(source, environment, name)
        self._labels: dict[str, int] = {}
        self._label_scopes: dict[str, tuple[Scope, ...]] = {}
        self._jumps: list[_Jump] = []
        self._before_type: Cleanup | None = None

    # Declarations

    def declaration(self, node: Node) -> None:
        """Declares locals and assigns their initial values."""
        storage = storage_of(node)
        cleanup = cleanup_at(self.environment, self.fragment.original, node.start_byte, node.end_byte)
        cleanup, self._before_type = cleanup or self._before_type, None
        for found in declared(node):
            if not found.name:
                continue
            if cleanup is not None and found.name in _RECORD_WORDS:
                # ``word struct vm *vm`` is read as a declaration of "struct", and then one of vm.
                self._before_type = cleanup
                continue
            ctype = self.declared_type(found, node)
            if cleanup is not None and cleanup.type is not None:
                ctype = self.environment.resolve_type(cleanup.type)
            if storage & {"static", "extern", *THREAD_WORDS}:
                # What a static starts with is assigned once, at file level.
                self.declare_global(found.name, ctype, storage)
                continue
            if found.value is None and is_prototype(found.node):
                continue
            place = self.declare(found.name, ctype).place
            if found.value is not None:
                self.initial(place, ctype, found.value, found.node)
            if cleanup is not None:
                operand = place if cleanup.by_value else Address(place)
                self.scopes[-1].cleanups.append((cleanup.function, operand))

    # Ways out

    def leave(self, depth: int, node: Node) -> None:
        """Runs the cleanups of every scope from ``depth`` on, innermost first."""
        for scope in reversed(self.scopes[depth:]):
            for cleanup, operand in reversed(scope.cleanups):
                self.emit_call(None, Named(cleanup), (operand,), node)

    def return_from(self, node: Node | None, statement: Node) -> None:
        """``return node;``: a choice returns on each of its ways."""
        if node is None:
            self._return(None, statement)
            return
        while node.type == "parenthesized_expression" and len(parts(node)) == 1:
            inner = parts(node)[0]
            if inner.type == "compound_statement":
                break
            node = inner
        consequence = (
            node.child_by_field_name("consequence") if node.type == "conditional_expression" else None
        )
        condition, other = node.child_by_field_name("condition"), node.child_by_field_name("alternative")
        if consequence is not None and condition is not None and other is not None:
            yes, no = self.graph.new(), self.graph.new()
            self.branch(condition, yes, no)
            self.graph.start(yes)
            self.return_from(consequence, statement)
            self.graph.start(no)
            self.return_from(other, statement)
            return
        if is_truth(node):
            yes, no = self.graph.new(), self.graph.new()
            self.branch(node, yes, no)
            for block, truth in ((yes, 1), (no, 0)):
                self.graph.start(block)
                self._return(Const(truth), statement)
            return
        self._return(self.value(node).operand, statement)

    def _return(self, value: Operand | None, node: Node) -> None:
        if any(scope.cleanups for scope in self.scopes):
            if value is not None and not isinstance(value, Const):
                # The value is computed before the cleanups run.
                kept = self.temp()
                self.assign(kept, value, node)
                value = kept
            self.leave(0, node)
        self.graph.emit(Return(value, self.at(node)))
        self.graph.end()

    def goto(self, node: Node) -> None:
        """``goto label;``"""
        label_node = node.child_by_field_name("label")
        label = text_of(label_node) if label_node is not None else ""
        block = self.graph.current
        scopes = tuple((scope, len(scope.cleanups)) for scope in self.scopes)
        self._jumps.append(_Jump(block, scopes, label, self.at(node)))
        self.graph.mark_jump(block, self.at(node))
        self.graph.go(self._label(label))

    def labeled(self, node: Node) -> None:
        """``label: statement``"""
        label_node = node.child_by_field_name("label")
        label = text_of(label_node) if label_node is not None else ""
        block = self._label(label)
        if label in self._label_scopes:
            # The same label again: a macro used twice. Each use has its own.
            block = self._labels[label] = self.graph.new()
        self._label_scopes[label] = tuple(self.scopes)
        self.graph.flow(block)
        self.graph.mark_label(block, label)
        for child in parts(node):
            if label_node is None or child.id != label_node.id:
                self.statement(child)

    def _label(self, label: str) -> int:
        if label not in self._labels:
            self._labels[label] = self.graph.new()
        return self._labels[label]

    def settle_jumps(self) -> None:
        """At the end of the function: each goto runs the cleanups of the scopes that its label is not in."""
        for jump in self._jumps:
            kept = self._label_scopes.get(jump.label)
            if kept is None:
                # Damage hides the label: nothing is known of what follows.
                continue
            for scope, count in reversed(jump.scopes):
                if not any(scope is other for other in kept):
                    for cleanup, operand in reversed(scope.cleanups[:count]):
                        call = Call(None, Named(cleanup), (operand,), jump.at, Via())
                        self.graph.emit_to(jump.block, call)
        for label, block in self._labels.items():
            if label not in self._label_scopes:
                at = next(jump.at for jump in self._jumps if jump.label == label)
                self.graph.emit_to(block, Return(None, at))
