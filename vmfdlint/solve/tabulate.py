"""Tabulation of facts over the program: contexts, a worklist, call and return edges.

A context is (function, fact at its entry); a node is a fact before an instruction in a context. Facts that
begin inside a callee (its entry fact is the zero fact) return to every caller; others return to the calls
that sent them.
"""

from collections.abc import Iterator

import msgspec

from vmfdlint.base import LIMITS, Span
from vmfdlint.ir import (
    Address,
    Assign,
    Assume,
    Call,
    Const,
    FuncRef,
    FunctionKey,
    Indirect,
    Named,
    Operand,
    Place,
    Return,
    Text,
    Unparsed,
)
from vmfdlint.link import CallGraph, Edge, EdgeKind, Site
from vmfdlint.models import Create, Fork, Grant, Kind, Linger, Models, Port, Resolved, Write, resolve
from vmfdlint.solve.apply import apply, close_all, closed, watched
from vmfdlint.solve.boundary import contradicts, enter, in_new_thread, leave, rests
from vmfdlint.solve.builders import Builders
from vmfdlint.solve.facts import IN_CHILD, UNKNOWN_CALLEE, ZERO_FACT, Fact, match_path
from vmfdlint.solve.guards import guards
from vmfdlint.solve.interest import Interest
from vmfdlint.solve.invocation import Invocation
from vmfdlint.solve.local import assign, assume, evaluate, forget, hold, leave_function, remembered
from vmfdlint.solve.mappings import is_part
from vmfdlint.solve.observe import Happening, Node
from vmfdlint.solve.records import Records
from vmfdlint.solve.tables import Incoming, Step, Tables
from vmfdlint.solve.texts import delivered, text_of
from vmfdlint.solve.typestate import Event, Life
from vmfdlint.solve.values import ZERO, Value
from vmfdlint.summary import (
    ESCAPED,
    RESULT,
    Behaviour,
    Flow,
    Path,
    Relevance,
    Sweep,
    Teardown,
    cell_of,
    is_temporary,
    operand_path,
    path_of,
    port_path,
    starts_with,
    variable,
)

_DEFERRED = (EdgeKind.LATER, EdgeKind.EXIT, EdgeKind.SIGNAL)


