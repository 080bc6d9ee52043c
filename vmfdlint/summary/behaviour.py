"""What a call does to the process as a whole: does it come back, can it wait, does it change a parameter.

In: function keys. Out: memoised answers, found by looking down the call graph with bounds.
"""

from collections.abc import Callable, Iterator, Mapping
from types import UnionType

from vmfdlint.ir import (
    Address,
    Assign,
    Assume,
    Call,
    Const,
    Function,
    FunctionKey,
    Named,
    Operand,
    Place,
    Return,
    Unparsed,
    holds,
)
from vmfdlint.link import Program, Slots
from vmfdlint.models import (
    CloseAll,
    Daemon,
    Exec,
    Exit,
    Fork,
    Free,
    Grant,
    Inside,
    Linger,
    Map,
    Migrate,
    Models,
    Port,
    Raise,
    Resolved,
    Use,
    Write,
    resolve,
)
from vmfdlint.summary.flow import Flow
from vmfdlint.summary.paths import operand_path

_NORETURN_DEPTH = 4
_LINGER_DEPTH = 10
_LINGER_VISITS = 400
_PARAMETER_DEPTH = 8
_CLOSE_DEPTH = 3


class Behaviour:
    """Memoised questions about whole functions."""

    def __init__(self, program: Program, models: Models) -> None:
        self.program = program
        self.models = models
        self._flows: dict[FunctionKey, Flow | None] = {}
        self._noreturn: dict[tuple[FunctionKey, tuple[tuple[str, int], ...]], bool] = {}
        self.slots = Slots(program)
        self._lingers: dict[tuple[FunctionKey, bool], str] = {}
        self._changes: dict[tuple[FunctionKey, int], bool] = {}
        self._closes_all: dict[FunctionKey, bool] = {}
        self._executes: dict[FunctionKey, bool] = {}
        self._uses: dict[tuple[FunctionKey, int], bool] = {}
        self._frees: dict[tuple[FunctionKey, int], bool] = {}
        self._deciders: dict[tuple[FunctionKey, int], frozenset[int]] = {}

    def flow(self, key: FunctionKey) -> Flow | None:
        """The prepared function, None where there is no such definition."""
        if key not in self._flows:
            function = self.program.function(key)
            self._flows[key] = Flow(function, self.models) if function is not None else None
        return self._flows[key]

    def modelled(
        self,
        caller: FunctionKey,
        call: Call,
        read: Callable[[Port], Operand | None] | None = None,
    ) -> Resolved | None:
        """What a model says of a call, unless the caller's own file defines a function of that name.

        ``read`` tells what is known of a member that a model's condition asks about. A model without effects
        yields to any body in the tree: it only says that the name is harmless elsewhere.
        """
        if not isinstance(call.target, Named):
            return None
        found = resolve(self.models, call.target.name, call.args, read)
        if found is None:
            return None
        bodies = self.program.lexicon.defined("functions", call.target.name)
        yields = bodies and (caller.path in bodies or not found.effects)
        if yields and self.program.resolve(call.target.name, caller.path):
            return None
        return found

    def calls_with(self, key: FunctionKey, wanted: type | UnionType) -> Iterator[tuple[Call, Resolved]]:
        """The calls in the body of ``key`` that a model gives an effect of a ``wanted`` type."""
        flow = self.flow(key)
        for call in flow.calls if flow is not None else ():
            modelled = self.modelled(key, call)
            if modelled is not None and any(isinstance(effect, wanted) for effect in modelled.effects):
                yield call, modelled

    def never_returns(self, key: FunctionKey, args: tuple[Operand, ...], depth: int = 0) -> bool:
        """Whether a call of ``key`` with ``args`` ends the process or the thread: ``check(false)`` may where
        ``check(n > 0)`` need not."""
        flow = self.flow(key)
        if flow is None or depth >= _NORETURN_DEPTH:
            return False
        given = {
            name: argument.value
            for name, argument in zip(flow.params, args, strict=False)
            if isinstance(argument, Const) and argument.value is not None
            if (name,) in flow.tested and name not in flow.assigned
        }
        question = (key, tuple(sorted(given.items())))
        known = self._noreturn.get(question)
        if known is not None:
            return known
        self._noreturn[question] = False
        answer = "noreturn" in flow.function.attributes or not self._reaches_return(flow, given, depth)
        self._noreturn[question] = answer
        return answer

    def _reaches_return(self, flow: Flow, given: Mapping[str, int], depth: int) -> bool:
        """Whether some path that the ``given`` parameters allow reaches a return; only the last call before
        one is looked into."""
        blocks = flow.function.blocks
        seen = {0}
        stack = [0]
        while stack:
            number = stack.pop()
            ended = False
            last: Call | None = None
            for instr in blocks[number].instrs:
                if isinstance(instr, Assume) and _excluded(instr, given):
                    ended = True
                    break
                if isinstance(instr, Return):
                    if last is not None and self._call_ends(flow.key, last, depth):
                        ended = True
                        break
                    return True
                if isinstance(instr, Call):
                    last = instr
                    if self._api_ends(flow.key, instr):
                        ended = True
                        break
            if ended:
                continue
            if (
                last is not None
                and len(blocks[number].successors) == 1
                and self._call_ends(flow.key, last, depth)
            ):
                continue
            if blocks[number].unbounded and not self._leaves(flow, number):
                continue
            for successor in blocks[number].successors:
                if successor not in seen:
                    seen.add(successor)
                    stack.append(successor)
        return False

    def _leaves(self, flow: Flow, head: int) -> bool:
        loop = next((loop for loop in flow.loops if head in loop), frozenset())
        return any(
            successor not in loop for number in loop for successor in flow.function.blocks[number].successors
        ) or any(isinstance(i, Return) for number in loop for i in flow.function.blocks[number].instrs)

    def _api_ends(self, caller: FunctionKey, call: Call) -> bool:
        modelled = self.modelled(caller, call)
        return modelled is not None and any(isinstance(effect, Exit | Raise) for effect in modelled.effects)

    def _call_ends(self, caller: FunctionKey, call: Call, depth: int) -> bool:
        if self._api_ends(caller, call):
            return True
        if self.modelled(caller, call) is not None:
            return False
        targets = self.program.targets(caller, call)
        return bool(targets) and all(self.never_returns(target, call.args, depth + 1) for target in targets)

    def lingers(self, key: FunctionKey, slots: bool = False) -> str:
        """What a call of ``key`` can wait in (an API's name, or ``a loop without a bound``), "" for nothing
        found. ``slots``: look through members and variables as well, which costs a search."""
        known = self._lingers.get((key, slots))
        if known is None:
            budget = [_LINGER_VISITS]
            known = self._lingers[(key, slots)] = self._find_linger(key, slots, 0, set(), budget)
        return known

    def _find_linger(
        self, key: FunctionKey, slots: bool, depth: int, seen: set[FunctionKey], budget: list[int]
    ) -> str:
        if (key, slots) in self._lingers:
            return self._lingers[(key, slots)]
        if key in seen or depth > _LINGER_DEPTH or budget[0] <= 0:
            return ""
        seen.add(key)
        budget[0] -= 1
        flow = self.flow(key)
        if flow is None:
            return ""
        below: list[FunctionKey] = []
        for number, block in enumerate(flow.function.blocks):
            if block.unbounded and not self._leaves(flow, number):
                return "a loop without a bound"
            for instr in block.instrs:
                if not isinstance(instr, Call):
                    continue
                modelled = self.modelled(key, instr)
                if modelled is not None:
                    if any(
                        isinstance(effect, Linger) and not effect.brief and not effect.lock
                        for effect in modelled.effects
                    ):
                        return modelled.api
                    continue
                below.extend(self.program.targets(key, instr))
                if slots:
                    below.extend(self.slots.targets(key, instr))
        for target in below:
            found = self._find_linger(target, slots, depth + 1, seen, budget)
            if found:
                return found
        return ""

    def closes_all(self, key: FunctionKey) -> bool:
        """Whether a function, or one it calls, closes every descriptor by number."""
        return self._below(key, self._closes_all, self._closes_all_here, CloseAll, 0)

    def executes(self, key: FunctionKey) -> bool:
        """Whether a function, or one it calls, replaces the process or makes a further one."""
        return self._below(key, self._executes, lambda _flow: False, Exec | Fork | Daemon, 0)

    def _closes_all_here(self, flow: Flow) -> bool:
        return any(sweep.path is None for sweeps in flow.sweeps.values() for sweep in sweeps)

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
        flow = self.flow(key)
        if flow is None:
            return False
        answer = here(flow)
        for block in flow.function.blocks:
            for instr in block.instrs:
                if answer or not isinstance(instr, Call):
                    continue
                modelled = self.modelled(key, instr)
                if modelled is not None:
                    answer = any(isinstance(effect, wanted) for effect in modelled.effects)
                else:
                    answer = any(
                        self._below(target, memo, here, wanted, depth + 1)
                        for target in self.program.targets(key, instr)
                    )
        memo[key] = answer
        return answer

    def changes_parameter(self, key: FunctionKey, position: int, depth: int = 0) -> bool:
        """Whether a function closes, copies, stores or hands on the descriptor it gets in a parameter."""
        known = self._changes.get((key, position))
        if known is not None:
            return known
        self._changes[(key, position)] = False
        flow = self.flow(key)
        answer = False
        if flow is not None and position < len(flow.params) and depth < _PARAMETER_DEPTH:
            answer = self._changes_local(flow.function, flow.params[position], depth)
        self._changes[(key, position)] = answer
        return answer

    def _changes_local(self, function: Function, name: str, depth: int) -> bool:
        for block in function.blocks:
            for instr in block.instrs:
                match instr:
                    case Assign(src=src) if _is_variable(src, name):
                        return True
                    case Return(value=value) if value is not None and _is_variable(value, name):
                        return True
                    case Call() if self.call_changes(function.key, instr, name, depth):
                        return True
                    case Unparsed(names=names) if name in names:
                        return True
                    case _:
                        pass
        return False

    def call_changes(self, caller: FunctionKey, call: Call, name: str, depth: int = 0) -> bool:
        """Whether a call does more with the variable ``name`` than use it."""
        positions = [index for index, argument in enumerate(call.args) if _is_variable(argument, name)]
        taken = any(isinstance(a, Address) and a.place.name == name and not a.place.fields for a in call.args)
        if not positions and not taken:
            return False
        modelled = self.modelled(caller, call)
        if modelled is not None:
            return changes(modelled, own=True)
        if taken:
            return True
        return any(
            self.changes_parameter(target, index, depth + 1)
            for target in self.program.targets(caller, call)
            for index in positions
        )

    def uses_parameter(self, key: FunctionKey, position: int) -> bool:
        """Whether a function gives the parameter to any call at all."""
        known = self._uses.get((key, position))
        if known is None:
            flow = self.flow(key)
            known = False
            if flow is not None and position < len(flow.params):
                name = flow.params[position]
                known = any(
                    operand_path(argument) is not None and operand_path(argument)[0] == name  # type: ignore[index]
                    for block in flow.function.blocks
                    for instr in block.instrs
                    if isinstance(instr, Call)
                    for argument in instr.args
                )
            self._uses[(key, position)] = known
        return known

    def frees_parameter(self, key: FunctionKey, position: int, depth: int = 0) -> bool:
        """Whether a function releases the memory that a parameter points to, itself or in a callee."""
        known = self._frees.get((key, position))
        if known is not None:
            return known
        self._frees[(key, position)] = False
        flow = self.flow(key)
        answer = False
        if flow is not None and position < len(flow.params) and depth < _PARAMETER_DEPTH:
            name = flow.params[position]
            answer = any(self._call_frees(key, call, name, depth) for call in flow.calls)
        self._frees[(key, position)] = answer
        return answer

    def deciders(self, key: FunctionKey, position: int, depth: int = 0) -> frozenset[int]:
        """The parameters whose value decides what becomes of parameter ``position``: ``request`` in a wrapper
        of ioctl."""
        known = self._deciders.get((key, position))
        if known is not None:
            return known
        self._deciders[(key, position)] = frozenset()
        flow = self.flow(key)
        found: set[int] = set()
        if flow is not None and position < len(flow.params) and depth < _PARAMETER_DEPTH:
            name = flow.params[position]
            for call in flow.calls:
                if any(_is_variable(argument, name) for argument in call.args):
                    found.update(self._deciding(flow, call, name, depth))
        self._deciders[(key, position)] = frozenset(found)
        return self._deciders[(key, position)]

    def _deciding(self, flow: Flow, call: Call, name: str, depth: int) -> list[int]:
        modelled = self.modelled(flow.key, call)
        if modelled is not None:
            wanted = set(modelled.wants)
        else:
            positions = [index for index, argument in enumerate(call.args) if _is_variable(argument, name)]
            wanted = {
                decider
                for target in self.program.targets(flow.key, call)
                for index in positions
                for decider in self.deciders(target, index, depth + 1)
            }
        given = [call.args[index] for index in wanted if index < len(call.args)]
        names = [operand.name for operand in given if isinstance(operand, Place)]
        return [flow.params.index(name) for name in names if name in flow.params]

    def _call_frees(self, caller: FunctionKey, call: Call, name: str, depth: int) -> bool:
        positions = [index for index, argument in enumerate(call.args) if _is_variable(argument, name)]
        if not positions:
            return False
        modelled = self.modelled(caller, call)
        if modelled is not None:
            return any(
                isinstance(effect, Free) and effect.pointer.arg in positions and not effect.pointer.fields
                for effect in modelled.effects
            )
        return any(
            self.frees_parameter(target, index, depth + 1)
            for target in self.program.targets(caller, call)
            for index in positions
        )


def changes(modelled: Resolved, own: bool) -> bool:
    """Whether an API does more to its descriptors than use them or wait; ``own`` counts a mapping as more."""
    harmless = Use | Linger | Exit | Exec | Inside | Migrate | Write | Grant
    if own:
        return any(not isinstance(effect, harmless) for effect in modelled.effects)
    return any(not isinstance(effect, harmless | Map) for effect in modelled.effects)


def _excluded(guard: Assume, given: Mapping[str, int]) -> bool:
    """Whether a guard on a parameter cannot hold for the value given."""
    value = given.get(guard.left.name) if not guard.left.fields else None
    if value is None or not isinstance(guard.right, Const) or guard.right.value is None:
        return False
    return not holds(guard.op, value, guard.right.value)


def _is_variable(operand: object, name: str) -> bool:
    return isinstance(operand, Place) and operand.name == name and not operand.fields
