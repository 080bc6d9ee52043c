"""Tabulation of facts over the program: the worklist, and the transfer of one fact through a block.

A context is (function, fact at its entry); a node is a fact before an instruction in a context. Each layer
knows more and uses those below it alone: tables know no instruction, crossings call and return edges,
unmodelled calls by the callee's body, calls those by a model, and this one all instructions and the order of
work.
"""

from vmfdlint.ir import RAISED, Assign, Assume, Call, Const, Flags, Place, Return, Unparsed, places_read
from vmfdlint.link import CallGraph
from vmfdlint.models import Models
from vmfdlint.solve.boundary import crosses, decides_later
from vmfdlint.solve.calls import Calls
from vmfdlint.solve.counts import begun
from vmfdlint.solve.facts import Fact
from vmfdlint.solve.interest import Interest
from vmfdlint.solve.local import assign, assume, remembered, remembering
from vmfdlint.solve.loops import Loops
from vmfdlint.solve.memory import drop
from vmfdlint.solve.observe import Node
from vmfdlint.solve.tables import Step
from vmfdlint.summary import (
    RESULT,
    Behaviour,
    Flow,
    Relevance,
    is_made,
    is_temporary,
    is_vague,
    path_of,
    variable,
)


class Tabulation(Calls):
    """The transfer functions over whole functions, working the tables' list off."""

    def __init__(
        self, graph: CallGraph, behaviour: Behaviour, relevance: Relevance, models: Models, interest: Interest
    ) -> None:
        super().__init__(graph, behaviour, relevance, models, interest)
        self._loops = Loops(self, interest, self.threads)

    def run(self) -> None:
        """Works until nothing new comes."""
        while (node := self._next()) is not None:
            self._advance(node)

    def _advance(self, node: Node) -> None:
        """Runs a fact through the rest of its block."""
        flow = self._flow(node)
        block = flow.function.blocks[node.block]
        fact = node.fact
        if node.index == 0 and not fact.is_zero:
            if block.unbounded and fact.is_watched:
                self._loops.linger(node, flow)
            swept = self._loops.sweep(node, flow)
            if swept is None:
                return
            fact = swept
        counts = self.interest.counts(flow) if flow.numbered and not fact.is_zero else ()
        index = node.index
        while index < len(block.instrs):
            instr = block.instrs[index]
            if counts and not fact.is_zero:
                fact = begun(fact, flow, (node.block, index), counts)
            current = node if (index, fact) == (node.index, node.fact) else self._note(node, index, fact)
            match instr:
                case Assign():
                    fact = self._settle(assign(fact, instr, flow), fact, current, instr.at)
                    fact = remembering(fact, flow)
                    if fact.is_gone:
                        return
                    fact = self._noting(fact, current, instr)
                case Assume():
                    guarded = assume(fact, instr, flow, (node.block, index))
                    if guarded is None:
                        return
                    fact = self._discarded(guarded, current, instr, flow)
                    if fact.is_gone:
                        return
                case Return():
                    self._leave(current, instr, flow)
                    return
                case Unparsed():
                    if fact.is_watched or any(variable(path) in instr.names for path in fact.places):
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
            first = flow.function.blocks[successor].instrs[:1]
            asked = first[0] if first and isinstance(first[0], Assume) and first[0].left == RAISED else None
            if asked is not None and assume(fact, asked, flow, (successor, 0)) is None:
                continue
            onward = self._without_dead(fact, last, flow, successor)
            if not onward.is_gone:
                self.push(Node(node.context, successor, 0, remembered(onward, flow, successor)), Step(last))

    def _noting(self, fact: Fact, node: Node, instr: Assign) -> Fact:
        """The fact behind an assignment: of its reference, or of a constant that those ask for who release
        it, to a member beside it or to a global."""
        path = path_of(instr.dst)
        if fact.is_zero or not fact.is_open or (len(path) == 1 and not instr.dst.is_global):
            return fact
        if isinstance(instr.src, Place):
            return self._placed(fact, node, instr.dst)
        if isinstance(instr.src, Const | Flags) and fact.lookup(path) is None:
            asked = self.interest.asked(fact, self._flow(node))
            return fact.knowing(path, instr.src) if decides_later(fact, path, asked) else fact
        return fact

    def _discarded(self, fact: Fact, node: Node, instr: Assume, flow: Flow) -> Fact:
        """The fact behind a test, lost where only what the lowering made for the test had it:
        ``if (ioctl(kvm, KVM_CREATE_VM, 0) < 0)``. What a program may inherit is followed until it does."""
        left = path_of(instr.left)
        if fact.is_zero or fact.places != (left,) or not is_temporary(left) or fact.state.inherit:
            return fact
        block = flow.function.blocks[node.block]
        after = block.instrs[node.index + 1 :]
        read = {place.name for one in after for place in places_read(one)}
        if left[0] in read.union(*(flow.live[successor] for successor in block.successors)):
            return fact
        return self._settle(fact.with_places(frozenset()), fact, node, instr.at)

    def _without_dead(self, fact: Fact, last: Node, flow: Flow, successor: int) -> Fact:
        """The fact at the entry of a block, without what only the lowering's own variables hold that nothing
        reads from there on; of languages whose objects go when nothing refers to them."""
        if fact.is_zero or not flow.counts_references:
            return fact
        made = {path[0] for path in fact.places if is_made(path) and not crosses(path) and path != RESULT}
        dead = made - flow.live[successor] - set(flow.params)
        instrs = flow.function.blocks[last.block].instrs
        given = instrs[-1].dst if instrs and isinstance(instrs[-1], Call) else None
        live = made & flow.live[successor]
        led_to = any(len(path) > 2 and path[0] in live and not is_vague(path[:2]) for path in fact.places)
        if led_to or (given is not None and given.name in live):
            # Another object leads to it: ``closing(Vm())``; or what a call has just given holds it too:
            # ``f(**options([fd]))``.
            after = fact.with_places({path for path in fact.places if path[0] not in dead})
        else:
            after = fact
            for name in sorted(dead):
                after = drop(after, (name,), flow, self.behaviour.sharing)
        return self._settle(after, fact, last, instrs[-1].at) if instrs else after
