"""The functions of a program, prepared, and what models say of the calls in them.

In: a program and models. Out: memoised flows, and calls with their effects. What is asked of whole functions
builds on this (endings, effects_below, parameters).
"""

from collections.abc import Callable, Iterator
from types import UnionType

from vmfdlint.ir import Call, FunctionKey, Named, Operand
from vmfdlint.link import Program, Slots
from vmfdlint.models import Models, Port, Resolved, resolve
from vmfdlint.summary.flow import Flow


class Bodies:
    """The bodies of functions, by key."""

    def __init__(self, program: Program, models: Models) -> None:
        self.program = program
        self.models = models
        self.slots = Slots(program)
        self._flows: dict[FunctionKey, Flow | None] = {}

    def flow(self, key: FunctionKey) -> Flow | None:
        """The prepared function, None where there is no such definition."""
        if key not in self._flows:
            function = self.program.function(key)
            managed = self.program.bound(key.path) is not None
            self._flows[key] = Flow(function, self.models, managed) if function is not None else None
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
        if self.program.bound(caller.path) and self.program.resolve(call.target.name, caller.path):
            return None  # the front-end has bound it: a module of the tree may be called like a library
        args = self.models.ordered(call).args
        found = resolve(self.models, call.target.name, args, read, lambda one: self._made(caller, one))
        if found is None:
            return None
        if self.program.bound(caller.path) is not None:
            # Its name was bound: one of the tree's own is none of a library's.
            return None if self.program.resolve(call.target.name, caller.path) else found
        bodies = self.program.lexicon.defined("functions", call.target.name)
        yields = bodies and (caller.path in bodies or not found.effects)
        if yields and self.program.resolve(call.target.name, caller.path):
            return None
        return found

    def _made(self, caller: FunctionKey, operand: Operand) -> str:
        """The call that an operand came from, as conditions of models speak of it."""
        flow = self.flow(caller)
        return flow.provenance(operand) if flow is not None else ""

    def calls_with(self, key: FunctionKey, wanted: type | UnionType) -> Iterator[tuple[Call, Resolved]]:
        """The calls in the body of ``key`` that a model gives an effect of a ``wanted`` type."""
        flow = self.flow(key)
        for call in flow.calls if flow is not None else ():
            modelled = self.modelled(key, call)
            if modelled is not None and any(isinstance(effect, wanted) for effect in modelled.effects):
                yield call, modelled
