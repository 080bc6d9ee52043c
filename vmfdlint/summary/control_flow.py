"""The control flow graph of one function: loops, dominators, live variables.

In: a lowered function. Out: what the graph says, whatever the calls in it do.
"""

from collections.abc import Iterator, Sequence
from functools import cached_property

import rustworkx

from vmfdlint.ir import RAISED, Assign, Assume, Call, Function, places_read


class ControlFlow:
    """A function and its graph."""

    def __init__(self, function: Function) -> None:
        self.function = function
        self._reached: dict[int, frozenset[int]] = {}

    @cached_property
    def graph(self) -> "rustworkx.PyDiGraph[None, None]":
        """The control flow graph; a node's index is its block's number."""
        graph: rustworkx.PyDiGraph[None, None] = rustworkx.PyDiGraph()
        blocks = self.function.blocks
        graph.add_nodes_from([None] * len(blocks))
        graph.extend_from_edge_list(
            [(number, after) for number, block in enumerate(blocks) for after in block.successors]
        )
        return graph

    @cached_property
    def _dominators(self) -> dict[int, int]:
        """The immediate dominator of each block that can be reached; the entry's is itself."""
        return dict(rustworkx.immediate_dominators(self.graph, 0))

    def above(self, number: int) -> Iterator[int]:
        """The blocks that every way to a block passes, itself the first and the entry the last; none where
        the block cannot be reached."""
        over = self._dominators
        if number not in over:
            return
        yield number
        while over[number] != number:
            number = over[number]
            yield number

    def reached_from(self, number: int) -> frozenset[int]:
        """The blocks to which a way leads from the end of a block; itself where it runs more than once."""
        known = self._reached.get(number)
        if known is None:
            found = set(rustworkx.descendants(self.graph, number))
            known = self._reached[number] = frozenset(found | ({number} & self.looping))
        return known

    @cached_property
    def loops(self) -> tuple[frozenset[int], ...]:
        """The block sets of the loops, nested ones merged with their outermost."""
        return self._circles(self.graph, range(len(self.function.blocks)))

    @cached_property
    def all_loops(self) -> tuple[frozenset[int], ...]:
        """The block sets of the loops, each before those that are nested in it."""
        found = list(self.loops)
        for loop in found:
            heads = self._entered(loop)
            found += self._loops_of(loop - heads) if heads else ()
        return tuple(found)

    def _entered(self, loop: frozenset[int]) -> frozenset[int]:
        """The blocks of a loop that are entered from outside it."""
        outside = (block for number, block in enumerate(self.function.blocks) if number not in loop)
        return loop & {0, *(after for block in outside for after in block.successors)}

    def _loops_of(self, among: frozenset[int]) -> tuple[frozenset[int], ...]:
        """The largest sets of blocks, ``among`` some, that lead in a circle."""
        numbers = sorted(among)
        index = {number: position for position, number in enumerate(numbers)}
        blocks = self.function.blocks
        graph: rustworkx.PyDiGraph[None, None] = rustworkx.PyDiGraph()
        graph.add_nodes_from([None] * len(numbers))
        graph.extend_from_edge_list(
            [(index[one], index[to]) for one in numbers for to in blocks[one].successors if to in among]
        )
        return self._circles(graph, numbers)

    def _circles(
        self, graph: "rustworkx.PyDiGraph[None, None]", numbers: Sequence[int]
    ) -> tuple[frozenset[int], ...]:
        """The blocks of a graph, whose nodes are the blocks ``numbers``, that lead in a circle."""
        blocks = self.function.blocks
        found = []
        for component in rustworkx.strongly_connected_components(graph):
            first = numbers[component[0]]
            if len(component) > 1 or first in blocks[first].successors:
                found.append(frozenset(numbers[position] for position in component))
        return tuple(sorted(found, key=min))

    @cached_property
    def looping(self) -> frozenset[int]:
        """Blocks that run more than once."""
        return frozenset().union(*self.loops)

    @cached_property
    def _guarded(self) -> frozenset[int]:
        """The blocks from which a way leads on that asks for an exception: the call that ends one may
        raise."""
        asking = {
            number
            for number, block in enumerate(self.function.blocks)
            if any(isinstance(instr, Assume) and instr.left == RAISED for instr in block.instrs)
        }
        return frozenset(
            number
            for number, block in enumerate(self.function.blocks)
            if not asking.isdisjoint(block.successors)
        )

    def may_raise(self, block: int, index: int) -> bool:
        """Whether the way on behind a call depends on its ending by an exception."""
        return block in self._guarded and index == len(self.function.blocks[block].instrs) - 1

    @cached_property
    def live(self) -> tuple[frozenset[str], ...]:
        """For each block the locals whose value is read from its entry on (backward may-analysis)."""
        blocks = self.function.blocks
        read: list[set[str]] = []
        written: list[set[str]] = []
        for block in blocks:
            reading: set[str] = set()
            writing: set[str] = set()
            for instr in block.instrs:
                named = {place.name for place in places_read(instr)}
                reading |= named - writing
                if isinstance(instr, Assign | Call) and instr.dst is not None and not instr.dst.fields:
                    writing.add(instr.dst.name)
            read.append(reading)
            written.append(writing)
        live = [set(reading) for reading in read]
        pending = list(range(len(blocks)))
        while pending:
            number = pending.pop()
            for source in self.graph.predecessor_indices(number):
                new = live[number] - written[source] - live[source]
                if new:
                    live[source] |= new
                    pending.append(source)
        return tuple(frozenset(names) for names in live)

    def call_at(self, block: int, index: int) -> Call:
        """The call at a place; AssertionError where something else stands there."""
        call = self.function.blocks[block].instrs[index]
        assert isinstance(call, Call)
        return call
