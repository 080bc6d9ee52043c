"""Where the collections are discarded that were given a function for their elements, and which that is.

In: a function, a place in it that has such a collection. Out: the calls that discard it, with their sites: of
the function itself, of those that it hands the collection to, and where a member or a global has it, of all
that name that. Or the functions that it was given, in the same way.
"""

from collections.abc import Iterable, Iterator
from functools import cached_property

from vmfdlint.base import LIMITS
from vmfdlint.ir import Address, Assign, Call, FuncRef, Function, FunctionKey, Named, Operand, Place, Root
from vmfdlint.link.edges import Site, Slot, belongs, slot_of
from vmfdlint.link.program import FILE, Program
from vmfdlint.models import Callback, Discard, Models, resolve

_DEPTH = 3
"""Functions that a collection is handed down through."""


class Collections:
    """Memoised calls that discard what is in a member or a global."""

    def __init__(self, program: Program, models: Models) -> None:
        self.program = program
        self.models = models
        self._slots: dict[Slot, tuple[Site, ...]] = {}

    def discards(self, function: Function, place: Place, depth: int = 0) -> Iterator[Site]:
        """The calls that discard the collection in ``place``."""
        places = _copies(function, place)
        for slot in {slot for one in places if (slot := slot_of(one)) is not None}:
            yield from self._of_slot(slot)
        for site, call in _calls(function):
            given = [index for index, one in enumerate(call.args) if _place(one) in places]
            if not given or not isinstance(call.target, Named):
                continue
            modelled = resolve(self.models, call.target.name, call.args)
            if modelled is None and depth < _DEPTH:
                for target in self.program.resolve(call.target.name, function.key.path):
                    yield from self._handed(target, given, depth + 1)
            for effect in modelled.effects if modelled is not None else ():
                if isinstance(effect, Discard) and effect.of.arg in given:
                    yield site

    def given(self, function: Function, place: Place) -> Iterator[FunctionKey]:
        """The functions that the collection in ``place`` was given."""
        slot = slot_of(place)
        named = self._naming(slot, self._givers) if slot is not None else []
        for key in dict.fromkeys((function.key, *named)):
            holder = self.program.function(key)
            for _site, call in _calls(holder) if holder is not None else ():
                for of, name in self._gives(call):
                    same = of == place if slot is None or of is None else belongs(slot_of(of), slot)
                    if same:
                        yield from self.program.resolve(name, key.path)

    def _gives(self, call: Call) -> Iterator[tuple[Place | None, str]]:
        """The collections that a call gives a function, with the function's name."""
        name = call.target.name if isinstance(call.target, Named) else ""
        modelled = resolve(self.models, name, call.args) if name in self._givers else None
        for effect in modelled.effects if modelled is not None else ():
            if isinstance(effect, Callback) and effect.of is not None and effect.function.arg is not None:
                of = call.dst if effect.of.arg is None else _place(call.args[effect.of.arg])
                given = call.args[effect.function.arg] if effect.function.arg < len(call.args) else None
                if isinstance(given, FuncRef):
                    yield of, given.name

    def _handed(self, target: FunctionKey, positions: list[int], depth: int) -> Iterator[Site]:
        callee = self.program.function(target)
        for position in positions:
            if callee is not None and position < len(callee.params):
                yield from self.discards(callee, Place(Root.LOCAL, callee.params[position]), depth)

    def _of_slot(self, slot: Slot) -> tuple[Site, ...]:
        known = self._slots.get(slot)
        if known is None:
            self._slots[slot] = ()  # one that is handed down ends where it began
            naming = self._naming(slot, self._apis)
            found = dict.fromkeys(site for key in naming for site in self._in(key, slot))
            known = self._slots[slot] = tuple(found)
        return known

    def _in(self, key: FunctionKey, slot: Slot) -> Iterator[Site]:
        """The calls in one function that discard what is in a slot, also by way of a variable."""
        function = self.program.function(key)
        for place in sorted(_named(function, slot)) if function is not None else ():
            if function is not None:
                yield from self.discards(function, place)

    def _naming(self, slot: Slot, apis: Iterable[str]) -> list[FunctionKey]:
        """The functions whose text names a slot and one of some calls."""
        name = slot.record[1:] if slot.record.startswith("@") else slot.field
        found: list[FunctionKey] = []
        for path in self.program.lexicon.files_with(name):
            here = {key for key in self.program.mentioning_in(path, name) if key.name != FILE}
            for api in apis if here else ():
                found += sorted(here.intersection(self.program.mentioning_in(path, api)))
        return list(dict.fromkeys(found))[: LIMITS.slot_mentions]

    @cached_property
    def _givers(self) -> list[str]:
        return sorted(self.models.running_names("discard"))

    @cached_property
    def _apis(self) -> list[str]:
        return sorted(self.models.names_with(Discard))


def _calls(function: Function) -> Iterator[tuple[Site, Call]]:
    for number, block in enumerate(function.blocks):
        for index, instr in enumerate(block.instrs):
            if isinstance(instr, Call):
                yield Site(function.key, number, index), instr


def _place(operand: Operand) -> Place | None:
    """The variable that an argument is, or whose address it is."""
    if isinstance(operand, Address):
        return operand.place
    return operand if isinstance(operand, Place) else None


def _named(function: Function, slot: Slot) -> set[Place]:
    """The places of a slot that a function reads."""
    found: set[Place] = set()
    for instr in function.instrs:
        match instr:
            case Assign(src=Place() as src) if belongs(slot_of(src), slot):
                found.add(src)
            case Call(args=args):
                places = (place for place in map(_place, args) if place is not None)
                found.update(place for place in places if belongs(slot_of(place), slot))
            case _:
                pass
    return found


def _copies(function: Function, place: Place) -> set[Place]:
    """The places of a function that have what one of them has."""
    found = {place}
    for instr in function.instrs:
        if isinstance(instr, Assign) and isinstance(instr.src, Place) and instr.src in found:
            found.add(instr.dst)
    return found
