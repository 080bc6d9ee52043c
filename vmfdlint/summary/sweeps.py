"""Loops that release a whole collection: ``for (i = 0; i < n; i++) close(fds[i])``.

In: a lowered function, its loops and cells, the models. Out: what each loop closes, by the block it is
entered through. A loop over an empty collection closes nothing, but then nothing was open; so the closes of
such a loop count from its head on (the zero-trip edge must not keep a descriptor alive).
"""

from collections.abc import Iterator, Mapping
from functools import cached_property

import msgspec

from vmfdlint.ir import (
    ELEMENT,
    Address,
    Assign,
    Assume,
    Call,
    Const,
    Function,
    Instr,
    Named,
    Opaque,
    Operand,
    Place,
    Step,
)
from vmfdlint.models import Close, Models, Unmap, resolve
from vmfdlint.summary.paths import (
    Path,
    cell_of,
    is_temporary,
    is_vague,
    operand_path,
    path_of,
    port_path,
)

_FEW = 10
"""A close loop that ends below this number is not after the descriptors that a program opened."""
_STEPS = (Step(1), Step(-1))
"""What ``++`` and ``--`` put into a variable."""
_CALLS = 2
"""Calls that a number goes through between the collection and its close."""


class Sweep(msgspec.Struct, frozen=True):
    """A loop that closes (or unmaps) a whole collection, or every descriptor where ``path`` is None.

    ``block`` and ``index`` name the call that closes one. ``keep`` are paths the loop skips. ``length`` is
    the number of bytes that are unmapped of each, where it is a constant. ``rounds`` is how many it closes at
    most, where a constant says that.
    """

    path: Path | None
    cell: Path | None
    block: int
    index: int
    keep: tuple[Path, ...] = ()
    length: int | None = None
    rounds: int | None = None


class Handed(msgspec.Struct, frozen=True):
    """A call in a loop that is given an element: ``vcpu_free(vm->vcpus[i])``; what it releases its body
    says. ``by_address``: as ``vcpu_free(&vm->vcpus[i])``. ``whole``: it is given what the elements are in,
    and which one it takes changes from round to round: ``vm_remove(vm, i)``."""

    block: int
    index: int
    position: int
    path: Path
    cell: Path | None
    by_address: bool = False
    whole: bool = False


