"""Calls of functions whose body is in the tree, or of which nothing is known.

In: a fact before a call and the edges from it. Out: nodes in the callees that are entered (crossings), else
the fact that goes on behind the call; observations of what a callee that is left out can wait in.
"""

from functools import cached_property

from vmfdlint.ir import Address, Call, Const, FuncRef, FunctionKey, Indirect, Named, Operand
from vmfdlint.link import Edge, EdgeKind, Site
from vmfdlint.models import Resolved
from vmfdlint.solve.builders import Builders
from vmfdlint.solve.crossings import Crossings
from vmfdlint.solve.descriptors import closed
from vmfdlint.solve.facts import IN_CHILD, UNKNOWN_CALLEE, Fact
from vmfdlint.solve.given import gives, leads_to
from vmfdlint.solve.local import forget
from vmfdlint.solve.observe import Happening, Node
from vmfdlint.solve.pointed import unpointed
from vmfdlint.solve.tables import Step
from vmfdlint.solve.typestate import Life
from vmfdlint.solve.values import RAISING, RETURNED, Value
from vmfdlint.summary import (
    ESCAPED,
    RESULT,
    Flow,
    Path,
    behind_argument,
    cell_of,
    is_global,
    is_temporary,
    operand_path,
    path_of,
    starts_with,
    step_name,
)


