"""What the solver has found so far: contexts, nodes and how they were reached, observations, the worklist.

In: facts to record. Out: the tables that the door, the witness and the follow-up read. Knows no instruction.
"""

from collections import defaultdict, deque

import msgspec

from vmfdlint.base import LIMITS, Span
from vmfdlint.ir import FunctionKey
from vmfdlint.link import Edge, Site
from vmfdlint.models import Kind
from vmfdlint.solve.facts import ZERO_FACT, Fact, Object
from vmfdlint.solve.observe import Happening, Node, Observation
from vmfdlint.solve.typestate import Life
from vmfdlint.summary import Behaviour, Flow, Path


class Context(msgspec.Struct, frozen=True, cache_hash=True):
    """One function entered with one fact."""

    key: FunctionKey
    entry: Fact


class Incoming(msgspec.Struct, frozen=True, cache_hash=True):
    """A call that sent a fact into a context, and the fact before it."""

    node: Node
    edge: Edge
    result: Path | None
    cell: Path | None


class Step(msgspec.Struct, frozen=True):
    """How a node was reached: from ``previous``; for a return also through ``call``, the node before the
    call."""

    previous: Node | None
    call: Node | None = None


class Tables:
    """The solver's tables. ``observations`` and ``steps`` are what the door reads when the worklist is
    empty."""

    def __init__(self, behaviour: Behaviour) -> None:
        self.behaviour = behaviour
        self.contexts: list[Context] = []
        self._numbers: dict[Context, int] = {}
        self.steps: dict[Node, Step] = {}
        self.others: dict[Node, dict[Node, Node]] = defaultdict(dict)
        """Further ways back to a node, out of other callees of a call: one an architecture, often. Nodes of
        returns, with those before the call."""
        self.at: dict[tuple[FunctionKey, int, int], dict[Fact, Node]] = {}
        self.incoming: dict[int, dict[Incoming, None]] = {}
        self._exits: dict[int, dict[Fact, Node]] = {}
        self.unknown: dict[str, dict[tuple[int, Kind], Span]] = {}
        self.observations: dict[tuple[Happening, Site, Fact, str], Observation] = {}
        self._work: deque[Node] = deque()
        self._doubtful: deque[Node] = deque()
        """What came here for sure goes first: it often makes the rest superfluous."""
        self._parked: set[Node] = set()
        self._survived: set[tuple[Site | None, Object | None]] = set()
        self._settled: set[tuple[Site | None, Object | None]] = set()
        self._rested: dict[tuple[str, Kind, Site], set[FunctionKey]] = {}
        self._doubts: dict[tuple[FunctionKey, Fact, bool], tuple[str, ...]] = {}
        self._first: dict[tuple[Node, bool], tuple[str, ...]] = {}
        self._entries: dict[tuple[FunctionKey, Fact], int] = {}
        self._variants: dict[tuple[int, int, int, Fact], int] = {}

    def seed(self, key: FunctionKey, fact: Fact = ZERO_FACT) -> int:
        """Starts ``key`` with ``fact``; returns the context's number, -1 where the function has no body."""
        if self.behaviour.flow(key) is None:
            return -1
        fact = self._entry(key, fact)
        number = self._context(key, fact)
        self.push(Node(number, 0, 0, fact), Step(None))
        return number

    def _entry(self, key: FunctionKey, fact: Fact) -> Fact:
        """The fact to enter a function with: after so many combinations of conditions, without any, and with
        the first reason for doubt of those that differ in nothing else."""
        if fact.via:
            certain = msgspec.structs.replace(fact, via=())
            via = self._doubts.setdefault((key, certain, bool(fact.unsure)), fact.via)
            fact = msgspec.structs.replace(certain, via=via)
        if not fact.env or Context(key, fact) in self._numbers:
            return fact
        bare = fact.bare
        count = self._entries.get((key, bare), 0)
        self._entries[(key, bare)] = count + 1
        return fact if count < LIMITS.variants else bare

    def _context(self, key: FunctionKey, fact: Fact) -> int:
        """The number of a context, made where it is new; nothing runs in it yet."""
        context = Context(key, fact)
        number = self._numbers.get(context)
        if number is None:
            number = self._numbers[context] = len(self.contexts)
            self.contexts.append(context)
        return number

    def exits(self, number: int) -> tuple[Fact, ...]:
        """The facts at the returns of a context, in the order found."""
        return tuple(self._exits.get(number, ()))

    def exit_nodes(self, number: int) -> tuple[tuple[Fact, Node], ...]:
        """As :meth:`exits`, with the nodes of the returns."""
        return tuple(self._exits.get(number, {}).items())

    def park(self, node: Node, step: Step) -> None:
        """Remembers how a node was reached that goes no further, unless it was on the worklist before."""
        if node not in self.steps:
            self.steps[node] = step
            self._parked.add(node)

    def push(self, node: Node, step: Step) -> None:
        """Puts a node on the worklist, unless it was there before."""
        if node in self._parked:
            self._parked.remove(node)
            del self.steps[node]
        if node in self.steps:
            if step.call is not None and step.previous not in (None, self.steps[node].previous):
                others = self.others[node]
                if len(others) < LIMITS.slot_targets:
                    others.setdefault(step.previous, step.call)
            return
        if node.fact.state.life is Life.LOST and self._is_settled(node.fact):
            return
        if node.fact.via and self._tells_nothing_new(node):
            return
        here = self.at.setdefault((self.contexts[node.context].key, node.block, node.index), {})
        if node.fact.env:
            family = (node.context, node.block, node.index, node.fact.bare)
            count = self._variants.get(family, 0) + 1
            self._variants[family] = count
            if count > LIMITS.variants or len(here) > LIMITS.crowd:
                # Too many combinations of conditions: go on without any, which only forgets correlations.
                node = Node(*family)
                if node in self.steps:
                    return
        if len(self.steps) >= LIMITS.nodes:
            self.behaviour.program.limit(f"{LIMITS.nodes:,} states were followed, and no more")
            return
        self.steps[node] = step
        here.setdefault(node.fact, node)
        (self._doubtful if node.fact.via else self._work).append(node)

    def _next(self) -> Node | None:
        """Takes a node from the worklist, None where nothing is left."""
        return next((work.popleft() for work in (self._work, self._doubtful) if work), None)

    def _is_settled(self, fact: Fact) -> bool:
        """Whether no further wait of a fact tells anything: a lost reference is judged by the first that it
        meets for sure, the parent of a fork by the first of all."""
        return (fact.mark, fact.object) in self._settled

    def _survives(self, fact: Fact) -> bool:
        """Whether a child was seen to wait for sure with its copy of a reference: what it calls later need
        not be searched for waits."""
        return (fact.fork, fact.object) in self._survived

    def again(self, key: FunctionKey) -> None:
        """Puts the nodes of a function that the zero fact reached on the worklist again: a callee now wants
        their constants."""
        waiting = {node for node in self._work if node.fact.is_zero}
        for (function, _block, _index), facts in self.at.items():
            if function == key:
                self._work.extend(
                    node for fact, node in facts.items() if fact.is_zero and node not in waiting
                )

    def _tells_nothing_new(self, node: Node) -> bool:
        """Whether the same fact came here without doubt, or with a doubt of the same kind. A child's doubt is
        about what it did, any other about whether it came here."""
        certain = Node(node.context, node.block, node.index, msgspec.structs.replace(node.fact, via=()))
        if self._first.setdefault((certain, bool(node.fact.unsure)), node.fact.via) != node.fact.via:
            return True
        return not node.fact.unsure and certain in self.steps

    def _flow(self, node: Node) -> Flow:
        flow = self.behaviour.flow(self.contexts[node.context].key)
        assert flow is not None
        return flow

    def _note(self, previous: Node, index: int, fact: Fact) -> Node:
        """A node inside a block, remembered for the trace without going through the worklist."""
        node = Node(previous.context, previous.block, index, fact)
        if node not in self.steps:
            self.steps[node] = Step(previous)
            key = self.contexts[node.context].key
            self.at.setdefault((key, node.block, index), {}).setdefault(fact, node)
        return node

    def observe(
        self, what: Happening, node: Node, at: Span, fact: Fact, detail: str = "", made: Fact | None = None
    ) -> None:
        """Records an observation once."""
        site = Site(self.contexts[node.context].key, node.block, node.index)
        lost = fact.state.life is Life.LOST and not fact.via
        if what is Happening.LINGER and (lost or fact.is_parent):
            self._settled.add((fact.mark, fact.object))
        if what is Happening.LINGER and fact.in_child and not fact.via:
            self._survived.add((fact.fork, fact.object))
        self._record(Observation(what, site, at, fact, node, detail, made))

    def _record(self, seen: Observation) -> None:
        self.observations.setdefault((seen.what, seen.site, seen.fact, seen.detail), seen)

    def _within(self, fact: Fact, key: FunctionKey, which: str, for_vm: int, for_handle: int) -> bool:
        assert fact.object is not None
        which = f"{which} of a child" if fact.in_child else which
        seen = self._rested.setdefault((which, fact.object.kind, fact.object.site), set())
        if key in seen:
            return True
        bound = for_vm if fact.object.kind is Kind.VM else for_handle
        if len(seen) >= bound:
            self.behaviour.program.limit(
                f"{fact.object.api} at {fact.object.at}: followed to {bound} {which}, and no further"
            )
            return False
        seen.add(key)
        return True
