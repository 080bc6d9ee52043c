"""Which exceptions a function can end by.

In: a function key. Out: for each exception the names of its class and bases, no name for that of a call which
is none of the program; memoised answers, found by looking down the call graph with a bound.
"""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from vmfdlint.ir import RAISED, THROWN, Assign, Assume, Call, Const, FunctionKey, Instr, Return
from vmfdlint.models import Sign
from vmfdlint.summary.bodies import Bodies
from vmfdlint.summary.flow import Flow

Names: TypeAlias = tuple[str, ...]

UNNAMED: Names = ("OSError",)
"""What a call raises that fails and is none of the program, if nothing else is said of it."""
_DEPTH = 12


class _State(NamedTuple):
    """Where a way has come to: at the entry of a block, with the exception that was raised last."""

    block: int
    names: Names = ()
    raised: bool = False


class Raised:
    """Memoised answers. ``ends``: whether a call never comes back."""

    def __init__(self, bodies: Bodies, ends: Callable[[FunctionKey, Call], bool]) -> None:
        self.bodies = bodies
        self.ends = ends
        self._known: dict[FunctionKey, frozenset[Names]] = {}

    def by(self, key: FunctionKey, depth: int = 0) -> frozenset[Names]:
        """The exceptions that a call of ``key`` can end by."""
        known = self._known.get(key)
        if known is not None:
            return known
        flow = self.bodies.flow(key)
        if flow is None or not flow.counts_references or depth >= _DEPTH:
            return frozenset()
        self._known[key] = frozenset()
        answer = self._known[key] = self._leaving(flow, depth)
        return answer

    def _leaving(self, flow: Flow, depth: int) -> frozenset[Names]:
        """The exceptions with which a way from the entry, on which they come only from calls that can raise
        them, leads to a return."""
        found: set[Names] = set()
        seen = {_State(0)}
        stack = [_State(0)]
        while stack:
            state = stack.pop()
            instrs = flow.function.blocks[state.block].instrs
            after = self._through(flow, state, found)
            if after is None:
                continue
            last = instrs[-1] if instrs else None
            asked = isinstance(last, Call) and flow.may_raise(state.block, len(instrs) - 1)
            thrown = self._by_call(flow.key, last, depth) if asked and isinstance(last, Call) else frozenset()
            for successor in flow.function.blocks[state.block].successors:
                onward = {_State(successor, after.names, after.raised)}
                if asked and asks_for_raise(flow, successor):
                    onward = {_State(successor, names, True) for names in thrown}
                stack += onward - seen
                seen |= onward
        return frozenset(found)

    def _through(self, flow: Flow, state: _State, found: set[Names]) -> _State | None:
        """The state at the end of a block, None where no way leads there; ``found`` gets what leaves."""
        for instr in flow.function.blocks[state.block].instrs:
            match instr:
                case Return():
                    if state.raised:
                        found.add(state.names)
                    return None
                case Call() if self.ends(flow.key, instr):
                    return None
                case Assume(left=left) if left == THROWN and not takes(state.names, instr):
                    return None
                case _:
                    state = _changed(state, instr)
        return state

    def _by_call(self, caller: FunctionKey, call: Call, depth: int) -> frozenset[Names]:
        modelled = self.bodies.modelled(caller, call)
        if modelled is not None:
            return frozenset({()}) if modelled.failure is Sign.RAISES else frozenset()
        targets = self.bodies.program.targets(caller, call) or self.bodies.slots.targets(caller, call)
        return frozenset().union(*(self.by(target, depth + 1) for target in targets))


def _changed(state: _State, instr: Instr) -> _State:
    """The state behind an instruction that says something of the exception."""
    match instr:
        case Assign(dst=dst) if dst == RAISED:
            return state._replace(raised=raises(instr))
        case Assign(dst=dst, src=src) if dst == THROWN:
            return state._replace(names=src.names if isinstance(src, Const) else ())
        case Assume(left=left, op=op) if left == RAISED:
            return state._replace(raised=op == "!=")
        case _:
            return state


def raises(instr: Instr) -> bool:
    """Whether an instruction has the function leave by an exception."""
    if not isinstance(instr, Assign) or instr.dst != RAISED:
        return False
    return not (isinstance(instr.src, Const) and instr.src.value == 0)


def takes(names: Names, asked: Assume) -> bool:
    """Whether an exception with these names takes the way that asks for some."""
    wanted = asked.right.names if isinstance(asked.right, Const) else ()
    return set(names or UNNAMED).isdisjoint(wanted) is (asked.op != "&")


def asks_for_raise(flow: Flow, block: int) -> bool:
    """Whether a block is where the exception of the call before it goes."""
    return any(
        isinstance(instr, Assume) and instr.left == RAISED and instr.op == "!="
        for instr in flow.function.blocks[block].instrs
    )