class Unmodelled(Crossings):
    """What a call does that no model knows."""

    @cached_property
    def builders(self) -> Builders:
        """The functions that build a text for their caller."""
        return Builders(self.behaviour, self.models)

    def _edges(
        self, node: Node, instr: Call, args: tuple[Operand, ...], flow: Flow, modelled: Resolved | None
    ) -> list[Edge]:
        site = Site(flow.key, node.block, node.index)
        found: list[Edge] = []
        if modelled is None and isinstance(instr.target, Named):
            found = [
                Edge(site, target, EdgeKind.DIRECT, args)
                for target in self.graph.program.targets(flow.key, instr)
            ]
        if not isinstance(instr.target, Named) and (
            node.fact.in_child
            or self._is_parent(node.fact)
            or gives(node.fact, args)
            or _told(node.fact, instr) is not None
        ):
            # What runs in a child or its parent matters whatever it touches: it may wait. A number that is
            # given away is no member or global by whose name the callee could be found.
            behind = self._behind(node.fact, instr, flow)
            found = [Edge(site, target, EdgeKind.SLOT, args) for target in behind]
        direct = {edge.callee for edge in found}
        self.interest.prepare(node.fact, flow)
        for edge in self.relevance.edges.get(site, {}).values():
            if edge.callee not in direct and not edge.kind.is_deferred:
                found.append(edge)
        return found

    def _is_parent(self, fact: Fact) -> bool:
        """Whether a fact stands for the parent of a fork, of which it is not known yet that it lives on."""
        return fact.is_parent and not self._is_settled(fact)

    def _behind(self, fact: Fact, instr: Call, flow: Flow) -> tuple[FunctionKey, ...]:
        """What a call through a member or a variable runs; the one, where a caller said which."""
        found = self.behaviour.slots.targets(flow.key, instr)
        given = _told(fact, instr)
        return tuple(key for key in found if given is None or key.name == given.name)

    def _bodies(
        self, node: Node, instr: Call, args: tuple[Operand, ...], flow: Flow, edges: list[Edge]
    ) -> Fact | None:
        fact = node.fact
        if (closing := self._closed_by_rest(fact, args, edges)) is not None:
            self.observe(Happening.CLOSE, node, instr.at, fact, closing[0].name)
            left = closed(fact, Site(flow.key, node.block, node.index), must=not closing[1])
            return left[0] if left else None
        entered = left_out = False
        for edge in edges:
            if not self.interest.enters(fact, edge, flow) or self._had_its_turn(fact, edge, edges, flow):
                continue
            if self._may_enter(fact, edge.callee):
                self._enter(node, instr, edge)
                entered = entered or edge.kind is not EdgeKind.THREAD
            else:
                left_out = True
        if entered and not fact.is_zero:
            return None
        direct = [edge for edge in edges if edge.kind is EdgeKind.DIRECT]
        if direct and all(self.behaviour.endings.never_returns(edge.callee, args) for edge in direct):
            for edge in direct:
                self._linger_below(node, instr, edge)
            return None
        if left_out:
            fact = fact.marked("limit reached")
        if not fact.is_zero:
            for edge in edges if fact.in_child or self._is_parent(fact) else direct:
                self._linger_below(node, instr, edge)
            if not edges:
                fact = self._unknown(fact, instr, args)
        built = self.builders.after(fact, edges) if fact.is_zero else ()
        if instr.dst is not None:
            dst = path_of(instr.dst)
            fact = forget(unpointed(fact, dst, flow), dst, cell_of(instr.dst))
        for argument in args:
            if isinstance(argument, Address) and fact.env:
                fact = fact.knowing(path_of(argument.place), None)
        for argument in instr.args:
            path = operand_path(argument)
            if path is not None and is_temporary(path) and fact.env:
                fact = fact.knowing(path, None)  # it was made for this call
        if fact.env:
            fact = self._noted(fact, direct, instr.args)
            fact = self._set(fact, edges)
        for path, text in built:
            outside = path
            if starts_with(path, RESULT):
                if instr.dst is None:
                    continue
                outside = (*path_of(instr.dst), *path[1:])
            fact = fact.knowing(outside, text)
        fact = self._settle(fact, node.fact, node, instr.at)
        if fact.is_gone:
            return None
        first, *others = self._endings_of(fact, edges, direct, args)
        for ending in others:
            behind = Node(node.context, node.block, node.index + 1, self._ended(fact, node, ending))
            self.push(behind, Step(node))
        return self._ended(fact, node, first)

    def _had_its_turn(self, fact: Fact, edge: Edge, edges: list[Edge], flow: Flow) -> bool:
        """Whether a loop over functions has run this one, which closed the reference: each entry of a table
        or a list runs once, and so does each that was collected where functions hold what they work on."""
        if fact.state.life is not Life.CLOSED or fact.mark is None or edge.site.block not in flow.looping:
            return False
        if flow.counts_references:
            return len(edges) > 1 and fact.mark.function == edge.callee
        if edge.kind is not EdgeKind.SLOT or not flow.walks(edge.site):
            return False
        closer = fact.mark.function
        closing = self.relevance.reaches(f"close by {closer.name} in {closer.path}", lambda: (closer,))
        return edge.callee in closing

    def _set(self, fact: Fact, edges: list[Edge]) -> Fact:
        """A fact without what it knew of the globals that a callee sets, or one below it."""
        for path, _value in fact.env if fact.is_open and not fact.is_zero else ():
            alone = len(path) == 1 and is_global(path)
            if alone and any(self.behaviour.below.sets(edge.callee, path) for edge in edges):
                fact = fact.knowing(path, None)
        return fact

    def _closed_by_rest(
        self, fact: Fact, args: tuple[Operand, ...], edges: list[Edge]
    ) -> tuple[FunctionKey, Path] | None:
        """The callee that closes each of the arguments without a name, where the reference is one or behind
        one, with the steps to it."""
        if fact.is_zero or not fact.is_open or fact.is_mapping or not leads_to(args[1:], fact):
            return None
        for edge in edges:
            callee = self.behaviour.flow(edge.callee) if edge.kind is EdgeKind.DIRECT else None
            for steps in callee.closed_rest if callee is not None else ():
                rest = args[len(callee.params) :] if callee is not None else ()
                if any(behind_argument(argument, steps) in fact.places for argument in rest):
                    return edge.callee, steps
        return None

    def _noted(self, fact: Fact, edges: list[Edge], args: tuple[Operand, ...]) -> Fact:
        """A fact without what it knew of the members that a callee puts something into."""
        for position, path in enumerate(map(operand_path, args)):
            if path is None:
                continue
            known = [one for one, _ in fact.env if len(one) > len(path) and starts_with(one, path)]
            for edge in edges if known else ():
                notes = self.behaviour.parameters.notes(edge.callee, position)
                for one in known:
                    fact = fact.knowing(one, None) if step_name(one[-1]) in notes else fact
        return fact

    def _endings_of(
        self, fact: Fact, edges: list[Edge], direct: list[Edge], args: tuple[Operand, ...]
    ) -> list[Value | None]:
        """The ways in which a call ended that came back, of which the ``direct`` edges are its own; None for
        one that returned or raised what has no name."""
        endings = self.behaviour.endings
        raised = frozenset[tuple[str, ...]]().union(*(endings.raised.by(edge.callee) for edge in edges))
        if not raised:
            return [RETURNED]
        only = bool(direct) and all(endings.only_raises(edge.callee, args) for edge in direct)
        named = [] if fact.is_zero else [Const(1, names) for names in sorted(raised) if names]
        if fact.is_zero or () in raised:
            return [RAISING if only else None, *named]
        return [*named] if only else [RETURNED, *named]

    def _linger_below(self, node: Node, instr: Call, edge: Edge) -> None:
        """A callee that is not entered may still wait."""
        fact = node.fact
        if fact.is_zero or self._is_settled(fact) or self._survives(fact):
            return
        if fact.is_watched:
            parent = self._is_parent(fact)
            wait = self.behaviour.below.lingers(edge.callee, slots=fact.in_child, heard=not parent)
            if wait:
                self.observe(Happening.LINGER, node, instr.at, fact, f"{wait} in {edge.callee.name}")
        elif self._defers(fact) and self.behaviour.below.lingers(edge.callee):
            self._run_deferred(node, instr, self._flow(node))

    def _run_deferred(self, node: Node, instr: Call, flow: Flow) -> None:
        """While the process waits, the callbacks it registered run; they return into the wait."""
        fact = node.fact
        if not self._defers(fact):
            return
        site = Site(flow.key, node.block, node.index)
        for edge in self.interest.deferred(fact):
            self._enter(node, instr, Edge(site, edge.callee, edge.kind, ()))
        for key in self.interest.strays(fact):
            doubtful = fact.marked(f"no way from main() to {key.name} found")
            there = node if doubtful == fact else self._note(node, node.index, doubtful)
            self._enter(there, instr, Edge(site, key, EdgeKind.LATER, ()))

    def _defers(self, fact: Fact) -> bool:
        """Whether callbacks that run while the process waits can matter to a fact."""
        if (
            fact.is_zero
            or not fact.is_open
            or fact.in_child
            or fact.object is None
            or not fact.object.holds_vm
        ):
            return False
        return bool(self.interest.deferred(fact) or self.interest.strays(fact))

    def _unknown(self, fact: Fact, instr: Call, args: tuple[Operand, ...]) -> Fact:
        """A call whose body is not in the tree and that no model knows."""
        if not isinstance(instr.target, Named):
            return fact
        name = instr.target.name
        given = [index for index, argument in enumerate(args) if operand_path(argument) in fact.places]
        if given and fact.is_open and fact.object is not None:
            seen = self.unknown.setdefault(name, {}).setdefault((given[0], fact.object.kind), instr.at)
            self.unknown[name][(given[0], fact.object.kind)] = min(seen, instr.at)
            fact = fact.with_places({*fact.places, ESCAPED})
        if given or fact.is_watched:
            fact = fact.marked(UNKNOWN_CALLEE + name + (IN_CHILD if fact.in_child else ""))
        return fact


def _told(fact: Fact, instr: Call) -> FuncRef | None:
    """The function that a caller put into the variable which is called, where it is known."""
    known = fact.lookup(path_of(instr.target.place)) if isinstance(instr.target, Indirect) else None
    return known if isinstance(known, FuncRef) else None
