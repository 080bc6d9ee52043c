"""Waits for a message: whether whoever has got one waits for the next.

In: a function and a call in it. Out: yes or no. A parent that reads one word of its child and ends does not
outlive it; one that relays what the child says until that ends does.
"""

from vmfdlint.ir import Assume, Call, Const, holds
from vmfdlint.summary.flow import Flow


def waits_again(flow: Flow, block: int, index: int) -> bool:
    """Whether the call at ``index`` of ``block`` can run again after it succeeded. A loop that goes on after
    a failure alone (``while (n < 0 && errno == EINTR)``) does not count."""
    if block not in flow.looping:
        return False
    call = flow.function.blocks[block].instrs[index]
    todo = [(block, index + 1)]
    seen: set[int] = set()
    while todo:
        number, start = todo.pop()
        here = flow.function.blocks[number]
        if number == block and start == 0:
            return True
        if any(isinstance(instr, Assume) and _after_failure(instr, call) for instr in here.instrs[start:]):
            continue
        todo += [(each, 0) for each in here.successors if each not in seen]
        seen.update(here.successors)
    return False


def _after_failure(guard: Assume, call: object) -> bool:
    """Whether a guard lets only a failed call pass: one that gave less than it was asked for."""
    if not isinstance(call, Call) or guard.left != call.dst:
        return False
    if not isinstance(guard.right, Const) or guard.right.value is None:
        return False
    return not holds(guard.op, max(guard.right.value, 1), guard.right.value)
