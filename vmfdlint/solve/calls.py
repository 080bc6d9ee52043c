"""Calls, and what a model says of them: their effects on the fact, and what runs inside them.

In: a fact before a call. Out: the fact that goes on in the block, or nodes behind the call, in the callbacks
it runs and in the child it starts; observations. What no model knows goes a layer down (unmodelled).
"""

from functools import cached_property

import msgspec

from vmfdlint.ir import Call, Const, FuncRef, Named, Operand, Place, Text
from vmfdlint.link import Edge, EdgeKind, Site, callback_args
from vmfdlint.models import (
    Callback,
    Create,
    Duplicate,
    Effect,
    Exec,
    Fork,
    Grant,
    Linger,
    Map,
    Port,
    Resolved,
    Sign,
    Worker,
    Write,
    resolve,
)
from vmfdlint.solve.apply import apply
from vmfdlint.solve.boundary import enter
from vmfdlint.solve.counts import counting, is_given, is_known, unsure
from vmfdlint.solve.facts import Fact
from vmfdlint.solve.guards import guarded, guards
from vmfdlint.solve.invocation import Invocation
from vmfdlint.solve.joins import Threads
from vmfdlint.solve.local import evaluate, forget, hold, told
from vmfdlint.solve.observe import Happening, Node
from vmfdlint.solve.pointed import unpointed
from vmfdlint.solve.ports import operand_at
from vmfdlint.solve.process import copied
from vmfdlint.solve.records import Records
from vmfdlint.solve.tables import Step
from vmfdlint.solve.texts import delivered, text_of
from vmfdlint.solve.unmodelled import Unmodelled
from vmfdlint.solve.values import FORKED, POSITIVE, RAISING, RETURNED, ZERO, Value
from vmfdlint.summary import (
    RESULT,
    Flow,
    cell_of,
    is_temporary,
    operand_path,
    path_of,
    port_path,
    starts_with,
)


