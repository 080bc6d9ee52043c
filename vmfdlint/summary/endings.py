"""Whether a call comes back: it does not where it ends the process or the thread, or loops for ever; and
whether it may do so by an exception.

In: a function key and the arguments of a call. Out: memoised answers, found by looking down the call graph
with a bound.
"""

from collections.abc import Mapping

from vmfdlint.ir import (
    Assume,
    Call,
    Const,
    FunctionKey,
    Operand,
    Return,
    holds,
)
from vmfdlint.models import Exit, Raise
from vmfdlint.summary.bodies import Bodies
from vmfdlint.summary.flow import Flow
from vmfdlint.summary.raised import Raised, asks_for_raise, raises

_DEPTH = 4


class Endings:
    """Memoised answers on functions that do not return."""

    def __init__(self, bodies: Bodies) -> None:
        self.bodies = bodies
        self._noreturn: dict[tuple[FunctionKey, tuple[tuple[str, int], ...], bool], bool] = {}
        self.raised = Raised(bodies, self._api_ends)

    def never_returns(self, key: FunctionKey, args: tuple[Operand, ...], depth: int = 0) -> bool:
        """Whether a call of ``key`` with ``args`` ends the process or the thread: ``check(false)`` may where
        ``check(n > 0)`` need not."""
        if self._never(key, args, depth, normally=False):
            return True
        flow = self.bodies.flow(key)
        catches = flow is not None and flow.counts_references  # a language of exceptions
        return catches and self.only_raises(key, args, depth) and not self.raises(key)

    def only_raises(self, key: FunctionKey, args: tuple[Operand, ...], depth: int = 0) -> bool:
        """Whether a call of ``key`` with ``args`` comes back by an exception, if it does at all."""
        return self._never(key, args, depth, normally=True)

    def _never(self, key: FunctionKey, args: tuple[Operand, ...], depth: int, normally: bool) -> bool:
        """``normally``: a return by an exception is none."""
        flow = self.bodies.flow(key)
        if flow is None or depth >= _DEPTH:
            return False
        given = {
            name: argument.value
            for name, argument in zip(flow.params, args, strict=False)
            if isinstance(argument, Const) and argument.value is not None
            if (name,) in flow.tested and name not in flow.assigned
        }
        question = (key, tuple(sorted(given.items())), normally)
        known = self._noreturn.get(question)
        if known is not None:
            return known
        self._noreturn[question] = False
        answer = "noreturn" in flow.function.attributes or not self._reaches_return(
            flow, given, depth, normally
        )
        self._noreturn[question] = answer
        return answer

    def raises(self, key: FunctionKey) -> bool:
        """Whether a call of ``key`` can end by an exception: one that it raises itself, or that a call in it
        does and nothing in it handles."""
        return bool(self.raised.by(key))

    def _reaches_return(self, flow: Flow, given: Mapping[str, int], depth: int, normally: bool) -> bool:
        """Whether some path that the ``given`` parameters allow reaches a return; only the last call before
        one is looked into, and in a language of exceptions every call."""
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
                if normally and raises(instr):
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
            if blocks[number].unbounded and not leaves(flow, number):
                continue
            only = False
            if last is not None and flow.may_raise(number, len(blocks[number].instrs) - 1):
                if self._call_ends(flow.key, last, depth):
                    continue
                only = self._call_only_raises(flow.key, last, depth)
            for successor in blocks[number].successors:
                if successor not in seen and not (only and not asks_for_raise(flow, successor)):
                    seen.add(successor)
                    stack.append(successor)
        return False

    def _api_ends(self, caller: FunctionKey, call: Call) -> bool:
        modelled = self.bodies.modelled(caller, call)
        return modelled is not None and any(isinstance(effect, Exit | Raise) for effect in modelled.effects)

    def _call_ends(self, caller: FunctionKey, call: Call, depth: int) -> bool:
        if self._api_ends(caller, call):
            return True
        if self.bodies.modelled(caller, call) is not None:
            return False
        targets = self.bodies.program.targets(caller, call)
        return bool(targets) and all(self.never_returns(target, call.args, depth + 1) for target in targets)

    def _call_only_raises(self, caller: FunctionKey, call: Call, depth: int) -> bool:
        if self.bodies.modelled(caller, call) is not None:
            return False
        targets = self.bodies.program.targets(caller, call)
        return bool(targets) and all(self.only_raises(target, call.args, depth + 1) for target in targets)


def leaves(flow: Flow, head: int) -> bool:
    """Whether a way leads out of the loop that block ``head`` lies in."""
    loop = next((loop for loop in flow.loops if head in loop), frozenset())
    return any(
        successor not in loop for number in loop for successor in flow.function.blocks[number].successors
    ) or any(isinstance(i, Return) for number in loop for i in flow.function.blocks[number].instrs)


def _excluded(guard: Assume, given: Mapping[str, int]) -> bool:
    """Whether a guard on a parameter cannot hold for the value given."""
    value = given.get(guard.left.name) if not guard.left.fields else None
    if value is None or not isinstance(guard.right, Const) or guard.right.value is None:
        return False
    return not holds(guard.op, value, guard.right.value)
