"""Facts across the boundary of a function: call edges and return edges of the tabulation.

In: a fact before a call and the edge it takes, or a fact at a return. Out: nodes for the worklist, in the
callee or behind the call. Facts that begin inside a callee (its entry fact is the zero fact) climb to every
caller; others return to the calls that sent them.
"""

import msgspec

from vmfdlint.base import LIMITS, Span
from vmfdlint.ir import Address, Call, Const, FunctionKey, Place, Return
from vmfdlint.link import CallGraph, Edge, EdgeKind, Site
from vmfdlint.models import Models, link_kind
from vmfdlint.solve.boundary import (
    beside,
    contradicts,
    decides_later,
    ended_thread,
    enter,
    guards_itself,
    in_new_thread,
    leave,
    marks_absence,
    outlasts,
)
from vmfdlint.solve.counts import is_known, unsure
from vmfdlint.solve.descriptors import closed
from vmfdlint.solve.facts import ZERO_FACT, Fact
from vmfdlint.solve.guards import guarded, guards, read_texts
from vmfdlint.solve.interest import Interest
from vmfdlint.solve.local import forget, hold, leave_function, remembering, told
from vmfdlint.solve.loops import emptied
from vmfdlint.solve.observe import Happening, Node
from vmfdlint.solve.pointed import unpointed
from vmfdlint.solve.retries import Retries
from vmfdlint.solve.tables import Incoming, Step, Tables
from vmfdlint.solve.typestate import Event, Life
from vmfdlint.solve.values import RETURNED, Value
from vmfdlint.summary import (
    COUNT,
    EXCEPTION,
    RESULT,
    Behaviour,
    Flow,
    Path,
    Relevance,
    cell_of,
    is_global,
    is_inside,
    is_made,
    is_vague,
    path_of,
    starts_with,
)


