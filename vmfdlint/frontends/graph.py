"""A control-flow graph while it grows. In: instructions and edges in lowering order. Out: the blocks of a
Function.

Code after a jump goes into a block that nothing leads to; such blocks, empty ones and straight chains
vanish in :meth:`Graph.blocks`.
"""

from collections.abc import Iterable

from vmfdlint.base import Span
from vmfdlint.ir import Assume, Block, Instr


class _Draft:
    """A block under construction."""

    def __init__(self) -> None:
        self.instrs: list[Instr] = []
        self.successors: list[int] = []
        self.label = ""
        self.jump: Span | None = None
        self.unbounded = False

    def plain(self) -> bool:
        """Whether nothing but its instructions would be lost if the block were joined to its predecessor."""
        return not self.label and not self.unbounded


class Graph:
    """Blocks by number; instructions go to the current one."""

    def __init__(self) -> None:
        self._drafts: list[_Draft] = []
        self._order: list[int] = []
        self._roots = [0]
        self.current = 0
        self.start(self.new())

    def new(self) -> int:
        """A fresh block, not yet current."""
        self._drafts.append(_Draft())
        return len(self._drafts) - 1

    def start(self, block: int) -> None:
        """Instructions go to ``block`` from here."""
        self._order.append(block)
        self.current = block

    def emit(self, instr: Instr) -> None:
        """Appends an instruction to the current block."""
        self._drafts[self.current].instrs.append(instr)

    def emit_to(self, block: int, instr: Instr) -> None:
        """Appends an instruction to a block that is already complete: a cleanup before a jump."""
        self._drafts[block].instrs.append(instr)

    def edge(self, source: int, target: int) -> None:
        """Execution may pass from the end of ``source`` to ``target``."""
        successors = self._drafts[source].successors
        if target not in successors:
            successors.append(target)

    def go(self, target: int) -> None:
        """Ends the current block with an edge; what follows is unreachable until a block is started."""
        self.edge(self.current, target)
        self.end()

    def end(self) -> None:
        """Ends the current block without an edge: after a return, or a call that does not come back."""
        self.current = self.new()

    def flow(self, target: int) -> None:
        """Ends the current block and goes on in ``target``."""
        self.edge(self.current, target)
        self.start(target)

    def mark_unbounded(self, block: int) -> None:
        """``block`` is the head of a loop without a bound."""
        self._drafts[block].unbounded = True

    def mark_label(self, block: int, label: str) -> None:
        """A goto label starts at ``block``."""
        self._drafts[block].label = label

    def mark_jump(self, block: int, at: Span) -> None:
        """A goto statement ends ``block``."""
        self._drafts[block].jump = at

    def keep(self, blocks: Iterable[int]) -> None:
        """Blocks that stay although nothing may lead to them: another function is to begin there."""
        self._roots += blocks

    def blocks(self) -> tuple[Block, ...]:
        """The finished graph: reachable blocks only, the entry first, then in the order they were started."""
        return self.numbered()[0]

    def numbered(self) -> tuple[tuple[Block, ...], dict[int, int]]:
        """As :meth:`blocks`, with the index of each block that is left."""
        self._skip_empty()
        self._join_chains()
        kept = self._reachable()
        order = [block for block in dict.fromkeys(self._order) if block in kept]
        order += sorted(kept.difference(order))
        order.remove(0)
        order.insert(0, 0)
        number = {block: index for index, block in enumerate(order)}
        blocks = tuple(
            Block(
                tuple(draft.instrs),
                tuple(dict.fromkeys(number[target] for target in draft.successors)),
                draft.label,
                draft.jump,
                draft.unbounded,
            )
            for draft in (self._drafts[block] for block in order)
        )
        return blocks, number

    def _reachable(self) -> set[int]:
        seen = set(self._roots)
        stack = list(self._roots)
        while stack:
            for target in self._drafts[stack.pop()].successors:
                if target not in seen:
                    seen.add(target)
                    stack.append(target)
        return seen

    def _skip_empty(self) -> None:
        """Redirects edges over blocks that hold nothing."""
        forward: dict[int, int] = {}
        for number, draft in enumerate(self._drafts):
            empty = not draft.instrs and draft.plain() and draft.jump is None
            if empty and len(draft.successors) == 1 and draft.successors[0] != number:
                forward[number] = draft.successors[0]
        for draft in self._drafts:
            draft.successors = list(dict.fromkeys(_last(forward, target) for target in draft.successors))

    def _join_chains(self) -> None:
        """Appends a block to its only predecessor where that one has no other way on."""
        kept = self._reachable()
        sources: dict[int, int] = {}
        for number in kept:
            for target in self._drafts[number].successors:
                sources[target] = sources.get(target, 0) + 1
        for number in sorted(kept):
            draft = self._drafts[number]
            while len(draft.successors) == 1 and draft.jump is None:
                target = draft.successors[0]
                other = self._drafts[target]
                guarded = bool(draft.instrs) and bool(other.instrs) and isinstance(other.instrs[0], Assume)
                fixed = target == number or target in self._roots or not other.plain()
                if fixed or guarded or sources[target] != 1:
                    break
                draft.instrs += other.instrs
                draft.successors = other.successors
                draft.jump = other.jump
                other.instrs, other.successors, other.jump = [], [], None


def _last(forward: dict[int, int], block: int) -> int:
    """Follows empty blocks; a ring of them (an endless loop that does nothing) ends where it started."""
    seen = {block}
    while block in forward and forward[block] not in seen:
        block = forward[block]
        seen.add(block)
    return block
