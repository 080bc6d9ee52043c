"""Which list a call walks along, and on which one a record was put that has a function in that member.

In: a call, ``for (it = init_list; it; it = it->next) it->fn()``, and a function in a global record that is
put on a list by its address, ``add(&exit_list, &item)``. Out: whether those are different lists, both known.
"""

from vmfdlint.ir import (
    Address,
    Assign,
    Call,
    FuncRef,
    Function,
    FunctionKey,
    Instr,
    Member,
    Place,
    Root,
    places,
)
from vmfdlint.link.edges import Slot, belongs, slot_of
from vmfdlint.link.program import FILE, Program

_Head = tuple[str, str]
"""A global variable: the file that it is static in, and its name."""


class Chains:
    """Memoised list heads of calls and of functions in records."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._walked: dict[tuple[FunctionKey, Call], frozenset[_Head]] = {}
        self._put: dict[tuple[FunctionKey, Slot], frozenset[_Head]] = {}

    def apart(self, key: FunctionKey, slot: Slot, caller: FunctionKey, call: Call) -> bool:
        """Whether a call through a slot walks along another list than what has function ``key`` is on."""
        walked = self._heads_walked(caller, call)
        put = self._heads_put_on(key, slot) if walked else frozenset()
        return bool(put) and walked.isdisjoint(put)

    def _heads_walked(self, caller: FunctionKey, call: Call) -> frozenset[_Head]:
        """Where the variable that a call goes through begins; empty where that is not known."""
        known = self._walked.get((caller, call))
        if known is None:
            function = self._program.function(caller)
            base = call.target.base if isinstance(call.target, Member) else None
            plain = base is not None and base.root is Root.LOCAL and len(base.fields) == 1
            found = _beginnings(function, call, base.name) if function and base and plain else frozenset()
            known = self._walked[(caller, call)] = found
        return known

    def _heads_put_on(self, key: FunctionKey, slot: Slot) -> frozenset[_Head]:
        """The lists on which the global records of a file are put that have a function of it in a slot; empty
        where one is put nobody knows where."""
        known = self._put.get((key, slot))
        if known is None:
            known = self._put[(key, slot)] = self._find_heads(key, slot)
        return known

    def _holders(self, key: FunctionKey, item: str) -> dict[FunctionKey, None]:
        """The functions that name a record, or that a macro makes where it makes the record."""
        named = (
            *self._program.mentioning_in(key.path, item),
            *self._program.mentioning_in(key.path, key.name),
        )
        return dict.fromkeys(named)

    def _find_heads(self, key: FunctionKey, slot: Slot) -> frozenset[_Head]:
        table = self._program.function(FunctionKey(key.path, FILE))
        items = {
            instr.dst.name
            for instr in (table.instrs if table is not None else ())
            if isinstance(instr, Assign)
            and instr.src == FuncRef(key.name)
            and belongs(slot_of(instr.dst), slot)
        }
        found: set[_Head] = set()
        for item in sorted(items):
            for holder in self._holders(key, item):
                function = self._program.function(holder)
                for instr in function.instrs if function is not None else ():
                    if not isinstance(instr, Call) or not any(_is_item(one, item) for one in instr.args):
                        continue
                    named = {place for one in instr.args for place in places(one) if place.name != item}
                    heads = {_head(place) for place in named if place.is_global}
                    if not heads:
                        return frozenset()
                    found |= heads
        return frozenset(found)


def _is_item(argument: object, item: str) -> bool:
    return isinstance(argument, Address) and argument.place.is_global and argument.place.is_variable(item)


def _head(place: Place) -> _Head:
    return place.unit, place.name


def _beginnings(function: Function, call: Call, name: str) -> frozenset[_Head]:
    """The globals out of which a variable comes at a call, but for the steps that it takes from itself; empty
    where it comes out of anything else."""
    before: dict[int, list[int]] = {}
    for number, block in enumerate(function.blocks):
        for successor in block.successors:
            before.setdefault(successor, []).append(number)
    ways = [
        (number, block.instrs[:index])
        for number, block in enumerate(function.blocks)
        for index, instr in enumerate(block.instrs)
        if instr == call
    ]
    found: set[_Head] = set()
    seen: set[int] = set()
    while ways:
        number, instrs = ways.pop()
        setting = [instr for instr in instrs if _sets(instr, name)]
        source = setting[-1].src if setting and isinstance(setting[-1], Assign) else None
        if isinstance(source, Place) and source.is_global:
            found.add(_head(source))
            continue
        if number == 0 or setting:
            return frozenset()
        for earlier in before.get(number, ()):
            if earlier not in seen:
                seen.add(earlier)
                ways.append((earlier, function.blocks[earlier].instrs))
    return frozenset(found)


def _sets(instr: Instr, name: str) -> bool:
    """Whether a variable gets anything but what it leads to itself."""
    if not isinstance(instr, Assign | Call) or instr.dst is None or not instr.dst.is_variable(name):
        return False
    return not (isinstance(instr, Assign) and isinstance(instr.src, Place) and instr.src.name == name)
