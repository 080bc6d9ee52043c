"""The calls that go through a slot. A record that is not known on either side matches any.

In: a slot. Out: the calls, with their sites; memoised, bounded; which functions to look into their text says.
"""

import re

from vmfdlint.base import LIMITS
from vmfdlint.ir import Assign, Call, Function, FunctionKey, Indirect, Member, Place
from vmfdlint.link.edges import Site, Slot, belongs, slot_of
from vmfdlint.link.occurrences import member_sign, occurrences
from vmfdlint.link.program import FILE, Program
from vmfdlint.link.told import Told, text_question

_GIVEN = re.compile(rb"\s*(?:\)\s*)?[(;,]")


class SlotCalls:
    """Memoised calls through members and elements of global arrays."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._known: dict[Slot, tuple[tuple[Site, Call], ...]] = {}

    def of(self, slot: Slot) -> tuple[tuple[Site, Call], ...]:
        """Every call through a slot."""
        known = self._known.get(slot)
        if known is None:
            known = self._known[slot] = self._find(slot)
        return known

    def _find(self, slot: Slot) -> tuple[tuple[Site, Call], ...]:
        calls: list[tuple[Site, Call]] = []
        mentions = self._mentions(slot)
        if len(mentions) > LIMITS.slot_mentions:
            self.program.limit(
                f"{slot.record}.{slot.field}: of {len(mentions):,} functions that may call it the first "
                f"{LIMITS.slot_mentions:,} were looked into"
            )
        for key in mentions[: LIMITS.slot_mentions]:
            function = self.program.function(key)
            if function is not None:
                calls.extend(_calls_through(function, slot))
        if len(calls) > LIMITS.climb_callers:
            self.program.limit(
                f"{slot.record}.{slot.field}: of {len(calls):,} calls the first "
                f"{LIMITS.climb_callers} were followed"
            )
        return tuple(calls[: LIMITS.climb_callers])

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


def _calls_through(function: Function, slot: Slot) -> list[tuple[Site, Call]]:
    """The calls in one function that go through ``slot``, also by way of a local."""
    copies: set[Place] = set()
    found: list[tuple[Site, Call]] = []
    for number, block in enumerate(function.blocks):
        for index, instr in enumerate(block.instrs):
            match instr:
                case Assign(dst=dst, src=Place() as src) if not dst.fields and belongs(slot_of(src), slot):
                    copies.add(dst)
                case Call(target=Member(record=record, field=field)):
                    if belongs(Slot(record, field), slot):
                        found.append((Site(function.key, number, index), instr))
                case Call(target=Indirect(place=place)):
                    slotted = place.fields or place.is_global
                    if place in copies or (slotted and belongs(slot_of(place), slot)):
                        found.append((Site(function.key, number, index), instr))
                case _:
                    pass
    return found
