"""Loops that a fact enters: what they release, and that they may never end.

In: a node at a loop's head and the function's flow. Out: the fact after what the loop closes or unmaps, and
observations through the tables. A loop's releases count from its head on (summary/sweeps).
"""

from collections.abc import Iterator

from vmfdlint.ir import Named
from vmfdlint.link import Site
from vmfdlint.solve.descriptors import close_all, closed
from vmfdlint.solve.facts import Fact, match_path
from vmfdlint.solve.interest import Interest
from vmfdlint.solve.joins import Threads
from vmfdlint.solve.mappings import is_part
from vmfdlint.solve.observe import Happening, Node
from vmfdlint.solve.tables import Tables
from vmfdlint.summary import Flow, Handed, Sweep, meets


class Loops:
    """Transfer functions of loop heads, over the ``tables`` of one tabulation."""

    def __init__(self, tables: Tables, interest: Interest, threads: Threads) -> None:
        self.tables = tables
        self.interest = interest
        self.threads = threads

    def linger(self, node: Node, flow: Flow) -> None:
        """Observes that a fact enters a loop without a bound."""
        loop = next((loop for loop in flow.loops if node.block in loop), frozenset({node.block}))
        for number in (node.block, *sorted(loop)):
            for instr in flow.function.blocks[number].instrs:
                self.tables.observe(Happening.LINGER, node, instr.at, node.fact, "a loop without a bound")
                return
        self.tables.observe(Happening.LINGER, node, flow.function.at, node.fact, "a loop without a bound")

    def sweep(self, node: Node, flow: Flow) -> Fact | None:
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
                    self.tables.observe(Happening.CLOSE, node, at, fact, "close all")
                    return None
                continue
            matched = match_path(fact, sweep.path, sweep.cell)
            if matched is None or matched.must or not fact.is_open or fact.object.outnumbers(sweep.rounds):
                continue
            if fact.object.is_mapping:
                if is_part(fact, sweep.length):
                    continue  # the call in the loop cuts it
                return None
            self.tables.observe(Happening.CLOSE, node, at, fact, "loop")
            remaining = closed(fact, site, must=False)
            if not remaining:
                return None
            fact = remaining[0]
        return None if self._joins(node, flow) else fact

    def _joins(self, node: Node, flow: Flow) -> bool:
        """Whether the threads that a loop waits for, one after the other, release a reference."""
        fact = node.fact
        if fact.object is None or fact.in_child or not fact.is_open:
            return False
        if fact.object.outnumbers(flow.rounds(node.block)):
            return False
        for handed in flow.handed.get(node.block, ()):
            call, site = flow.call_at(handed.block, handed.index), Site(flow.key, handed.block, handed.index)
            if not isinstance(call.target, Named) or call.target.name not in self.interest.joining:
                continue
            modelled = self.tables.behaviour.modelled(flow.key, call)
            if modelled is not None and self.threads.release(fact, flow, site, call, modelled):
                self.tables.observe(Happening.CLOSE, node, call.at, fact, "loop")
                return True
        return False

    def _sweeps_at(self, node: Node, flow: Flow) -> Iterator[Sweep]:
        """What the loops entered at a node release, by calls of their own or through helpers."""
        yield from flow.sweeps.get(node.block, ())
        if node.fact.is_open and not node.fact.is_zero:
            yield from self.tables.behaviour.teardown.sweeps(
                flow,
                node.block,
                lambda handed, helper: (
                    _is_handed(node.fact, handed) or self.interest.touches(node.fact, flow, helper)
                ),
            )
            if node.block == 0 and flow.descents:
                yield from self.tables.behaviour.teardown.descents(flow)


def _is_handed(fact: Fact, handed: Handed) -> bool:
    """Whether a call in a loop is given the reference, or what leads to it."""
    length = len(handed.path)
    return match_path(fact, handed.path, handed.cell) is not None or any(
        meets(held[:length], handed.path) for held in fact.places
    )


def emptied(fact: Fact, flow: Flow) -> bool:
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
