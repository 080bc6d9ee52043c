"""What a call through a member or a variable runs: asked downwards, for the few calls where that matters.

In: a call. Out: the functions stored in the member, the table or the variable it goes through, or given to
the parameter. Bounded; a record that is not known is not searched for.
"""

import re

from vmfdlint.base import LIMITS
from vmfdlint.ir import Assign, Call, FuncRef, Function, FunctionKey, Indirect, Member, Named, Place
from vmfdlint.link.chains import Chains
from vmfdlint.link.edges import Slot, slot_of
from vmfdlint.link.program import FILE, Program
from vmfdlint.link.told import Told, text_question

_DEPTH = 3


class Slots:
    """Memoised targets of calls that name no function."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._chains = Chains(program)
        self._stored: dict[Slot, tuple[FunctionKey, ...]] = {}
        self._given: dict[tuple[FunctionKey, int], tuple[FunctionKey, ...]] = {}

    def targets(self, caller: FunctionKey, call: Call) -> tuple[FunctionKey, ...]:
        """The functions behind a call through a member or a variable, sorted; () for a call by name."""
        function = self.program.function(caller)
        match call.target:
            case Member(record=record, field=field):
                slot = Slot(record, field)
                behind = self._in_slot(slot)
                return tuple(key for key in behind if not self._chains.apart(key, slot, caller, call))
            case Indirect(place=place) if function is not None:
                return tuple(sorted(self._behind(function, place, 0)))
            case _:
                return ()

    def _behind(self, function: Function, place: Place, depth: int) -> set[FunctionKey]:
        slot = slot_of(place)
        if slot is not None:
            return set(self._in_slot(slot))
        found: set[FunctionKey] = set()
        if depth > _DEPTH or place.is_global:
            return found
        for block in function.blocks:
            for instr in block.instrs:
                if not isinstance(instr, Assign) or instr.dst != place:
                    continue
                if isinstance(instr.src, FuncRef):
                    found.update(self.program.resolve(instr.src.name, function.key.path))
                elif isinstance(instr.src, Place):
                    found.update(self._behind(function, instr.src, depth + 1))
        if not place.fields and place.name in function.params:
            found.update(self._passed(function.key, function.params.index(place.name)))
        return found

    def _in_slot(self, slot: Slot) -> tuple[FunctionKey, ...]:
        known = self._stored.get(slot)
        if known is None:
            known = self._stored[slot] = self._find_stored(slot) if slot.record else ()
        return known

    def _find_stored(self, slot: Slot) -> tuple[FunctionKey, ...]:
        found: set[FunctionKey] = set()
        for holder in self._storing(slot):
            function = self.program.function(holder)
            for instr in function.instrs if function is not None else ():
                if not isinstance(instr, Assign) or not _is(instr.dst, slot):
                    continue
                if isinstance(instr.src, FuncRef):
                    found.update(self.program.resolve(instr.src.name, holder.path))
                elif isinstance(instr.src, Place) and function is not None:
                    found.update(self._given_to(function, instr.src))
        return tuple(sorted(found)[: LIMITS.slot_targets])

    def _given_to(self, function: Function, place: Place) -> tuple[FunctionKey, ...]:
        """What callers give to a parameter that a function stores: ``d->fn = fn``."""
        if place.fields or place.name not in function.params:
            return ()
        return self._passed(function.key, function.params.index(place.name))

    def _storing(self, slot: Slot) -> list[FunctionKey]:
        """File levels that have a table of the record, and functions that assign to the member."""
        lexicon = self.program.lexicon
        if slot.record.startswith("@"):
            name = slot.record[1:]
            return [FunctionKey(path, FILE) for path in lexicon.files_with(name)[: LIMITS.slot_targets]]
        found: dict[FunctionKey, None] = {}
        with_record = lexicon.files_with(slot.record.split(".")[0])
        for path in with_record[: LIMITS.slot_targets]:
            if path.endswith(".c"):
                found[FunctionKey(path, FILE)] = None
        for path in lexicon.files_with(slot.field)[: LIMITS.slot_targets]:
            found.update((FunctionKey(path, name), None) for name in self.assigning(path, slot.field))
        return list(found)

    @property
    def told(self) -> Told | None:
        """See :class:`vmfdlint.link.told.Told`."""
        return self.program.told

    @text_question
    def assigning(self, path: str, field: str) -> tuple[str, ...]:
        """The functions of a file (or its file level) whose text assigns to a member of this name."""
        pattern = re.compile(rb"(?:->|\.)\s*" + re.escape(field.encode()) + rb"\s*=[^=]")
        found: dict[str, None] = {}
        for match in pattern.finditer(self.program.lexicon.source(path).data):
            here = self.program.enclosing(path, match.start())
            found[here.name if here is not None else FILE] = None
        return tuple(found)

    def _passed(self, key: FunctionKey, position: int) -> tuple[FunctionKey, ...]:
        """The functions that callers give to a parameter: by name, out of a table or a variable."""
        known = self._given.get((key, position))
        if known is not None:
            return known
        self._given[(key, position)] = ()  # what hands it to itself gives nothing new
        found: set[FunctionKey] = set()
        for holder in self.program.mentioning(key.name)[: LIMITS.climb_callers]:
            function = self.program.function(holder)
            for block in function.blocks if function is not None else ():
                for instr in block.instrs:
                    if not isinstance(instr, Call) or instr.target != Named(key.name):
                        continue
                    given = instr.args[position] if position < len(instr.args) else None
                    if given is None or key not in self.program.resolve(key.name, holder.path):
                        continue
                    if isinstance(given, FuncRef):
                        found.update(self.program.resolve(given.name, holder.path))
                    elif isinstance(given, Place) and function is not None:
                        found.update(self._behind(function, given, 0))
        self._given[(key, position)] = tuple(sorted(found))
        return self._given[(key, position)]


def _is(place: Place, slot: Slot) -> bool:
    found = slot_of(place)
    return found is not None and (found.record, found.field) == (slot.record, slot.field)