class Loop:
    """One loop of a function: the ``blocks``, ``cells`` as in :attr:`Flow.cells`. ``managed``: of a language
    whose objects are made by calls, so that one that a call gives is no element of a collection."""

    def __init__(
        self,
        function: Function,
        blocks: frozenset[int],
        cells: Mapping[Path, Path],
        models: Models,
        managed: bool = False,
    ) -> None:
        self.function = function
        self.blocks = blocks
        self.cells = cells
        self.models = models
        self.managed = managed

    @property
    def heads(self) -> list[int]:
        """The blocks that are entered from outside the loop."""
        entered = {
            successor
            for number, block in enumerate(self.function.blocks)
            if number not in self.blocks
            for successor in block.successors
            if successor in self.blocks
        }
        return sorted(entered)

    def sweeps(self) -> Iterator[Sweep]:
        """What the loop closes by calls of its own."""
        found = list(self._own_sweeps())
        rounds = self.rounds if found else None
        for sweep in found:
            once = [other.path for other in found].count(sweep.path) == 1
            yield msgspec.structs.replace(sweep, rounds=rounds if once else None)

    @property
    def rounds(self) -> int | None:
        """How often the loop runs at most, where the one variable that it reckons with counts from 0 to a
        constant; None where that is not known."""
        reckoned = [each for each in self._instrs() if isinstance(each, Assign) and _is_reckoned(each)]
        if len(reckoned) != 1 or reckoned[0].src not in _STEPS:
            return None
        name = path_of(reckoned[0].dst)[0]
        ends = [
            instr.right.value + (instr.op == ">")
            for instr in self._ends(name)
            if isinstance(instr.right, Const) and instr.right.value is not None
        ]
        return ends[0] if len(ends) == 1 and self._starts_at_zero(name) else None

    def _starts_at_zero(self, name: str) -> bool:
        """Whether a variable is set to 0 and counts up, and gets nothing else."""
        written = [
            instr
            for instr in self.function.instrs
            if isinstance(instr, Assign | Call) and instr.dst is not None and _is_variable(instr.dst, name)
        ]
        return name not in self.function.params and all(
            isinstance(instr, Assign)
            and (instr.src in _STEPS or (isinstance(instr.src, Const) and instr.src.value == 0))
            for instr in written
        )

    def _own_sweeps(self) -> Iterator[Sweep]:
        for number, index, call in self._calls():
            name = call.target.name if isinstance(call.target, Named) else ""
            modelled = resolve(self.models, name, call.args) if name and call.args else None
            for effect in modelled.effects if modelled is not None else ():
                if isinstance(effect, Close | Unmap):
                    port = effect.fd if isinstance(effect, Close) else effect.at
                    for sweep in self._sweep(number, index, port_path(port, call.args)):
                        yield msgspec.structs.replace(sweep, length=bytes_of(effect, call))

    def handed(self) -> Iterator[Handed]:
        """The calls that are given an element of what the loop runs over."""
        for number, index, call in self._calls():
            changing = [isinstance(one, Place) and path_of(one)[0] in self._changing for one in call.args]
            for position, argument in enumerate(call.args):
                others = sum(changing) > changing[position]
                if isinstance(argument, Address):
                    element = path_of(argument.place)
                    if is_vague(element):
                        yield Handed(number, index, position, element, None, by_address=True)
                    elif others:
                        yield Handed(number, index, position, element, None, by_address=True, whole=True)
                    continue
                path = operand_path(argument)
                if path is None or not isinstance(argument, Place):
                    continue
                source = self._copied_in_loop(path[0])
                if source is not None:  # ``for number, fd in fds: release(fd)``, or release(each[1])
                    cell = cell_of(source) if len(path) == 1 else None
                    yield Handed(number, index, position, (*path_of(source), *path[1:]), cell)
                itself = source is None or len(path) > 1
                if itself and (is_vague(path) or self._assigned(path[0])):
                    yield Handed(number, index, position, path, self.cells.get(path))
                elif itself and others:
                    yield Handed(number, index, position, path, self.cells.get(path), whole=True)

    def _instrs(self) -> Iterator[Instr]:
        return (instr for number in self.blocks for instr in self.function.blocks[number].instrs)

    def _calls(self) -> Iterator[tuple[int, int, Call]]:
        for number in sorted(self.blocks):
            for index, instr in enumerate(self.function.blocks[number].instrs):
                if isinstance(instr, Call):
                    yield number, index, instr

    def _sweep(self, number: int, index: int, path: Path | None) -> Iterator[Sweep]:
        if path is None:
            return
        if len(path) > 1:
            if is_vague(path) or self._assigned(path[0]):
                yield Sweep(path, self.cells.get(path), number, index)
            source = self._copied_in_loop(path[0])
            if source is not None:  # ``for vcpu in vcpus: close(vcpu["fd"])``
                yield Sweep((*path_of(source), *path[1:]), None, number, index)
        elif self._counts(path[0]):
            yield Sweep(None, None, number, index, self._kept(path))
        else:
            source = self._copied_in_loop(path[0])
            if source is not None:
                yield Sweep(path_of(source), cell_of(source), number, index)

    def _copied_in_loop(self, name: str, calls: int = 0) -> Place | None:
        """The element a loop body copies into a local before it closes it: ``fd = fds[i]; close(fd)``, also
        by a call that gives what it gets: ``int(number)``."""
        for instr in self._instrs():
            if isinstance(instr, Assign) and _is_variable(instr.dst, name):
                if isinstance(instr.src, Place) and instr.src.fields:
                    return self._put_there(instr.src)
            elif isinstance(instr, Call) and instr.dst is not None and _is_variable(instr.dst, name):
                given = self._given_back(instr) if calls < _CALLS else None
                if given is not None:
                    return given if given.fields else self._copied_in_loop(path_of(given)[0], calls + 1)
        return None

    def _put_there(self, place: Place) -> Place:
        """What the loop puts into a part of a temporary: ``for name, fd in fds.items()`` makes a pair anew
        each round. The place itself for any other."""
        for instr in self._instrs() if is_temporary(path_of(place)) else ():
            if isinstance(instr, Assign) and instr.dst == place and isinstance(instr.src, Place):
                return instr.src if instr.src.fields else place
        return place

    def _given_back(self, call: Call) -> Place | None:
        """The argument whose value a modelled call returns, or the element of one."""
        name = call.target.name if isinstance(call.target, Named) else ""
        modelled = resolve(self.models, name, call.args) if name and call.args else None
        for port in modelled.returned if modelled is not None else ():
            given = call.args[port.arg] if port.arg is not None and port.arg < len(call.args) else None
            if isinstance(given, Place) and not port.fields:
                return given
            if isinstance(given, Place) and (port.fields == (ELEMENT.name,) or port.is_keyed):
                return given.step(ELEMENT)
        return None

    def _assigned(self, name: str) -> bool:
        """Whether a variable goes from one object to the next in the loop."""
        return self._copied_in_loop(name) is not None if self.managed else name in self._changing

    @cached_property
    def _changing(self) -> frozenset[str]:
        """The variables that get another value in the loop."""
        given = (instr.dst for instr in self._instrs() if isinstance(instr, Assign | Call))
        paths = (path_of(dst) for dst in given if dst is not None)
        return frozenset(path[0] for path in paths if len(path) == 1)

    def _counts(self, name: str, calls: int = 0) -> bool:
        """Whether a local runs over descriptor numbers: counted in the loop, or read from /proc/self/fd
        names."""
        if self._ends_early(name):
            return False
        counted = False
        for number, block in enumerate(self.function.blocks):
            for instr in block.instrs:
                dst = instr.dst if isinstance(instr, Assign | Call) else None
                if dst is None or not dst.is_variable(name):
                    continue
                if isinstance(instr, Call):
                    if number in self.blocks:
                        given = self._given_back(instr)  # ``fd = int(name)``
                        if given is not None and not given.fields and calls < _CALLS:
                            return self._counts(path_of(given)[0], calls + 1)
                        return (
                            isinstance(instr.target, Named)
                            and instr.target.name in self.models.number_readers
                        )
                elif not isinstance(instr, Assign):
                    continue
                elif number in self.blocks and self._is_of_range(instr.src):
                    counted = True
                elif number in self.blocks:
                    if not isinstance(instr.src, Opaque | Step) and not (
                        isinstance(instr.src, Place) and instr.src.is_variable(name)
                    ):
                        return False
                    counted = True
                elif isinstance(instr.src, Const) and instr.src.value is not None and instr.src.value > 63:
                    return False
        return counted

    def _is_of_range(self, source: Operand) -> bool:
        """Whether a value is one of the numbers that a call runs over, from a small one to a large one."""
        if not isinstance(source, Place) or [field.name for field in source.fields] != [ELEMENT.name]:
            return False
        given = [
            instr
            for instr in self.function.instrs
            if isinstance(instr, Call) and instr.dst is not None and instr.dst.is_variable(source.name)
        ]
        ranges = self.models.number_readers
        if len(given) != 1 or not isinstance(given[0].target, Named) or given[0].target.name not in ranges:
            return False
        bounds = [one.value if isinstance(one, Const) else None for one in given[0].args[:2]]
        first = bounds[0] if len(bounds) > 1 else 0
        last = bounds[-1] if bounds else None
        return (first is None or first <= 63) and (last is None or last >= _FEW)

    def _ends_early(self, name: str) -> bool:
        """Whether the loop ends at a small number: ``for (i = 0; i < 3; i++)`` means the standard streams."""
        return any(
            isinstance(instr.right, Const) and instr.right.value is not None and instr.right.value < _FEW
            for instr in self._ends(name)
        )

    def _ends(self, name: str) -> Iterator[Assume]:
        """The guards by which the loop is left because a variable has grown."""
        blocks = self.function.blocks
        exits = {
            after for number in self.blocks for after in blocks[number].successors if after not in self.blocks
        }
        for number in sorted(exits):
            for instr in blocks[number].instrs:
                grown = isinstance(instr, Assume) and instr.op in (">", ">=")
                if isinstance(instr, Assume) and grown and path_of(instr.left) == (name,):
                    yield instr

    def _kept(self, path: Path) -> tuple[Path, ...]:
        kept = []
        for instr in self._instrs():
            if isinstance(instr, Assume) and instr.op in ("==", "!=") and isinstance(instr.right, Place):
                left, right = path_of(instr.left), path_of(instr.right)
                if left == path:
                    kept.append(right)
                elif right == path:
                    kept.append(left)
        return tuple(sorted(set(kept)))


def _is_variable(place: Place, name: str) -> bool:
    """Whether a place is the variable with that path."""
    return path_of(place) == (name,)


def _is_reckoned(instr: Assign) -> bool:
    """Whether a variable gets the result of arithmetic."""
    return isinstance(instr.src, Opaque | Step) and not instr.dst.fields


def bytes_of(effect: Close | Unmap, call: Call) -> int | None:
    """The constant number of bytes that a call unmaps; None for a close and where it is not known."""
    position = effect.length.arg if isinstance(effect, Unmap) and effect.length is not None else None
    length = call.args[position] if position is not None and position < len(call.args) else None
    return length.value if isinstance(length, Const) else None
