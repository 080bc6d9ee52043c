"""One function prepared for the solver: its loops, the variables worth remembering, the close-all idioms.

In: a lowered function and the models. Out: a Flow. Purely intra-procedural.
"""

from collections import defaultdict
from functools import cached_property

import msgspec
import rustworkx

from vmfdlint.base import Span
from vmfdlint.ir import (
    Assign,
    Assume,
    Call,
    Const,
    Function,
    Named,
    Opaque,
    Operand,
    Place,
    Return,
    places,
    reads,
)
from vmfdlint.models import Close, Models, Unmap, resolve
from vmfdlint.summary.paths import Path, cell_of, path_of, port_path
from vmfdlint.summary.variadic import forwarded

_FEW = 10
"""A close loop that ends below this number is not after the descriptors that a program opened."""
_PARSERS = ("atoi", "strtol", "strtoul", "strtoll", "qemu_strtoi")


class Sweep(msgspec.Struct, frozen=True):
    """A loop that closes (or unmaps) a whole collection, or every descriptor where ``path`` is None.

    ``keep`` are paths the loop skips.
    """

    path: Path | None
    cell: Path | None
    block: int
    index: int
    keep: tuple[Path, ...] = ()


class Flow:
    """A function and what a look at its own body alone can tell."""

    def __init__(self, function: Function, models: Models) -> None:
        self.function = forwarded(function)
        self.key = function.key
        self.params = self.function.params
        self._models = models

    @cached_property
    def loops(self) -> tuple[frozenset[int], ...]:
        """The block sets of the loops, nested ones merged with their outermost."""
        graph = rustworkx.PyDiGraph()
        graph.add_nodes_from(range(len(self.function.blocks)))
        for number, block in enumerate(self.function.blocks):
            for successor in block.successors:
                graph.add_edge(number, successor, None)
        found = []
        for component in rustworkx.strongly_connected_components(graph):
            if len(component) > 1 or component[0] in self.function.blocks[component[0]].successors:
                found.append(frozenset(component))
        return tuple(sorted(found, key=min))

    @cached_property
    def looping(self) -> frozenset[int]:
        """Blocks that run more than once."""
        return frozenset().union(*self.loops)

    @cached_property
    def calls(self) -> tuple[Call, ...]:
        """The calls, block by block."""
        return tuple(
            instr for block in self.function.blocks for instr in block.instrs if isinstance(instr, Call)
        )

    @cached_property
    def _tests(self) -> dict[Path, set[Span]]:
        spans: dict[Path, set[Span]] = defaultdict(set)
        for block in self.function.blocks:
            for instr in block.instrs:
                if isinstance(instr, Assume):
                    spans[path_of(instr.left)].add(instr.at)
                    if isinstance(instr.right, Place):
                        spans[path_of(instr.right)].add(instr.at)
        return spans

    @cached_property
    def tested(self) -> frozenset[Path]:
        """Paths whose value decides a branch, or that are returned or copied into such a path."""
        found = set(self._tests)
        for block in self.function.blocks:
            for instr in block.instrs:
                if isinstance(instr, Return) and isinstance(instr.value, Place):
                    found.add(path_of(instr.value))
        changed = True
        while changed:
            changed = False
            for block in self.function.blocks:
                for instr in block.instrs:
                    if (
                        isinstance(instr, Assign)
                        and isinstance(instr.src, Place)
                        and path_of(instr.dst) in found
                    ):
                        source = path_of(instr.src)
                        if source not in found:
                            found.add(source)
                            changed = True
        return frozenset(found)

    @cached_property
    def selecting(self) -> frozenset[Path]:
        """Variables given to a call whose meaning an argument selects, or to one that may be such a call."""
        selects = self._models.select_names()
        found: set[Path] = set()
        for call in self.calls:
            name = call.target.name if isinstance(call.target, Named) else ""
            if name in selects or (name not in self._models.apis and not self._models.is_neutral(name)):
                found.update(path_of(one) for one in call.args if isinstance(one, Place) and not one.fields)
        return frozenset(found)

    @cached_property
    def correlated(self) -> frozenset[Path]:
        """Paths tested at two places or more, and parameters that are tested: a guard on them is
        remembered."""
        params = set(self.params)
        return frozenset(
            path
            for path, spans in self._tests.items()
            if len(spans) > 1 or (len(path) == 1 and path[0] in params)
        )

    @cached_property
    def assigned(self) -> frozenset[str]:
        """Names of locals (parameters too) that are assigned as a whole somewhere."""
        found = set()
        for block in self.function.blocks:
            for instr in block.instrs:
                dst = instr.dst if isinstance(instr, Assign | Call) else None
                if dst is not None and not dst.fields:
                    found.add(dst.name)
        return frozenset(found)

    @cached_property
    def filled(self) -> frozenset[Path]:
        """Paths that receive something other than a constant."""
        found = set()
        for block in self.function.blocks:
            for instr in block.instrs:
                if isinstance(instr, Assign) and isinstance(instr.src, Const):
                    continue
                if isinstance(instr, Call | Assign) and instr.dst is not None:
                    found.add(path_of(instr.dst))
        return frozenset(found)

    @cached_property
    def cells(self) -> dict[Path, Path]:
        """The cell of each path that the function names, where it has one."""
        found: dict[Path, Path] = {}
        for block in self.function.blocks:
            for instr in block.instrs:
                named = [place for operand in reads(instr) for place in places(operand)]
                if isinstance(instr, Assign | Call) and instr.dst is not None:
                    named.append(instr.dst)
                for place in named:
                    cell = cell_of(place)
                    if cell is not None:
                        found.setdefault(path_of(place), cell)
        return found

    def cell_at(self, path: Path) -> Path | None:
        """The cell of a member right behind a local, also where the function itself does not name it."""
        cell = self.cells.get(path)
        if cell is not None or len(path) < 2:
            return cell
        record = dict(self.function.local_types).get(path[0])
        if record is None or "[" in path[1] or not all(step.startswith(".") for step in path[2:]):
            return None
        return ("*" + record, "->" + path[1].removeprefix("->").removeprefix("."), *path[2:])

    @cached_property
    def sweeps(self) -> dict[int, tuple[Sweep, ...]]:
        """For the first block of a loop: the collections it closes.

        A loop over an empty collection closes nothing, but then nothing was open; so the closes of such a
        loop count from its head on (the zero-trip edge must not keep a descriptor alive).
        """
        found: dict[int, tuple[Sweep, ...]] = {}
        for loop in self.loops:
            sweeps = tuple(self._sweeps_in(loop))
            if not sweeps:
                continue
            for head in self._heads(loop):
                found[head] = found.get(head, ()) + sweeps
        return found

    def _heads(self, loop: frozenset[int]) -> list[int]:
        entered = {
            successor
            for number, block in enumerate(self.function.blocks)
            if number not in loop
            for successor in block.successors
            if successor in loop
        }
        return sorted(entered)

    def _sweeps_in(self, loop: frozenset[int]) -> list[Sweep]:
        found: list[Sweep] = []
        for number in sorted(loop):
            for index, instr in enumerate(self.function.blocks[number].instrs):
                if not isinstance(instr, Call) or not isinstance(instr.target, Named) or not instr.args:
                    continue
                modelled = resolve(self._models, instr.target.name, instr.args)
                for effect in modelled.effects if modelled is not None else ():
                    if isinstance(effect, Close):
                        found.extend(
                            self._sweep(loop, number, index, instr, port_path(effect.fd, instr.args))
                        )
                    elif isinstance(effect, Unmap):
                        found.extend(
                            self._sweep(loop, number, index, instr, port_path(effect.at, instr.args))
                        )
        return found

    def _sweep(
        self, loop: frozenset[int], number: int, index: int, call: Call, path: Path | None
    ) -> list[Sweep]:
        if path is None:
            return []
        if len(path) == 1:
            if self._counts(path[0], loop):
                return [Sweep(None, None, number, index, self._kept(path, loop))]
            source = self._copied_in_loop(path[0], loop)
            return [] if source is None else [Sweep(path_of(source), cell_of(source), number, index)]
        varies = any("[]" in step for step in path) or self._assigned_in(path[0], loop)
        if not varies:
            return []
        return [Sweep(path, self.cells.get(path), number, index)]

    def _copied_in_loop(self, name: str, loop: frozenset[int]) -> Place | None:
        """The element a loop body copies into a local before it closes it: ``fd = fds[i]; close(fd)``."""
        for number in loop:
            for instr in self.function.blocks[number].instrs:
                if not isinstance(instr, Assign) or instr.dst.name != name or instr.dst.fields:
                    continue
                if isinstance(instr.src, Place) and instr.src.fields:
                    return instr.src
        return None

    def _assigned_in(self, name: str, loop: frozenset[int]) -> bool:
        for number in loop:
            for instr in self.function.blocks[number].instrs:
                dst = instr.dst if isinstance(instr, Assign | Call) else None
                if dst is not None and dst.name == name and not dst.fields:
                    return True
        return False

    def _counts(self, name: str, loop: frozenset[int]) -> bool:
        """Whether a local runs over descriptor numbers: counted in the loop, or read from /proc/self/fd
        names."""
        if self._ends_early(name, loop):
            return False
        counted = False
        for number, block in enumerate(self.function.blocks):
            for instr in block.instrs:
                dst = instr.dst if isinstance(instr, Assign | Call) else None
                if dst is None or dst.name != name or dst.fields:
                    continue
                if isinstance(instr, Call):
                    if number in loop:
                        return isinstance(instr.target, Named) and instr.target.name in _PARSERS
                elif not isinstance(instr, Assign):
                    continue
                elif number in loop:
                    if not isinstance(instr.src, Opaque) and not _is_step(instr.src, name):
                        return False
                    counted = True
                elif isinstance(instr.src, Const) and instr.src.value is not None and instr.src.value > 63:
                    return False
        return counted

    def _ends_early(self, name: str, loop: frozenset[int]) -> bool:
        """Whether the loop ends at a small number: ``for (i = 0; i < 3; i++)`` means the standard streams."""
        blocks = self.function.blocks
        exits = {after for number in loop for after in blocks[number].successors if after not in loop}
        return any(
            isinstance(instr, Assume)
            and path_of(instr.left) == (name,)
            and instr.op in (">", ">=")
            and isinstance(instr.right, Const)
            and instr.right.value is not None
            and instr.right.value < _FEW
            for number in exits
            for instr in blocks[number].instrs
        )

    def _kept(self, path: Path, loop: frozenset[int]) -> tuple[Path, ...]:
        kept = []
        for number in loop:
            for instr in self.function.blocks[number].instrs:
                if isinstance(instr, Assume) and instr.op in ("==", "!=") and isinstance(instr.right, Place):
                    left, right = path_of(instr.left), path_of(instr.right)
                    if left == path:
                        kept.append(right)
                    elif right == path:
                        kept.append(left)
        return tuple(sorted(set(kept)))


def _is_step(operand: Operand, name: str) -> bool:
    return isinstance(operand, Place) and operand.name == name and not operand.fields
