"""Whether an object may still be reached when the variable that holds it lets go of it.

In: a function and the name of a variable. Out: memoised answers, found by looking down the call graph with a
bound. Where an object goes is not followed: it is enough that it went anywhere.
"""

from vmfdlint.base import Span
from vmfdlint.ir import Assign, Call, FunctionKey, Indirect, Member, Named, Operand, Place, Return
from vmfdlint.models import Callback, Copy, Effect, Keep, Own
from vmfdlint.summary.bodies import Bodies
from vmfdlint.summary.flow import Flow
from vmfdlint.summary.parameters import Descent
from vmfdlint.summary.paths import is_global

_DEPTH = 6


class Sharing:
    """Memoised answers on variables."""

    def __init__(self, bodies: Bodies) -> None:
        self.bodies = bodies
        self._known: dict[tuple[FunctionKey, str, Span | None], bool] = {}
        self._given: Descent[bool] = Descent(bodies, _DEPTH, False, self._shared)
        self._made: dict[FunctionKey, frozenset[str]] = {}

    def shared(self, flow: Flow, name: str, until: Span | None = None) -> bool:
        """Whether a function stores, returns or gives away what its variable holds; ``until``: by what stands
        no later than that."""
        known = self._known.get((flow.key, name, until))
        if known is None:
            known = self._known[(flow.key, name, until)] = self._shared(flow, name, 0, until)
        return known

    def made(self, flow: Flow) -> frozenset[str]:
        """The local variables that get nothing but objects that were made for them, also by functions that
        return what they made. No two of them have the same object."""
        known = self._made.get(flow.key)
        if known is None:
            self._made[flow.key] = flow.made
            known = flow.made | {name for name, calls in flow.given.items() if self._all_make(flow, calls)}
            if flow.counts_references:
                known |= _moved_on(flow, known)
            self._made[flow.key] = known
        return known

    def _all_make(self, flow: Flow, calls: tuple[Call, ...]) -> bool:
        return all(flow.makes(call) or self._gives_new(flow, call) for call in calls)

    def _gives_new(self, flow: Flow, call: Call) -> bool:
        """Whether every function that a call may run returns an object that it made."""
        targets = self.bodies.program.targets(flow.key, call) if isinstance(call.target, Named) else ()
        called = [self.bodies.flow(target) for target in targets]
        return bool(called) and all(
            one is not None
            and bool(one.returned)
            and all(len(path) == 1 and path[0] in self.made(one) for path in one.returned)
            for one in called
        )

    def _shared(self, flow: Flow, name: str, depth: int, until: Span | None = None) -> bool:
        names = _aliases(flow, name)
        if any(
            self._keeps(flow, call)
            for call in flow.calls
            if call.dst is not None and _is_one(call.dst, names)
        ):
            return True
        for instr in flow.function.instrs:
            if until is not None and (instr.at.line, instr.at.col) > (until.line, until.col):
                continue
            match instr:
                case Assign(dst=dst, src=src) if _is_one(src, names):
                    if dst.fields or dst.is_global:
                        return True
                case Return(value=value) if value is not None and _is_one(value, names):
                    return True
                case Call() if self._gives(flow, instr, names, depth):
                    return True
                case _:
                    pass
        return False

    def _keeps(self, flow: Flow, call: Call) -> bool:
        """Whether a function that is called returns an object that something else has."""
        if self.bodies.modelled(flow.key, call) is not None:
            return False
        called = map(self.bodies.flow, self.bodies.program.targets(flow.key, call))
        return any(
            is_global(path) or path[0] in (one.params if len(path) > 1 else one.origins)
            for one in called
            if one is not None
            for path in one.returned
        )

    def _gives(self, flow: Flow, call: Call, names: frozenset[str], depth: int) -> bool:
        positions = [index for index, argument in enumerate(call.args) if _is_one(argument, names)]
        if not positions:
            return False
        modelled = self.bodies.modelled(flow.key, call)
        if modelled is not None:
            return any(_takes(effect, positions) for effect in modelled.effects)
        targets = self.bodies.program.targets(flow.key, call)
        if not targets or isinstance(call.target, Member | Indirect):
            return True
        return any(self._given.ask(target, index, depth + 1) for target in targets for index in positions)


def _moved_on(flow: Flow, made: frozenset[str]) -> set[str]:
    """The globals that get nothing but what such a temporary has and gives to them alone."""
    moves = [
        (instr.src.name if isinstance(instr.src, Place) and not instr.src.fields else "", instr.dst)
        for instr in flow.function.instrs
        if isinstance(instr, Assign)
    ]
    names = [source for source, _dst in moves]
    once = {source for source in names if source in made and source[0] == "%" and names.count(source) == 1}
    targets = {dst.name for source, dst in moves if dst.is_global and not dst.fields and source in once}
    others = {dst.name for source, dst in moves if not dst.fields and source not in once}
    return targets - others


def _takes(effect: Effect, positions: list[int]) -> bool:
    """Whether an effect hands on what stands at one of the positions."""
    match effect:
        case Keep(value=port) | Own(fd=port) | Copy(src=port):
            return port.arg in positions and not port.fields  # what is in there does not lead back to it
        case Callback():
            return True
        case _:
            return False


def _aliases(flow: Flow, name: str) -> frozenset[str]:
    """The locals that get the value of a variable, itself among them."""
    copies = [
        (instr.src.name, instr.dst.name)
        for instr in flow.function.instrs
        if isinstance(instr, Assign) and isinstance(instr.src, Place)
        if not (instr.src.fields or instr.src.is_global or instr.dst.fields or instr.dst.is_global)
    ]
    found = {name}
    for _round in copies:
        found |= {target for source, target in copies if source in found}
    return frozenset(found)


def _is_one(operand: Operand, names: frozenset[str]) -> bool:
    return isinstance(operand, Place) and operand.name in names and not (operand.fields or operand.is_global)
