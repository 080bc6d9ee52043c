"""What a helper releases of the object it is given: ``vcpu_free(vcpu)`` closes ``vcpu->fd`` and unmaps
``vcpu->run``.

In: a function and a parameter. Out: the steps below the parameter that it, or a callee, closes or unmaps on
some path; memoised, found by looking down the call graph with a bound.
"""

from collections.abc import Callable, Iterator, Mapping

from vmfdlint.base import LIMITS
from vmfdlint.ir import Assign, FunctionKey, Opaque
from vmfdlint.link import Site
from vmfdlint.models import Close, Unmap
from vmfdlint.summary.bodies import Bodies
from vmfdlint.summary.flow import Flow
from vmfdlint.summary.parameters import Descent
from vmfdlint.summary.paths import FIRST, Path, from_address, is_vague, operand_path, path_of, port_path
from vmfdlint.summary.sweeps import Handed, Sweep, bytes_of

Released = dict[Path, tuple[Path | None, int | None]]
"""Steps below a parameter -> the cell they lie in, None where the member's record is not known, and the bytes
that are unmapped, where they are a constant."""

_CONTAINER = "->%container"
"""The step from a pointer to the object that contains what it leads to."""


class Teardown:
    """Memoised answers on release helpers."""

    def __init__(self, bodies: Bodies) -> None:
        self.bodies = bodies
        self._released: Descent[Released] = Descent(bodies, LIMITS.teardown_depth, {}, self._find)

    def released(self, key: FunctionKey, position: int) -> tuple[Path, ...]:
        """The steps below a parameter to what a function closes or unmaps."""
        return tuple(self._released.ask(key, position))

    def cells(self, key: FunctionKey, position: int) -> dict[Path, Path | None]:
        """As :meth:`released`, with the cells."""
        return {steps: cell for steps, (cell, _length) in self._released.ask(key, position).items()}

    def elements(self, key: FunctionKey, position: int) -> Iterator[Path]:
        """Of an element that a function gets in a parameter, the cells that it closes or unmaps; () where
        the element is a number or points to one."""
        for steps, (cell, _length) in self._released.ask(key, position).items():
            if cell is not None:
                yield cell
            elif all(step == FIRST for step in steps):
                yield ()

    def sweeps(
        self, flow: Flow, head: int, matters: Callable[[Handed, FunctionKey], bool]
    ) -> Iterator[Sweep]:
        """What the loops entered at block ``head`` release through helpers, of those that ``matters``
        accepts."""
        for handed in flow.handed.get(head, ()):
            call = flow.call_at(handed.block, handed.index)
            if self.bodies.modelled(flow.key, call) is not None:
                continue
            targets = self.bodies.program.targets(flow.key, call)
            for target in targets or self.bodies.slots.targets(flow.key, call):
                if matters(handed, target):
                    yield from _swept(handed, self._released.ask(target, handed.position))

    def descents(self, flow: Flow) -> Iterator[Sweep]:
        """What a function that goes down a list or a tree by calling itself releases there."""
        for site, position in flow.descents:
            for steps, (cell, length) in self._released.ask(flow.key, position).items():
                if cell is not None:
                    path = (flow.params[position], *steps)
                    yield Sweep(path, cell, site.block, site.index, length=length)

    def _find(self, flow: Flow, name: str, depth: int) -> Released:
        """What a function releases of its parameter ``name``; ``()`` stands for the parameter itself."""
        found: Released = {}
        taken = self._taken(flow, name)
        for site, call in flow.placed():
            given = [_behind(operand_path(argument), name, taken, flow, site) for argument in call.args]
            if not any(given):
                continue
            modelled = self.bodies.modelled(flow.key, call)
            for effect in modelled.effects if modelled is not None else ():
                if isinstance(effect, Close | Unmap):
                    port = port_path(effect.fd if isinstance(effect, Close) else effect.at, call.args)
                    for path in _behind(port, name, taken, flow, site):
                        named = port if port is not None and _CONTAINER in path else path
                        found.setdefault(path[1:], (flow.cells.get(named), bytes_of(effect, call)))
            for target in self.bodies.program.targets(flow.key, call) if modelled is None else ():
                for index, paths in enumerate(given):
                    for path in paths:
                        for steps, (cell, length) in self._released.ask(target, index, depth + 1).items():
                            whole = (*path, *steps)
                            found.setdefault(whole[1:], (cell or flow.cells.get(whole), length))
        # What makes a reference and closes it where something else fails releases none of others' making.
        return {steps: what for steps, what in found.items() if (name, *steps) not in flow.filled}

    def _taken(self, flow: Flow, name: str) -> dict[str, set[Path]]:
        """The variables that get what a call takes out of a parameter: ``fd = self.fds.pop(i)``; or the
        object that contains what it leads to."""
        found: dict[str, set[Path]] = {}
        for instr in flow.function.instrs:
            if isinstance(instr, Assign) and isinstance(instr.src, Opaque) and not instr.dst.fields:
                inner = instr.src.of
                if inner is not None and path_of(inner)[0] == name:
                    found.setdefault(path_of(instr.dst)[0], set()).add((*path_of(inner), _CONTAINER))
        for call in flow.calls:
            if call.dst is None or call.dst.fields:
                continue
            if not any(path and path[0] == name for path in map(operand_path, call.args)):
                continue
            modelled = self.bodies.modelled(flow.key, call)
            for port in modelled.returned if modelled is not None else ():
                path = port_path(port, call.args)
                if path is not None and path[0] == name:
                    found.setdefault(path_of(call.dst)[0], set()).add(path)
        return found


def _behind(
    path: Path | None, name: str, taken: Mapping[str, set[Path]], flow: Flow, site: Site
) -> list[Path]:
    """A path as one behind a variable: itself, or by way of what its own variable was read from or taken out
    of before the instruction at ``site``."""
    if path is None:
        return []
    source = flow.read_from(path, site)
    found = sorted((*one, *source[1:]) for one in taken.get(source[0], ()))
    return [one for one in (source, *found) if one[0] == name]


def _swept(handed: Handed, released: Released) -> Iterator[Sweep]:
    for steps, (cell, length) in released.items():
        if handed.whole and not is_vague(steps):
            continue
        own = cell if steps else handed.cell
        path = from_address(handed.path, steps) if handed.by_address else (*handed.path, *steps)
        if path is not None:
            yield Sweep(path, own, handed.block, handed.index, length=length)