class Crossings(Tables):
    """Enters callees, returns from them and climbs to callers."""

    def __init__(
        self, graph: CallGraph, behaviour: Behaviour, relevance: Relevance, models: Models, interest: Interest
    ) -> None:
        super().__init__(behaviour)
        self.graph = graph
        self.relevance = relevance
        self.models = models
        self.interest = interest
        self.retries = Retries()
        self._climbed: dict[FunctionKey, tuple[Edge, ...]] = {}

    def _enter(self, node: Node, instr: Call, edge: Edge) -> None:
        """Sends a fact into a callee and takes back what has already come out."""
        callee = self.behaviour.flow(edge.callee)
        if callee is None:
            return
        apart = edge.kind in (EdgeKind.THREAD, EdgeKind.JOIN)
        fact = unsure(in_new_thread(node.fact)) if apart else node.fact
        caller = self._flow(node)
        # A pointer may have got out of sight in C; but a child that makes an object knows which one it is.
        sure = caller.counts_references or fact.in_child
        made = self.behaviour.sharing.made(caller) if sure else frozenset()
        taken = self._emptied(fact, edge, callee)
        inside = enter(fact, edge.args, callee, made, self._asked(fact, caller), taken)
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

    def _emptied(self, fact: Fact, edge: Edge, callee: Flow) -> frozenset[str]:
        """The parameters of a callee out of which it takes elements, where a global holds the reference."""
        if not callee.counts_references or not any(map(is_global, fact.places)):
            return frozenset()
        freed = self.behaviour.parameters.freed
        return frozenset(name for index, name in enumerate(callee.params) if freed(edge.callee, index))

    def _asked(self, fact: Fact, flow: Flow) -> frozenset[str]:
        """What those ask who do something about the reference of a fact, where it knows anything."""
        named = any(len(path) > 1 or is_global(path) for path, _value in fact.env)
        return self.interest.asked(fact, flow) if named else frozenset()

    def _placed(self, fact: Fact, node: Node, dst: Place | None) -> Fact:
        """The fact behind an instruction that put its reference into a global or a member: what the guards of
        that say is known where others ask it."""
        if dst is None or not fact.is_open or path_of(dst) not in fact.places:
            return fact
        if not dst.fields and not dst.is_global:
            return fact
        flow = self._flow(node)
        return guarded(fact, guards(flow, node.block, self.interest.asked(fact, flow)))

    def _may_enter(self, fact: Fact, callee: FunctionKey) -> bool:
        """Whether a reference that outlasts the function still has callees to enter; a VM's enters more than
        its handles'."""
        if not outlasts(fact):
            return True
        return self._within(fact, callee, "callees", LIMITS.vm_entries, LIMITS.resting_entries)

    def _incoming(self, node: Node, edge: Edge, call: Call) -> Incoming:
        result = (
            path_of(call.dst)
            if call.dst is not None and (edge.answers or edge.kind in (EdgeKind.DIRECT, EdgeKind.SLOT))
            else None
        )
        return Incoming(node, edge, result, cell_of(call.dst) if result and call.dst is not None else None)

    def _leave(self, node: Node, instr: Return, flow: Flow) -> None:
        fact = remembering(leave_function(node.fact, instr, flow, flow.function), flow)
        if self._ends_process(flow):
            return
        gone = fact.object is not None and (fact.state.life is Life.CLOSED or fact.object.is_foreign)
        if gone and not fact.places:
            return
        if emptied(node.fact, flow):
            return
        fact = self._settle(fact, node.fact, node, instr.at)
        if fact.is_gone:
            return
        entry = self.contexts[node.context].entry
        if not entry.is_zero:
            # What the caller passed in it knows itself; only what was set here goes back.
            env = tuple(
                (path, value)
                for path, value in fact.env
                if len(path) > 1 or path in (RESULT, EXCEPTION) or _set_here(path, value, entry)
            )
            fact = msgspec.structs.replace(fact, env=env)
        exits = self._exits.setdefault(node.context, {})
        if fact in exits:
            return
        exits[fact] = node
        if fact.is_zero:
            return
        for incoming in list(self.incoming.get(node.context, ())):
            self._resume(incoming, fact, node)
        if self.contexts[node.context].entry == ZERO_FACT and not self.graph.program.is_entry(flow.key):
            self._climb(node, fact, flow, instr.at)

    def _ends_process(self, flow: Flow) -> bool:
        """Whether the process ends with a function; not with the statements of a file that others import."""
        program = self.graph.program
        if program.bound(flow.key.path) is not None:
            return program.is_entry(flow.key) and flow.key.path in program.entries
        return program.is_entry(flow.key) or "entry" in flow.function.attributes

    def _climb(self, node: Node, fact: Fact, flow: Flow, at: Span) -> None:
        """Hands a fact that began in this function to every caller."""
        key = flow.key
        edges = self._climbed.get(key)
        if edges is None:
            edges = self._climbed[key] = self.graph.callers(key)
        calls = [edge for edge in edges if not edge.kind.is_deferred]
        root = self.models.is_root(key.name)
        if not root and edges and all(edge.kind is EdgeKind.PROCESS for edge in edges):
            return  # a process runs it, and ends with it
        threads = any(edge.kind is EdgeKind.THREAD for edge in calls)
        # An exception that no function of the tree can handle ends the process, but for that of a thread.
        if fact.is_watched and (threads or ((root or not calls) and not fact.raised)):
            if not edges and not root and "static" in flow.function.attributes:
                return  # no call in the tree reaches it
            sure = edges or root or not self.interest.has_main
            marked = fact if sure else fact.marked(f"no caller of {key.name} found")
            self.observe(Happening.LINGER, node, at, marked, f"the return into the caller of {key.name}")
        asked = self.interest.asked(fact, flow) if calls else frozenset()
        for edge in calls:
            if outlasts(fact) and not self._may_climb(fact, edge.site.function):
                continue
            caller = self.behaviour.flow(edge.site.function)
            if caller is None:
                continue
            guarded = msgspec.structs.replace(ZERO_FACT, env=guards(caller, edge.site.block, asked))
            if contradicts(fact, edge.args, flow, guarded):
                continue
            number = self._context(edge.site.function, ZERO_FACT)
            call = caller.function.blocks[edge.site.block].instrs[edge.site.index]
            if not isinstance(call, Call):
                continue
            before = Node(number, edge.site.block, edge.site.index, guarded)
            self._resume(self._incoming(before, edge, call), fact, node)

    def _may_climb(self, fact: Fact, caller: FunctionKey) -> bool:
        """Whether a reference that outlasts the function still has callers to climb to; a VM's climbs further
        than its handles'."""
        return self._within(fact, caller, "callers", LIMITS.vm_climbs, LIMITS.resting_climbs)

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
        if incoming.edge.kind is EdgeKind.JOIN:
            at_exit = ended_thread(at_exit)
        outside = None if born_inside else before
        caller = self.behaviour.flow(incoming.edge.site.function)
        if outside is not None and incoming.result is not None and caller is not None:
            outside = forget(unpointed(outside, incoming.result, caller), incoming.result, incoming.cell)
        fact = leave(outside, at_exit, incoming.edge.args, callee, incoming.result, outside or before)
        if caller is not None and not fact.is_zero:
            fact = fact.with_places({_named(path, caller) for path in fact.places})
        if born_inside and fact.object is not None:
            fact = self._renamed(fact, at_exit, incoming.edge.site)
            if caller is not None:
                for path in fact.places:
                    fact = told(fact, path, caller)
        if incoming.result is not None and incoming.cell is not None and incoming.result in fact.places:
            fact = hold(fact, incoming.result, incoming.cell)
        for argument in incoming.edge.args if born_inside else ():
            if isinstance(argument, Address) and (filled := path_of(argument.place)) in fact.places:
                fact = hold(fact, filled, cell_of(argument.place))
        node = incoming.node
        caller = self._flow(node)
        fact = _noted(fact)
        asked = self._asked(fact, caller)
        env = tuple(
            (path, value)
            for path, value in fact.env
            if path in caller.tested
            or path[0] == COUNT
            or path[0] in caller.params
            or (incoming.result is not None and _came_with(path, incoming.result, callee))
            or marks_absence(fact, path, value)
            or beside(fact, path)
            or decides_later(fact, path, asked)
            or guards_itself(fact, path, callee)
            or (fact.is_open and before.lookup(path) == value)
        )
        fact = msgspec.structs.replace(fact, env=env)
        call = caller.function.blocks[node.block].instrs[node.index]
        fact = fact if fact.is_gone else self._settle(fact, at_exit, node, call.at)
        fact = remembering(fact, caller)
        if fact.is_gone:
            return
        if incoming.edge.kind.is_deferred:
            self._wait_on(node, fact, exit_node, incoming.edge)
            return
        raised = at_exit.raised and incoming.edge.kind is not EdgeKind.THREAD
        fact = self._ended(fact, node, at_exit.lookup(EXCEPTION) if raised else RETURNED)
        behind = Node(node.context, node.block, node.index + 1, fact)
        self.push(behind, Step(exit_node, node))
        if born_inside and not raised:
            self._tell(behind, call.at)
        if incoming.edge.kind.is_inside and not raised and fact.is_watched and isinstance(call, Call):
            # The call that runs the callback goes on, and may wait before it returns.
            wait = self.behaviour.below.waits(caller.key, call)
            if wait:
                self.observe(Happening.LINGER, behind, call.at, fact, wait)

    def _wait_on(self, node: Node, fact: Fact, exit_node: Node, edge: Edge) -> None:
        """A fact that came out of a callback waits on in the call that ran it. Only a child goes further:
        callbacks run wherever the process waits, and what comes behind that comes to its parent without them
        too. Behind callbacks of its end a process waits no more."""
        call = self._flow(node).function.blocks[node.block].instrs[node.index]
        if edge.kind is EdgeKind.EXIT or not fact.is_watched or not isinstance(call, Call):
            return
        behind = Node(node.context, node.block, node.index + 1, fact)
        if fact.in_child and edge.callee not in self.interest.strays(node.fact):
            self.push(behind, Step(exit_node, node))
        else:
            self.park(behind, Step(exit_node, node))
        wait = self.behaviour.below.waits(edge.site.function, call)
        if wait:
            self.observe(Happening.LINGER, behind, call.at, fact, wait)

    def _tell(self, node: Node, at: Span) -> None:
        """A descriptor of another process that has just come in is what the program found its link to say."""
        made = node.fact.object
        if made is None or not made.is_foreign or not node.fact.is_open:
            return
        for text in read_texts(self._flow(node), node.block):
            kind = link_kind(self.models, text)
            if kind is not None:
                known = msgspec.structs.replace(node.fact, object=msgspec.structs.replace(made, kind=kind))
                self.observe(Happening.KNOWN, node, at, node.fact, text, known)

    def _ended(self, fact: Fact, node: Node, value: Value | None) -> Fact:
        """The fact behind the call at ``node``, which ended as ``value`` says, where the way on asks for
        it."""
        return fact.knowing(EXCEPTION, value) if self._flow(node).may_raise(node.block, node.index) else fact

    def _renamed(self, fact: Fact, at_exit: Fact, site: Site) -> Fact:
        """A fresh reference handed out by a creating wrapper is a new object for each user of the wrapper,
        and several where the user asks in a loop, also for elements of a list."""
        assert fact.object is not None
        handed = any(starts_with(path, RESULT) for path in at_exit.places) or any(
            is_vague(path) for path in (*at_exit.places, *fact.places)
        )
        if not handed or not fact.is_open:
            return fact
        user = self.behaviour.flow(site.function)
        assert user is not None  # a call site always lies in a lowered function
        made = fact.object
        if not made.many and self.retries.makes_several(user, site.block, site.index):
            made = msgspec.structs.replace(made, many=True, rounds=user.rounds(site.block))
        if RESULT in at_exit.places and not made.chain:
            made = msgspec.structs.replace(made, chain=(site,))
        return msgspec.structs.replace(fact, object=made) if made is not fact.object else fact

    def _settle(self, after: Fact, before: Fact, node: Node, at: Span) -> Fact:
        """Decides that a reference whose last place is gone is lost, or closed by the object that had it. One
        that the last user closes is gone: nobody is left who could use its stale number."""
        if node.fact.is_open and after.state.life is Life.CLOSED:
            number = self.behaviour.users.last(self.contexts[node.context].key).get(node.block)
            if number is not None and not is_known(node.fact, number):
                return after.with_places(frozenset())
        if after.is_zero or after.places or not after.is_open or after.object is None:
            return after
        if not after.object.holds_vm or not before.places:
            return after
        site = Site(self.contexts[node.context].key, node.block, node.index)
        if after.object.self_closing:
            self.observe(Happening.CLOSE, node, at, before)
            left = closed(after, site, must=True)
            return left[0] if left else after.after(Event.CLOSE, site) or after
        lost = after.after(Event.LOSE, site)
        self.observe(Happening.LOST, node, at, before)
        return lost or after