class Calls(Unmodelled):
    """What a call does; that of an API is one effect after the other."""

    @cached_property
    def records(self) -> Records:
        """The tables that name a text of interest."""
        return Records(self.behaviour, self.builders.keys)

    @cached_property
    def threads(self) -> Threads:
        """What waits for which threads."""
        return Threads(self.behaviour, self.graph, self.at)

    @cached_property
    def _reading(self) -> frozenset[str]:
        return self.models.reading_names()

    @cached_property
    def _granting(self) -> frozenset[str]:
        return self.models.names_with(Grant)

    def _call(self, node: Node, instr: Call, flow: Flow) -> Fact | None:
        """One call. Returns the fact that simply goes on in the block, None where all successors were
        pushed."""
        fact = node.fact
        args = tuple(self.interest.constants.constant(evaluate(argument, fact)) for argument in instr.args)
        texts = args
        if fact.is_zero:
            chosen = (self.interest.constants.among(one, flow.function) for one in args)
            texts = tuple(text_of(one, fact, flow.counts_references) for one in chosen)
            if isinstance(instr.target, Named) and instr.target.name in self._reading:
                texts = tuple(self.interest.constants.initial(one) for one in texts)
        modelled = self.behaviour.modelled(
            flow.key,
            msgspec.structs.replace(instr, args=texts),
            lambda port: self._read(port, args, fact, flow),
        )
        if modelled is not None and fact.is_zero and modelled.api in self._granting:
            modelled = self._of_each_record(modelled, texts)
        edges = self._edges(node, instr, texts, flow, modelled)
        if fact.env and not fact.is_zero:
            node = self._counted(node, instr, modelled)
        if modelled is not None:
            return self._api(node, instr, args, flow, modelled, edges)
        return self._bodies(node, instr, args, flow, edges)

    def _counted(self, node: Node, instr: Call, modelled: Resolved | None) -> Node:
        """The node of a call whose fact no longer knows how many use its object, where others are about to
        step that number whenever they like."""
        number = counting(node.fact)
        if number is None or not is_known(node.fact, number):
            return node
        stepping = self.relevance.stepping(number)
        site = Site(self.contexts[node.context].key, node.block, node.index)
        aside = any(
            edge.callee in stepping and (edge.kind.is_deferred or edge.kind is EdgeKind.THREAD)
            for edge in self.relevance.edges.get(site, {}).values()
        )
        if not aside and not (modelled is None and is_given(node.fact, instr)):
            return node
        return self._note(node, node.index, unsure(node.fact))

    def _of_each_record(self, modelled: Resolved, args: tuple[Operand, ...]) -> Resolved:
        """A call with members of a record as arguments: what it grants for any element of a table."""
        grants = [
            effect
            for row in self.records.rows(args)
            if (found := resolve(self.models, modelled.api, row)) is not None
            for effect in found.effects
            if isinstance(effect, Grant)
        ]
        if not grants:
            return modelled
        return msgspec.structs.replace(modelled, effects=(*modelled.effects, *dict.fromkeys(grants)))

    def _read(self, port: Port, args: tuple[Operand, ...], fact: Fact, flow: Flow) -> Operand | None:
        """What a condition of a model finds in a member of an argument."""
        path = port_path(port, args)
        value: Value | Operand | None = fact.lookup(path) if path is not None else None
        if value is None and path is not None and (element := flow.elements.get(path)) is not None:
            text = text_of(evaluate(element, fact), fact, flow.counts_references)
            value = text if isinstance(text, Const | Text) else Text("%s")
        if value is None and port.arg is not None and len(port.fields) == 1:
            value = self.interest.constants.element(args[port.arg], port.fields[0])
        return value if isinstance(value, Const | Text) else None

    def _api(
        self,
        node: Node,
        instr: Call,
        args: tuple[Operand, ...],
        flow: Flow,
        modelled: Resolved,
        edges: list[Edge],
    ) -> Fact | None:
        site = Site(flow.key, node.block, node.index)
        if node.fact.is_zero and modelled.wants:
            self.interest.constants.want(
                self, flow, [instr.args[i] for i in modelled.wants if i < len(instr.args)]
            )
        if node.fact.is_zero and flow.key in self.builders.keys:
            for effect in modelled.effects:
                if isinstance(effect, Write) and effect.values is not None:
                    self.interest.constants.want(self, flow, instr.args[effect.values :])
        call = Invocation(
            site,
            instr.at,
            modelled.api,
            args,
            flow,
            self.retries.makes_several(flow, node.block, node.index),
            self.behaviour.sharing,
            modelled.failure is Sign.RAISES,
        )

        def observe(what: Happening, fact: Fact, detail: str = "", made: Fact | None = None) -> None:
            self.observe(what, node, instr.at, fact, detail or modelled.api, made)

        facts = [node.fact]
        for effect in modelled.effects:
            if isinstance(effect, Create) and not self.interest.receives(effect, flow.key):
                continue
            if isinstance(effect, Fork | Worker) and self.interest.released(node.fact):
                facts = [after for fact in facts for after in _of_parent(fact, effect, call)]
                continue
            facts = [after for fact in facts for after in apply(fact, effect, call, observe)]
            if isinstance(effect, Fork) and effect.entry is not None:
                facts = self._run_child(node, args, effect, facts, flow)
            elif isinstance(effect, Callback) and effect.when == EdgeKind.PROCESS:
                for child in copied(node.fact):
                    given = callback_args(effect, msgspec.structs.replace(instr, args=args))
                    self._start(node, args[effect.function.arg or 0], given, child, flow)
        elements = self.interest.elements
        facts = [elements.entrusted(fact, modelled, args, flow) for fact in facts]
        facts = [self.interest.once.told(fact, modelled, flow, site) for fact in facts]
        elements.note(node.fact, facts, modelled)
        if any(isinstance(effect, Linger) for effect in modelled.effects):
            self._run_deferred(node, instr, flow)
        if self.interest.elements.closes(node.fact, edges):
            self.observe(Happening.CLOSE, node, instr.at, node.fact, "each")
            return None
        for edge in edges:
            if self.interest.enters(node.fact, edge, flow) and self._may_enter(node.fact, edge.callee):
                self._enter(node, instr, edge)
        if self._went_through(node, instr, modelled) or self.interest.elements.go_through(node.fact, edges):
            return None
        if node.fact.object is not None and self.threads.note(node.fact, flow, site, modelled):
            self.interest.given_away.add(node.fact.object)
        if node.fact.is_zero:
            known = guards(flow, node.block)
            facts = [fact if fact.is_zero else guarded(fact, known) for fact in facts]
        for fact in facts:
            asked = instr.dst is not None and path_of(instr.dst) in flow.tested
            for ended, ending in _endings(fact, node.fact, modelled, asked):
                after = self._with_result(ended, instr, flow, node)
                if after is None:
                    continue
                after = self._placed(after, node, instr.dst) if node.fact.is_zero else after
                after = self._ended(after, node, ending)
                behind = Node(node.context, node.block, node.index + 1, after)
                self.push(behind, Step(node))
                if node.fact.is_zero:
                    self._tell(behind, instr.at)
        return None

    def _went_through(self, node: Node, instr: Call, modelled: Resolved) -> bool:
        """Whether a fact goes on behind a call out of the threads that it waits for, of those that began when
        the reference was there."""
        fact, flow = node.fact, self._flow(node)
        if fact.is_zero or not fact.is_open or fact.in_child:
            return False
        site = Site(flow.key, node.block, node.index)
        entered = False
        for began, edge in self.threads.joined(flow, site, instr, modelled):
            if self.behaviour.endings.never_returns(edge.callee, edge.args):
                continue  # it was cancelled, nobody knows where
            there = self.threads.there(fact, began)
            given = {path for operand in edge.args if (path := operand_path(operand)) is not None}
            # What was made for the call that began the thread has no name any more.
            held = {path for one in there for path in one.places if path in given and is_temporary(path)}
            before = fact.with_places({*fact.places, *held})
            if there and self.interest.enters(before, edge, flow) and self._may_enter(fact, edge.callee):
                self._enter(node if before == fact else self._note(node, node.index, before), instr, edge)
                entered = True
        if not entered and self.threads.release(fact, flow, site, instr, modelled):
            self.observe(Happening.CLOSE, node, instr.at, fact, "thread")
            return True
        return entered

    def _run_child(
        self, node: Node, args: tuple[Operand, ...], effect: Fork, facts: list[Fact], flow: Flow
    ) -> list[Fact]:
        """clone(2) with a start function: the child runs it and ends; the others go on here."""
        assert effect.entry is not None
        stay = [fact for fact in facts if not (fact.in_child and fact.lookup(RESULT) == ZERO | FORKED)]
        position = effect.entry.arg
        if position is None or position >= len(args):
            return stay
        data = operand_at(effect.data, args)
        given = (data,) if isinstance(data, Place) else ()
        for fact in facts:
            if fact not in stay:
                self._start(node, args[position], given, fact.knowing(RESULT, None), flow)
        return stay

    def _start(
        self, node: Node, function: Operand, given: tuple[Operand, ...], child: Fact, flow: Flow
    ) -> None:
        """A process runs a function with a fact of its own, and ends when that returns."""
        if not isinstance(function, FuncRef):
            return
        for target in self.graph.program.resolve(function.name, flow.key.path):
            callee = self.behaviour.flow(target)
            if callee is None:
                continue
            inside = enter(child, given, callee)
            number = self.seed(target, inside)
            self.incoming.setdefault(number, {})
            self.steps[Node(number, 0, 0, inside)] = Step(node)

    def _with_result(self, fact: Fact, instr: Call, flow: Flow, node: Node) -> Fact | None:
        """Moves what the call returned from RESULT to the destination."""
        returned = [path for path in fact.places if starts_with(path, RESULT)]
        value = fact.lookup(RESULT)
        parts = [(path, known) for path, known in fact.env if len(path) > 1 and starts_with(path, RESULT)]
        if fact.is_zero:
            fact = delivered(fact, path_of(instr.dst) if instr.dst is not None else None)
        fact = fact.knowing(RESULT, None)
        before = fact if fact.places else node.fact
        if returned:
            fact = fact.with_places({path for path in fact.places if not starts_with(path, RESULT)})
        if instr.dst is not None:
            dst, cell = path_of(instr.dst), cell_of(instr.dst)
            if not fact.is_zero:
                fact = forget(unpointed(fact, dst, flow), dst, cell)
            for path in returned:
                whole = len(path) == 1
                fact = told(hold(fact, (*dst, *path[1:]), cell if whole else None), (*dst, *path[1:]), flow)
            if value is not None and dst in flow.tested:
                fact = fact.knowing(dst, value)
            for path, known in parts if not fact.is_zero else ():
                fact = fact.knowing((*dst, *path[1:]), known)
        if fact.is_gone:
            return None
        fact = self._settle(fact, before, node, instr.at)
        return None if fact.is_gone else fact


