"""Tables of records that name a text of interest: the mounts of an init program, one a row.

A loop over such a table calls with a member of an element that is not known; here the call is made with the
members of each.
"""

from collections.abc import Iterator
from functools import cached_property

from vmfdlint.ir import Assign, Const, FunctionKey, Operand, Place, Text
from vmfdlint.link import FILE
from vmfdlint.summary import Behaviour


class Records:
    """Answers for calls; ``keys`` are the functions and file levels that name a text of interest."""

    def __init__(self, behaviour: Behaviour, keys: set[FunctionKey]) -> None:
        self.behaviour = behaviour
        self.keys = keys

    def rows(self, operands: tuple[Operand, ...]) -> Iterator[tuple[Operand, ...]]:
        """The operands once for each element of a table of the record that two or more are members of."""
        members = [one.fields[-1] for one in operands if isinstance(one, Place) and one.fields]
        records = [member.record for member in members if member.record]
        record = max(records, key=records.count, default="")
        if records.count(record) < 2:
            return
        for element in self._elements.get(record, {}).values():
            yield tuple(
                element.get(one.fields[-1].name, one)
                if isinstance(one, Place) and one.fields and one.fields[-1].record == record
                else one
                for one in operands
            )

    def tables(self) -> frozenset[str]:
        """The names of the tables."""
        return frozenset(
            place.name.rsplit(".", 1)[-1] for elements in self._elements.values() for place in elements
        )

    @cached_property
    def _elements(self) -> dict[str, dict[Place, dict[str, Text | Const]]]:
        """For each record the elements of tables, with what their members hold."""
        found: dict[str, dict[Place, dict[str, Text | Const]]] = {}
        for instr in self._initials():
            *steps, member = instr.dst.fields or (None,)
            if member is None or not member.record or not steps or steps[-1].name[:1] != "[":
                continue
            element = Place(instr.dst.root, instr.dst.name, tuple(steps), instr.dst.unit)
            if isinstance(instr.src, Text | Const):
                found.setdefault(member.record, {}).setdefault(element, {})[member.name] = instr.src
        return found

    def _initials(self) -> Iterator[Assign]:
        """What variables start with: those of a file that names a text, the static ones of such a
        function."""
        for key in sorted(self.keys):
            function = self.behaviour.program.function(FunctionKey(key.path, FILE))
            whole = key.name == FILE
            for instr in function.instrs if function is not None else ():
                own = isinstance(instr, Assign) and instr.dst.name.startswith(f"{key.name}.")
                if isinstance(instr, Assign) and (whole or own):
                    yield instr