def _set_here(path: Path, value: Value, entry: Fact) -> bool:
    """Whether a global variable was set since a fact entered a function: nobody else says so."""
    return is_global(path) and isinstance(value, Const) and entry.lookup(path) != value


def _came_with(path: Path, result: Path, callee: Flow) -> bool:
    """Whether a path lies in what a call gave: a structure, or a tuple that the callee made."""
    return is_inside(path, result) or (bool(callee.returned_elements) and starts_with(path, result))


def _noted(fact: Fact) -> Fact:
    """A closed reference that knows what was noted down beside its number by every name of the object."""
    for path, value in fact.env:
        if not beside(fact, path):
            continue
        members = {held[-1] for held in fact.places if held[:-1] == path[:-1]}
        for held in fact.places:
            if len(held) > 1 and held[-1] in members and held[:-1] != path[:-1]:
                fact = fact.knowing((*held[:-1], path[-1]), value)
    return fact


def _named(path: Path, caller: Flow) -> Path:
    """The name that a caller itself has for what comes back to it: the address of an array is that of its
    first element, and an object that was put among arguments has its own name."""
    if len(path) == 1:
        function = caller.function
        known = any(name == path[0] for name, _record in function.local_types)
        return (*path, ".[0]") if path[0] in function.values and not known else path
    for length in range(2, len(path)) if is_made(path) else ():
        if isinstance(given := caller.elements.get(path[:length]), Place):
            return (*path_of(given), *path[length:])
    return path