def _of_parent(fact: Fact, effect: Effect, call: Invocation) -> list[Fact]:
    """What goes on in the parent of a fork, of which nothing is to be told."""
    after = apply(fact, effect, call, lambda *_seen, **_more: None)
    return [one for one in after if not one.in_child and not one.is_parent]


def _ending(fact: Fact, before: Fact, modelled: Resolved) -> Value | None:
    """How a modelled call ended for a fact behind it: it returned where that is what it made; nothing is
    known of any other where it may have failed."""
    if modelled.failure is not Sign.RAISES:
        return RETURNED
    if any(isinstance(effect, Exec) for effect in modelled.effects):
        return RAISING
    child = ZERO | FORKED
    forked = fact.in_child and any(path[0] == RESULT[0] and known == child for path, known in fact.env)
    return RETURNED if fact.object != before.object or forked else None


def _endings(fact: Fact, before: Fact, modelled: Resolved, asked: bool) -> list[tuple[Fact, Value | None]]:
    """A fact behind a modelled call, with how that ended: two where a call that makes another reference may
    have raised and the program asks for the result, which is a number where it did not."""
    ending = _ending(fact, before, modelled)
    makes = any(
        isinstance(one, Create | Duplicate | Map) and one.at == Port(None) for one in modelled.effects
    )
    if ending is not None or not makes or not asked or fact.lookup(RESULT) is not None:
        return [(fact, ending)]
    return [(fact.knowing(RESULT, POSITIVE), RETURNED), (fact, RAISING)]
