"""The calls that go through a slot, or are given what is in it. A record that is not known on either side
matches any.

In: a slot. Out: the calls, with their sites; memoised, bounded; which functions to look into their text says.
"""

import re
from typing import NamedTuple

from vmfdlint.base import LIMITS
from vmfdlint.ir import Assign, Call, Function, FunctionKey, Indirect, Member, Place
from vmfdlint.link.edges import Site, Slot, belongs, slot_of
from vmfdlint.link.occurrences import member_sign, occurrences
from vmfdlint.link.program import FILE, Program
from vmfdlint.link.told import Told, text_question

_GIVEN = re.compile(rb"\s*(?:\)\s*)?[(;,]")


class _Uses(NamedTuple):
    """The calls through a slot, and those that are given what is in it, by the position of that."""

    calls: tuple[tuple[Site, Call], ...]
    given: tuple[tuple[Site, Call, int], ...]


class SlotCalls:
    """Memoised calls through members and elements of global arrays."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._known: dict[Slot, _Uses] = {}

    def of(self, slot: Slot) -> tuple[tuple[Site, Call], ...]:
        """Every call through a slot."""
        return self._uses(slot).calls

    def given(self, slot: Slot) -> tuple[tuple[Site, Call, int], ...]:
        """The calls that are given what is in a slot, with its position among their arguments."""
        return self._uses(slot).given

    def _uses(self, slot: Slot) -> _Uses:
        known = self._known.get(slot)
        if known is None:
            known = self._known[slot] = self._find(slot)
        return known

    def _find(self, slot: Slot) -> _Uses:
        calls: list[tuple[Site, Call]] = []
        given: list[tuple[Site, Call, int]] = []
        mentions = self._mentions(slot)
        if len(mentions) > LIMITS.slot_mentions:
            self.program.limit(
                f"{slot.record}.{slot.field}: of {len(mentions):,} functions that may call it the first "
                f"{LIMITS.slot_mentions:,} were looked into"
            )
        for key in mentions[: LIMITS.slot_mentions]:
            function = self.program.function(key)
            if function is not None:
                uses = _uses(function, slot)
                calls.extend(uses.calls)
                given.extend(uses.given)
        if len(calls) > LIMITS.climb_callers:
            self.program.limit(
                f"{slot.record}.{slot.field}: of {len(calls):,} calls the first "
                f"{LIMITS.climb_callers} were followed"
            )
        return _Uses(tuple(calls[: LIMITS.climb_callers]), tuple(given[: LIMITS.climb_callers]))

    def _mentions(self, slot: Slot) -> tuple[FunctionKey, ...]:
        """Functions whose text calls through the slot's member, or copies it into a variable."""
        if slot.record.startswith("@"):
            return tuple(key for key in self.program.mentioning(slot.record[1:]) if key.name != FILE)
        lexicon = self.program.lexicon
        seeing = lexicon.sight("types", slot.record.split(".")[0])
        paths = (path for path in lexicon.files_with(slot.field) if path in seeing)
        return tuple(FunctionKey(path, name) for path in paths for name in self.picking(path, slot.field))

    @property
    def told(self) -> Told | None:
        """See :class:`vmfdlint.link.told.Told`."""
        return self.program.told

    @text_question
    def picking(self, path: str, field: str) -> tuple[str, ...]:
        """The functions of a file whose text calls or copies a member of this name."""
        name = field.encode()
        data = self.program.lexicon.source(path).data
        found: dict[str, None] = {}
        for at in occurrences(data, name):
            member = member_sign(data, at)
            if member < 0 or not _GIVEN.match(data, at + len(name)):
                continue
            here = self.program.enclosing(path, member)
            if here is not None:
                found[here.name] = None
        return tuple(found)


def _uses(function: Function, slot: Slot) -> _Uses:
    """The calls in one function that go through ``slot`` or are given what is in it, also by way of a
    local."""
    copies: set[Place] = set()
    found: list[tuple[Site, Call]] = []
    given: list[tuple[Site, Call, int]] = []

    def is_slot(place: Place) -> bool:
        slotted = place.fields or place.is_global
        return place in copies or bool(slotted and belongs(slot_of(place), slot))

    for number, block in enumerate(function.blocks):
        for index, instr in enumerate(block.instrs):
            site = Site(function.key, number, index)
            match instr:
                case Assign(dst=dst, src=Place() as src) if not dst.fields and belongs(slot_of(src), slot):
                    copies.add(dst)
                case Call(target=Member(record=record, field=field)):
                    if belongs(Slot(record, field), slot):
                        found.append((site, instr))
                case Call(target=Indirect(place=place)):
                    if is_slot(place):
                        found.append((site, instr))
                case Call(args=args):
                    given += (
                        (site, instr, position)
                        for position, argument in enumerate(args)
                        if isinstance(argument, Place) and is_slot(argument)
                    )
                case _:
                    pass
    return _Uses(tuple(found), tuple(given))
