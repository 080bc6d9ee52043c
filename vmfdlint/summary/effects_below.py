"""What a call of a function can come to: a wait, a close of every descriptor, another process.

In: function keys. Out: memoised answers, found by looking down the call graph with bounds.
"""

from collections.abc import Callable
from types import UnionType

from vmfdlint.ir import Call, FunctionKey
from vmfdlint.models import CloseAll, Daemon, Exec, Fork, Linger, Resolved
from vmfdlint.summary.bodies import Bodies
from vmfdlint.summary.endings import leaves
from vmfdlint.summary.flow import Flow
from vmfdlint.summary.messages import waits_again
from vmfdlint.summary.paths import Path, variable

_LINGER_DEPTH = 10
_LINGER_VISITS = 400
_CLOSE_DEPTH = 3


class EffectsBelow:
    """Memoised answers on effects in a function, or in those that it calls."""

    def __init__(self, bodies: Bodies) -> None:
        self.bodies = bodies
        self._lingers: dict[tuple[FunctionKey, bool, bool], str] = {}
        self._here: dict[tuple[FunctionKey, bool], tuple[str, tuple[Call, ...]]] = {}
        self._sets: dict[tuple[FunctionKey, Path], bool] = {}
        self._closes_all: dict[FunctionKey, bool] = {}
        self._executes: dict[FunctionKey, bool] = {}

    def lingers(self, key: FunctionKey, slots: bool = False, heard: bool = True) -> str:
        """What a call of ``key`` can wait in (an API's name, or ``a loop without a bound``), "" for nothing
        found. ``slots``: look through members and variables as well, which costs a search, so that what is
        called by name is looked through first. ``heard``: a wait for one message counts."""
        asked = (key, slots, heard)
        known = self._lingers.get(asked)
        if known is None:
            found = self.lingers(key, heard=heard) if slots else ""
            known = self._lingers[asked] = found or self._find_linger(*asked)
        return known

    def _find_linger(self, key: FunctionKey, slots: bool, heard: bool) -> str:
        """The nearest wait below a function, level by level."""
        seen = {key}
        level = [key]
        for _depth in range(_LINGER_DEPTH + 1):
            below: dict[FunctionKey, None] = {}
            for one in level:
                here, calls = self._waits_here(one, heard)
                if here:
                    return here
                for call in calls:
                    below |= dict.fromkeys(self.bodies.program.targets(one, call))
                    if slots:
                        below |= dict.fromkeys(self.bodies.slots.targets(one, call))
            level = [one for one in below if one not in seen][: max(_LINGER_VISITS - len(seen), 0)]
            seen.update(level)
        return ""

    def _waits_here(self, key: FunctionKey, heard: bool) -> tuple[str, tuple[Call, ...]]:
        """What a function itself can wait in, and if nothing, its calls of functions that no model knows."""
        known = self._here.get((key, heard))
        if known is None:
            known = self._here[(key, heard)] = self._find_wait(key, heard)
        return known

    def _find_wait(self, key: FunctionKey, heard: bool) -> tuple[str, tuple[Call, ...]]:
        flow = self.bodies.flow(key)
        if flow is None:
            return "", ()
        calls: list[Call] = []
        for number, block in enumerate(flow.function.blocks):
            if block.unbounded and not leaves(flow, number):
                return "a loop without a bound", ()
            for index, instr in enumerate(block.instrs):
                if not isinstance(instr, Call):
                    continue
                modelled = self.bodies.modelled(key, instr)
                if modelled is None:
                    calls.append(instr)
                elif any(
                    isinstance(effect, Linger)
                    and not effect.brief
                    and not effect.lock
                    and (heard or not effect.message or waits_again(flow, number, index))
                    for effect in modelled.effects
                ):
                    return modelled.api, ()
        return "", tuple(calls)

    def waits(self, caller: FunctionKey, call: Call) -> str:
        """What a call can wait in, as a linger point is told; "" for nothing found."""
        modelled = self.bodies.modelled(caller, call)
        if modelled is not None:
            return modelled.api if _blocks(modelled) else ""
        found = ((self.lingers(target), target.name) for target in self.bodies.program.targets(caller, call))
        return next((f"{wait} in {name}" for wait, name in found if wait), "")

    def waits_itself(self, caller: FunctionKey, call: Call) -> bool:
        """Whether a call is one that waits, of an API."""
        modelled = self.bodies.modelled(caller, call)
        return modelled is not None and _blocks(modelled)

    def sets(self, key: FunctionKey, path: Path, depth: int = 0) -> bool:
        """Whether a function puts something into a global variable, or one that it calls does; as far as
        their files name it."""
        if key.path not in self.bodies.program.lexicon.files_with(variable(path)) or depth >= _CLOSE_DEPTH:
            return False
        known = self._sets.get((key, path))
        if known is None:
            self._sets[(key, path)] = False
            flow = self.bodies.flow(key)
            known = flow is not None and (
                path in flow.written
                or any(
                    self.sets(target, path, depth + 1)
                    for call in flow.calls
                    for target in self.bodies.program.targets(key, call)
                )
            )
            self._sets[(key, path)] = known
        return known

    def closes_all(self, key: FunctionKey) -> bool:
        """Whether a function, or one it calls, closes every descriptor by number."""
        return self._below(key, self._closes_all, _closes_all_here, CloseAll, 0)

    def executes(self, key: FunctionKey) -> bool:
        """Whether a function, or one it calls, replaces the process or makes a further one."""
        return self._below(key, self._executes, lambda _flow: False, Exec | Fork | Daemon, 0)

    def _below(
        self,
        key: FunctionKey,
        memo: dict[FunctionKey, bool],
        here: Callable[[Flow], bool],
        wanted: type | UnionType,
        depth: int,
    ) -> bool:
        """Whether ``here`` holds, or an effect of a ``wanted`` type occurs, in a function or a few calls
        below."""
        known = memo.get(key)
        if known is not None:
            return known
        if depth >= _CLOSE_DEPTH:
            return False
        memo[key] = False
        flow = self.bodies.flow(key)
        if flow is None:
            return False
        answer = here(flow)
        for instr in flow.function.instrs:
            if answer or not isinstance(instr, Call):
                continue
            modelled = self.bodies.modelled(key, instr)
            if modelled is not None:
                answer = any(isinstance(effect, wanted) for effect in modelled.effects)
            else:
                answer = any(
                    self._below(target, memo, here, wanted, depth + 1)
                    for target in self.bodies.program.targets(key, instr)
                )
        memo[key] = answer
        return answer


def _blocks(modelled: Resolved) -> bool:
    return any(isinstance(effect, Linger) and not effect.brief for effect in modelled.effects)


def _closes_all_here(flow: Flow) -> bool:
    return any(sweep.path is None for sweeps in flow.sweeps.values() for sweep in sweeps)
