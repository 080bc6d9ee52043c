"""The order of functions that constructors put on lists by priority: initcalls.

In: the call graph. Out: whether one entry of such a list runs before another. The priority is the one whole
number among the arguments of the call that registers the function, in a function with the attribute
``constructor`` (GCC manual, Common Function Attributes); small ones run first, as with the initcalls of the
Linux kernel and of kvmtool.
"""

from typing import NamedTuple

from vmfdlint.ir import Call, Const, FuncRef, FunctionKey, Named
from vmfdlint.link import CallGraph, Edge
from vmfdlint.summary import Relevance


class Priority(NamedTuple):
    """Where a function was registered: by which function, by which of its arguments, and with what number."""

    register: str
    position: int
    number: int


class Initcalls:
    """Priorities of registered functions, on demand."""

    def __init__(self, graph: CallGraph, relevance: Relevance) -> None:
        self._graph = graph
        self._relevance = relevance
        self._known: dict[FunctionKey, Priority | None] = {}

    def precedes(self, edge: Edge, making: frozenset[FunctionKey]) -> bool:
        """Whether what ``edge`` calls runs before each of ``making`` that the same call runs."""
        others = [key for key, _kind in self._relevance.edges.get(edge.site, {}) if key in making]
        own = self._priority(edge.callee)
        if own is None or not others:
            return False
        return all(
            other is not None and other[:2] == own[:2] and own.number < other.number
            for other in map(self._priority, others)
        )

    def _priority(self, key: FunctionKey) -> Priority | None:
        if key not in self._known:
            found = set(self._registrations(key))
            self._known[key] = found.pop() if len(found) == 1 else None
        return self._known[key]

    def _registrations(self, key: FunctionKey) -> list[Priority | None]:
        found: list[Priority | None] = []
        for holder in sorted(self._graph.named_by(key)[1]):
            function = self._graph.program.function(holder)
            if function is None or "constructor" not in function.attributes:
                continue
            for block in function.blocks:
                for call in block.instrs:
                    if isinstance(call, Call) and isinstance(call.target, Named) and _gives(call, key):
                        found.append(_numbered(call.target.name, call))
        return found


def _gives(call: Call, key: FunctionKey) -> bool:
    return any(isinstance(argument, FuncRef) and argument.name == key.name for argument in call.args)


def _numbered(register: str, call: Call) -> Priority | None:
    """The one number among the arguments; None where there is none, or more than one."""
    numbers = [
        Priority(register, position, argument.value)
        for position, argument in enumerate(call.args)
        if isinstance(argument, Const) and argument.value is not None
    ]
    return numbers[0] if len(numbers) == 1 else None