class Tabulation(Tables):
    """The transfer functions over whole functions and calls, working the tables' list off."""

    def __init__(
        self, graph: CallGraph, behaviour: Behaviour, relevance: Relevance, models: Models, interest: Interest
    ) -> None:
        super().__init__(behaviour)
        self.graph = graph
        self.relevance = relevance
        self.models = models
        self.interest = interest
        self.teardown = Teardown(behaviour)
        self.unknown: dict[str, dict[tuple[int, Kind], Span]] = {}
        self.builders = Builders(behaviour, models)
        self.records = Records(behaviour, self.builders.keys)
        self._reading = models.reading_names()
        self._granting = models.names_with(Grant)
        self._climbed: dict[FunctionKey, tuple[Edge, ...]] = {}

    # -- the worklist ----------------------------------------------------------------------------------------

    def run(self) -> None:
        """Works until nothing new comes."""
        while self._work:
            self._advance(self._work.popleft())

    def again(self, key: FunctionKey) -> None:
        """Runs the calls of a function again that the zero fact reached: a callee now wants their
        constants."""
        for (function, block, index), facts in list(self.at.items()):
            if function != key:
                continue
            for fact, node in list(facts.items()):
                if fact.is_zero and node not in self._work:
                    self._work.append(Node(node.context, block, index, fact))

    def _advance(self, node: Node) -> None:
        """Runs a fact through the rest of its block."""
        flow = self._flow(node)
        block = flow.function.blocks[node.block]
        fact = node.fact
        if node.index == 0 and not fact.is_zero:
            if block.unbounded and watched(fact):
                self._linger_in_loop(node, flow)
            swept = self._sweep(node, flow)
            if swept is None:
                return
            fact = swept
        index = node.index
        while index < len(block.instrs):
            instr = block.instrs[index]
            current = node if (index, fact) == (node.index, node.fact) else self._note(node, index, fact)
            match instr:
                case Assign():
                    fact = self._settle(assign(fact, instr, flow), fact, current, instr.at)
                case Assume():
                    guarded = assume(fact, instr, flow)
                    if guarded is None:
                        return
                    fact = guarded
                case Return():
                    self._leave(current, instr, flow)
                    return
                case Unparsed():
                    if watched(fact) or any(variable(path) in instr.names for path in fact.places):
                        fact = fact.marked("damaged statement")
                case Call():
                    after = self._call(current, instr, flow)
                    if after is None:
                        return
                    fact = after
            node = current
            index += 1
        last = node if (index, fact) == (node.index, node.fact) else self._note(node, index, fact)
        for successor in block.successors:
            self.push(Node(node.context, successor, 0, remembered(fact, flow, successor)), Step(last))

    # -- inside a function -----------------------------------------------------------------------------------

    def _linger_in_loop(self, node: Node, flow: Flow) -> None:
        loop = next((loop for loop in flow.loops if node.block in loop), frozenset({node.block}))
        for number in (node.block, *sorted(loop)):
            for instr in flow.function.blocks[number].instrs:
                self.observe(Happening.LINGER, node, instr.at, node.fact, "a loop without a bound")
                return
        self.observe(Happening.LINGER, node, flow.function.at, node.fact, "a loop without a bound")

    def _sweep(self, node: Node, flow: Flow) -> Fact | None:
        """The fact at a loop's head after what the loop closes; None where that ends it."""
        fact = node.fact
        for sweep in self._sweeps_at(node, flow):
            if fact.object is None or fact.object.creator:
                continue
            site = Site(flow.key, sweep.block, sweep.index)
            at = flow.function.blocks[sweep.block].instrs[sweep.index].at
            if sweep.path is None:
                after = close_all(fact, sweep.keep, site, at, lambda *_a, **_k: None)
                if not after:
                    self.observe(Happening.CLOSE, node, at, fact, "close all")
                    return None
                continue
            matched = match_path(fact, sweep.path, sweep.cell)
            if matched is None or matched.must or not fact.is_open:
                continue
            if fact.object.is_mapping:
                if is_part(fact, sweep.length):
                    continue  # the call in the loop cuts it
                return None
            self.observe(Happening.CLOSE, node, at, fact, "loop")
            remaining = closed(fact, site, must=False)
            if not remaining:
                return None
            fact = remaining[0]
        return fact

    def _sweeps_at(self, node: Node, flow: Flow) -> Iterator[Sweep]:
        """What the loops entered at a node release, by calls of their own or through helpers."""
        yield from flow.sweeps.get(node.block, ())
        if node.fact.is_open and not node.fact.is_zero:
            yield from self.teardown.sweeps(
                flow, node.block, lambda helper: self.interest.touches(node.fact, flow, helper)
            )

    def _settle(self, after: Fact, before: Fact, node: Node, at: Span) -> Fact:
        """Decides that a reference whose last place is gone is lost."""
        if after.is_zero or after.places or not after.is_open or after.object is None:
            return after
        if not after.object.holds_vm:
            return after
        if not before.places:
            return after
        site = Site(self.contexts[node.context].key, node.block, node.index)
        lost = after.after(Event.LOSE, site)
        self.observe(Happening.LOST, node, at, before)
        return lost or after

    def _leave(self, node: Node, instr: Return, flow: Flow) -> None:
        fact = leave_function(node.fact, instr, flow, flow.function)
        if flow.key.name == "main":
            return
        gone = fact.object is not None and (fact.state.life is Life.CLOSED or fact.object.is_foreign)
        if gone and not fact.places:
            return
        if self._emptied(node.fact, flow):
            return
        fact = self._settle(fact, node.fact, node, instr.at)
        if not self.contexts[node.context].entry.is_zero:
            # What the caller passed in it knows itself; only what was set here goes back.
            env = tuple((path, value) for path, value in fact.env if len(path) > 1 or path == RESULT)
            fact = msgspec.structs.replace(fact, env=env)
        exits = self._exits.setdefault(node.context, {})
        if fact in exits:
            return
        exits[fact] = node
        if fact.is_zero:
            return
        for incoming in list(self.incoming.get(node.context, ())):
            self._resume(incoming, fact, node)
        if self.contexts[node.context].entry == ZERO_FACT:
            self._climb(node, fact, flow, instr.at)

    def _emptied(self, fact: Fact, flow: Flow) -> bool:
        """Whether a child's descriptor comes out of a function whose loop closes all of them: the way on
        which the list of them could not be read is left out."""
        if not fact.in_child or not fact.is_open or fact.object is None or fact.object.is_mapping:
            return False
        if fact.fork is not None and fact.fork.function == flow.key:
            return False
        return any(
            sweep.path is None and fact.places and not any(path in fact.places for path in sweep.keep)
            for sweeps in flow.sweeps.values()
            for sweep in sweeps
        )

    # -- across calls ----------------------------------------------------------------------------------------

    def _climb(self, node: Node, fact: Fact, flow: Flow, at: Span) -> None:
        """Hands a fact that began in this function to every caller."""
        key = flow.key
        edges = self._climbed.get(key)
        if edges is None:
            edges = self._climbed[key] = self.graph.callers(key)
        calls = [edge for edge in edges if edge.kind not in _DEFERRED]
        root = key.name in self.models.roots
        if watched(fact) and (root or not calls or any(edge.kind is EdgeKind.THREAD for edge in calls)):
            if not edges and not root and "static" in flow.function.attributes:
                return  # no call in the tree reaches it
            sure = edges or root or not self.interest.has_main
            marked = fact if sure else fact.marked(f"no caller of {key.name} found")
            self.observe(Happening.LINGER, node, at, marked, f"the return into the caller of {key.name}")
        for edge in calls:
            if rests(fact) and not self._may_climb(fact, edge.site.function):
                continue
            caller = self.behaviour.flow(edge.site.function)
            if caller is None:
                continue
            guarded = msgspec.structs.replace(ZERO_FACT, env=guards(caller, edge.site.block))
            if contradicts(fact, edge.args, flow, guarded):
                continue
            number = self._context(edge.site.function, ZERO_FACT)
            call = caller.function.blocks[edge.site.block].instrs[edge.site.index]
            if not isinstance(call, Call):
                continue
            before = Node(number, edge.site.block, edge.site.index, guarded)
            self._resume(self._incoming(before, edge, call), fact, node)

    def _may_climb(self, fact: Fact, caller: FunctionKey) -> bool:
        """Whether a resting reference still has callers to climb to; a VM's climbs further than its
        handles'."""
        return self._within(fact, caller, "callers", LIMITS.vm_climbs, LIMITS.resting_climbs)

    def _may_enter(self, fact: Fact, callee: FunctionKey) -> bool:
        """Whether a resting reference still has callees to enter; a VM's enters more than its handles'."""
        if fact.is_zero or not rests(fact):
            return True
        return self._within(fact, callee, "callees", LIMITS.vm_entries, LIMITS.resting_entries)

    def _incoming(self, node: Node, edge: Edge, call: Call) -> Incoming:
        result = (
            path_of(call.dst)
            if call.dst is not None and edge.kind in (EdgeKind.DIRECT, EdgeKind.SLOT)
            else None
        )
        return Incoming(node, edge, result, cell_of(call.dst) if result and call.dst is not None else None)

    def _resume(self, incoming: Incoming, at_exit: Fact, exit_node: Node) -> None:
        """Continues a fact after the call that ``incoming`` names."""
        callee = self.behaviour.flow(incoming.edge.callee)
        assert callee is not None
        before = incoming.node.fact
        entry = self.contexts[exit_node.context].entry
        born_inside = entry.is_zero or entry.object != at_exit.object
        if contradicts(at_exit, incoming.edge.args, callee, before):
            return
        if incoming.edge.kind is EdgeKind.THREAD and not (born_inside and at_exit.is_open):
            return
        if incoming.edge.kind is EdgeKind.THREAD and at_exit.object is not None and at_exit.object.own_table:
            return
        outside = None if born_inside else before
        if outside is not None and incoming.result is not None:
            outside = forget(outside, incoming.result, incoming.cell)
        fact = leave(outside, at_exit, incoming.edge.args, callee, incoming.result, outside or before)
        if born_inside and fact.object is not None:
            fact = self._renamed(fact, at_exit, incoming.edge.site)
        if incoming.result is not None and incoming.cell is not None and incoming.result in fact.places:
            fact = hold(fact, incoming.result, incoming.cell)
        for argument in incoming.edge.args if born_inside else ():
            if isinstance(argument, Address) and (filled := path_of(argument.place)) in fact.places:
                fact = hold(fact, filled, cell_of(argument.place))
        node = incoming.node
        caller = self._flow(node)
        env = tuple(
            (path, value) for path, value in fact.env if path in caller.tested or path[0] in caller.params
        )
        fact = msgspec.structs.replace(fact, env=env)
        call = caller.function.blocks[node.block].instrs[node.index]
        if not fact.is_zero and fact.state.life is Life.CLOSED and not fact.places:
            return
        fact = self._settle(fact, at_exit, node, call.at)
        self.push(Node(node.context, node.block, node.index + 1, fact), Step(exit_node, node))

    def _renamed(self, fact: Fact, at_exit: Fact, site: Site) -> Fact:
        """A fresh reference handed out by a creating wrapper is a new object for each user of the wrapper,
        and several where the user asks in a loop."""
        assert fact.object is not None
        handed = any(starts_with(path, RESULT) for path in at_exit.places)
        if not handed or not fact.is_open:
            return fact
        user = self.behaviour.flow(site.function)
        assert user is not None  # a call site always lies in a lowered function
        made = fact.object
        if site.block in user.looping and not made.many:
            made = msgspec.structs.replace(made, many=True)
        if RESULT in at_exit.places and not made.chain:
            made = msgspec.structs.replace(made, chain=(site,))
        return msgspec.structs.replace(fact, object=made) if made is not fact.object else fact

    def _call(self, node: Node, instr: Call, flow: Flow) -> Fact | None:
        """One call. Returns the fact that simply goes on in the block, None where all successors were
        pushed."""
        fact = node.fact
        args = tuple(self.interest.constant(evaluate(argument, fact)) for argument in instr.args)
        texts = args
        if fact.is_zero:
            texts = tuple(text_of(one, fact) for one in args)
            if isinstance(instr.target, Named) and instr.target.name in self._reading:
                texts = tuple(self.interest.initial(one) for one in texts)
        modelled = self.behaviour.modelled(
            flow.key,
            msgspec.structs.replace(instr, args=texts),
            lambda port: self._read(port, args, fact, flow),
        )
        if modelled is not None and fact.is_zero and modelled.api in self._granting:
            modelled = self._of_each_record(modelled, texts)
        edges = self._edges(node, instr, texts, flow, modelled)
        if modelled is not None:
            return self._api(node, instr, args, flow, modelled, edges)
        return self._bodies(node, instr, args, flow, edges)

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
            text = text_of(evaluate(element, fact), fact)
            value = text if isinstance(text, Const | Text) else Text("%s")
        if value is None and port.arg is not None and len(port.fields) == 1:
            value = self.interest.element(args[port.arg], port.fields[0])
        return value if isinstance(value, Const | Text) else None

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
        if node.fact.in_child and not isinstance(instr.target, Named):
            # What runs in a child matters whatever it touches: it may wait.
            behind = self._behind(node.fact, instr, flow)
            found = [Edge(site, target, EdgeKind.SLOT, args) for target in behind]
        direct = {edge.callee for edge in found}
        self.interest.prepare(node.fact, flow)
        for edge in self.relevance.edges.get(site, {}).values():
            if edge.callee not in direct and edge.kind not in _DEFERRED:
                found.append(edge)
        return found

    def _behind(self, fact: Fact, instr: Call, flow: Flow) -> tuple[FunctionKey, ...]:
        """What a call through a member or a variable runs; the one, where a caller said which."""
        found = self.behaviour.slots.targets(flow.key, instr)
        given = fact.lookup(path_of(instr.target.place)) if isinstance(instr.target, Indirect) else None
        return tuple(key for key in found if not isinstance(given, FuncRef) or key.name == given.name)

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
            self.interest.want(self, flow, [instr.args[i] for i in modelled.wants if i < len(instr.args)])
        if node.fact.is_zero and flow.key in self.builders.keys:
            for effect in modelled.effects:
                if isinstance(effect, Write) and effect.values is not None:
                    self.interest.want(self, flow, instr.args[effect.values :])
        call = Invocation(site, instr.at, modelled.api, args, flow, node.block in flow.looping)

        def observe(what: Happening, fact: Fact, detail: str = "", made: Fact | None = None) -> None:
            self.observe(what, node, instr.at, fact, detail or modelled.api, made)

        facts = [node.fact]
        for effect in modelled.effects:
            if isinstance(effect, Create) and not self.interest.receives(effect, flow.key):
                continue
            facts = [after for fact in facts for after in apply(fact, effect, call, observe)]
            if isinstance(effect, Fork) and effect.entry is not None:
                facts = self._run_child(node, instr, args, effect, facts, flow)
        if any(isinstance(effect, Linger) for effect in modelled.effects):
            self._run_deferred(node, instr, flow)
        for edge in edges:
            if self.interest.enters(node.fact, edge, flow) and self._may_enter(node.fact, edge.callee):
                self._enter(node, instr, edge)
        if node.fact.is_zero:
            known = guards(flow, node.block)
            facts = [fact if fact.is_zero else _guarded(fact, known) for fact in facts]
        for fact in facts:
            after = self._with_result(fact, instr, flow, node)
            if after is not None:
                self.push(Node(node.context, node.block, node.index + 1, after), Step(node))
        return None

    def _with_result(self, fact: Fact, instr: Call, flow: Flow, node: Node) -> Fact | None:
        """Moves what the call returned from RESULT to the destination."""
        returned = [path for path in fact.places if starts_with(path, RESULT)]
        value = fact.lookup(RESULT)
        if fact.is_zero:
            fact = delivered(fact, path_of(instr.dst) if instr.dst is not None else None)
        fact = fact.knowing(RESULT, None)
        before = fact if fact.places else node.fact
        if returned:
            fact = fact.with_places({path for path in fact.places if not starts_with(path, RESULT)})
        if instr.dst is not None:
            dst, cell = path_of(instr.dst), cell_of(instr.dst)
            if not fact.is_zero:
                fact = forget(fact, dst, cell)
            for path in returned:
                whole = len(path) == 1
                fact = hold(fact, (*dst, *path[1:]), cell if whole else None)
            if value is not None and dst in flow.tested:
                fact = fact.knowing(dst, value)
        if not fact.is_zero and not fact.places and fact.state.life is Life.CLOSED:
            return None
        return self._settle(fact, before, node, instr.at)

    def _run_child(
        self,
        node: Node,
        instr: Call,
        args: tuple[Operand, ...],
        effect: Fork,
        facts: list[Fact],
        flow: Flow,
    ) -> list[Fact]:
        """clone(2) with a start function: the child runs it and ends; the others go on here."""
        assert effect.entry is not None
        stay = [fact for fact in facts if not (fact.in_child and fact.lookup(RESULT) == ZERO)]
        position = effect.entry.arg
        operand = args[position] if position is not None and position < len(args) else None
        if isinstance(operand, FuncRef) and position is not None:
            data = next((a for a in args[position + 1 :] if isinstance(a, Place)), None)
            for target in self.graph.program.resolve(operand.name, flow.key.path):
                for fact in facts:
                    if fact not in stay:
                        edge = Edge(
                            Site(flow.key, node.block, node.index),
                            target,
                            EdgeKind.NOW,
                            (data,) if data is not None else (),
                        )
                        callee = self.behaviour.flow(target)
                        if callee is not None:
                            child = enter(fact.knowing(RESULT, None), edge.args, callee)
                            number = self.seed(target, child)
                            note = Node(node.context, node.block, node.index, node.fact)
                            self.incoming.setdefault(number, {})
                            self.steps[Node(number, 0, 0, child)] = Step(note)
        return stay

    def _run_deferred(self, node: Node, instr: Call, flow: Flow) -> None:
        """While the process waits, the callbacks it registered run."""
        fact = node.fact
        if not self._defers(fact):
            return
        for edge in self.interest.deferred(fact):
            site = Site(flow.key, node.block, node.index)
            self._enter(node, instr, Edge(site, edge.callee, EdgeKind.NOW, ()))

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
        return bool(self.interest.deferred(fact))

    def _bodies(
        self, node: Node, instr: Call, args: tuple[Operand, ...], flow: Flow, edges: list[Edge]
    ) -> Fact | None:
        fact = node.fact
        entered = left_out = False
        for edge in edges:
            if not self.interest.enters(fact, edge, flow):
                continue
            if self._may_enter(fact, edge.callee):
                self._enter(node, instr, edge)
                entered = entered or edge.kind is not EdgeKind.THREAD
            else:
                left_out = True
        if entered and not fact.is_zero:
            return None
        direct = [edge for edge in edges if edge.kind is EdgeKind.DIRECT]
        if direct and all(self.behaviour.never_returns(edge.callee, args) for edge in direct):
            for edge in direct:
                self._linger_below(node, instr, edge)
            return None
        if left_out:
            fact = fact.marked("limit reached")
        if not fact.is_zero:
            for edge in edges if fact.in_child else direct:
                self._linger_below(node, instr, edge)
            if not edges:
                fact = self._unknown(fact, instr, args)
        built = self.builders.after(fact, edges) if fact.is_zero else ()
        if instr.dst is not None:
            fact = forget(fact, path_of(instr.dst), cell_of(instr.dst))
        for argument in args:
            if isinstance(argument, Address) and fact.env:
                fact = fact.knowing(path_of(argument.place), None)
        for argument in instr.args:
            path = operand_path(argument)
            if path is not None and is_temporary(path) and fact.env:
                fact = fact.knowing(path, None)  # it was made for this call
        for path, text in built:
            outside = path
            if starts_with(path, RESULT):
                if instr.dst is None:
                    continue
                outside = (*path_of(instr.dst), *path[1:])
            fact = fact.knowing(outside, text)
        return self._settle(fact, node.fact, node, instr.at)

    def _linger_below(self, node: Node, instr: Call, edge: Edge) -> None:
        """A callee that is not entered may still wait."""
        fact = node.fact
        if fact.is_zero:
            return
        if watched(fact):
            wait = self.behaviour.lingers(edge.callee, slots=fact.in_child)
            if wait:
                self.observe(Happening.LINGER, node, instr.at, fact, f"{wait} in {edge.callee.name}")
        elif self._defers(fact) and self.behaviour.lingers(edge.callee):
            self._run_deferred(node, instr, self._flow(node))

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
        if given or watched(fact):
            fact = fact.marked(UNKNOWN_CALLEE + name + (IN_CHILD if fact.in_child else ""))
        return fact

    def _enter(self, node: Node, instr: Call, edge: Edge) -> None:
        """Sends a fact into a callee and takes back what has already come out."""
        callee = self.behaviour.flow(edge.callee)
        if callee is None:
            return
        fact = node.fact if edge.kind is not EdgeKind.THREAD else in_new_thread(node.fact)
        inside = enter(fact, edge.args, callee)
        if node.fact.is_zero:
            inside = msgspec.structs.replace(inside, places=())
        number = self.seed(edge.callee, inside)
        incoming = self._incoming(node, edge, instr)
        known = self.incoming.setdefault(number, {})
        if incoming in known:
            return
        known[incoming] = None
        for at_exit, exit_node in list(self._exits.get(number, {}).items()):
            if not at_exit.is_zero:
                self._resume(incoming, at_exit, exit_node)


def _guarded(fact: Fact, known: tuple[tuple[Path, Value], ...]) -> Fact:
    """A fact that begins behind guards, with what they say beside what it knows itself."""
    for path, value in known:
        if fact.lookup(path) is None:
            fact = fact.knowing(path, value)
    return fact
