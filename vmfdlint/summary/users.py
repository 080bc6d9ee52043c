"""What a function does for the last user of an object, also where another function counts them.

In: the bodies of a program. Out: memoised answers.
"""

from collections.abc import Mapping

import msgspec

from vmfdlint.ir import Address, Assume, Call, FunctionKey, Operand, Place
from vmfdlint.summary.bodies import Bodies
from vmfdlint.summary.counts import Answer, count_of, ends_with
from vmfdlint.summary.flow import Flow
from vmfdlint.summary.paths import Path


class Users:
    """Which blocks run only where a number of users came to its end."""

    def __init__(self, bodies: Bodies) -> None:
        self._bodies = bodies
        self._last: dict[FunctionKey, Mapping[int, Path]] = {}

    def last(self, key: FunctionKey) -> Mapping[int, Path]:
        """Such blocks of a function, with the name of the number (``count_of``)."""
        known = self._last.get(key)
        if known is None:
            flow = self._bodies.flow(key)
            known = self._last[key] = {} if flow is None else {**self._by_callees(flow), **flow.last_user}
        return known

    def _by_callees(self, flow: Flow) -> dict[int, Path]:
        found: dict[int, Path] = {}
        for number, block in enumerate(flow.function.blocks):
            for instr in block.instrs:
                name = self._asked(flow, instr) if isinstance(instr, Assume) else None
                if name is not None:
                    found.update((each, name) for each in flow.behind(number))
        return found

    def _asked(self, flow: Flow, test: Assume) -> Path | None:
        """The number that a callee stepped, and whose end a test of its answer finds."""
        sources = [] if test.left.fields else flow.sources(test.left)
        call = sources[0] if len(sources) == 1 else None
        if not isinstance(call, Call):
            return None
        for target in self._bodies.program.targets(flow.key, call):
            callee = self._bodies.flow(target)
            answer = callee.answer if callee is not None else None
            if answer is not None and answer.position < len(call.args) and ends_with(test, answer):
                return count_of(place) if (place := _place(call.args[answer.position], answer)) else None
        return None


def _place(given: Operand, answer: Answer) -> Place | None:
    """The number as the caller names it."""
    if isinstance(given, Address):
        first, *rest = answer.fields
        inside = () if first.name == "*" else (msgspec.structs.replace(first, deref=False),)
        return msgspec.structs.replace(given.place, fields=(*given.place.fields, *inside, *rest))
    if isinstance(given, Place):
        return msgspec.structs.replace(given, fields=(*given.fields, *answer.fields))
    return None
