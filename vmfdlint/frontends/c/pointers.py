"""Pointers that are set once: what goes through them goes to what they point to.

In: a lowered function. Out: the same without detours: where ``struct m *m = opaque`` is all that ``m`` ever
is, ``m->vm`` is the caller's; where ``int *p = &fd`` is all that ``p`` ever is, ``*p`` is ``fd``.
"""

from collections import Counter
from collections.abc import Mapping

import msgspec

from vmfdlint.ir import (
    Address,
    Assign,
    Assume,
    Block,
    Call,
    Flags,
    Function,
    Indirect,
    Instr,
    Member,
    Opaque,
    Operand,
    Place,
    Return,
    Root,
    Unparsed,
    places_named,
    reads,
)


def straight(function: Function) -> Function:
    """The function with its pointers followed, as far as they are set once and nobody has their address."""
    unset, once = _set(function)
    if not once:
        return function
    types = dict(function.local_types)
    names: dict[str, str] = {}
    pointed: dict[str, Place] = {}
    for name, source in once.items():
        match source:
            case Place(name=given, fields=()) if given in function.params and given in unset:
                names[name] = given
                types.setdefault(given, types.get(name, ""))
            case Address(place=place) if not any(step.deref or "[" in step.name for step in place.fields):
                pointed[name] = place
            case _:
                pass
    if not names and not pointed:
        return function
    follow = _Follow(names, pointed)
    return msgspec.structs.replace(
        function,
        blocks=tuple(follow.block(block) for block in function.blocks),
        local_types=tuple((name, record) for name, record in types.items() if record),
    )


def _set(function: Function) -> tuple[frozenset[str], dict[str, Operand]]:
    """The locals that nothing sets, and those that one assignment sets, with what to; of those whose address
    is nowhere."""
    times: Counter[str] = Counter()
    sources: dict[str, Operand] = {}
    hidden: set[str] = set()
    for instr in function.instrs:
        match instr:
            case Assign(dst=Place(root=Root.LOCAL, name=name, fields=()), src=src):
                times[name] += 1
                sources[name] = src
            case Call(dst=Place(root=Root.LOCAL, name=name, fields=())):
                times[name] += 2
            case Unparsed(names=names):
                hidden.update(names)
            case _:
                pass
        for operand in reads(instr):
            if isinstance(operand, Address) and operand.place.root is Root.LOCAL and not operand.place.fields:
                hidden.add(operand.place.name)
    unset = frozenset(name for name in function.params if not times[name] and name not in hidden)
    once = {
        name: source
        for name, source in sources.items()
        if times[name] == 1 and name not in hidden and name not in function.params
    }
    return unset, once


class _Follow:
    """Puts what is pointed to in the place of a way through a pointer."""

    def __init__(self, names: Mapping[str, str], pointed: Mapping[str, Place]) -> None:
        self._names = names
        self._pointed = pointed

    def block(self, block: Block) -> Block:
        """A block of the function."""
        instrs = tuple(map(self._instr, block.instrs))
        return block if instrs == block.instrs else msgspec.structs.replace(block, instrs=instrs)

    def _instr(self, instr: Instr) -> Instr:
        if not any(self._concerns(place) for place in places_named(instr)):
            return instr
        match instr:
            case Assign(dst=dst, src=src):
                return msgspec.structs.replace(instr, dst=self._stored(dst), src=self._operand(src))
            case Call(dst=dst, target=target, args=args):
                if isinstance(target, Member):
                    target = msgspec.structs.replace(target, base=self._place(target.base))
                elif isinstance(target, Indirect):
                    target = msgspec.structs.replace(target, place=self._place(target.place))
                return msgspec.structs.replace(
                    instr,
                    dst=None if dst is None else self._stored(dst),
                    target=target,
                    args=tuple(map(self._operand, args)),
                )
            case Assume(left=left, right=right):
                return msgspec.structs.replace(instr, left=self._place(left), right=self._operand(right))
            case Return(value=value):
                return msgspec.structs.replace(instr, value=None if value is None else self._operand(value))
            case _:
                return instr

    def _concerns(self, place: Place) -> bool:
        return place.root is Root.LOCAL and (place.name in self._names or place.name in self._pointed)

    def _stored(self, dst: Place) -> Place:
        """Where something is put: the pointer itself stays what is set."""
        return self._place(dst) if dst.fields else dst

    def _operand(self, operand: Operand) -> Operand:
        match operand:
            case Place(root=Root.LOCAL, name=name, fields=()) if name in self._pointed:
                return Address(self._pointed[name])
            case Place():
                return self._place(operand)
            case Address(place=place):
                return Address(self._place(place))
            case Flags(base=base):
                return msgspec.structs.replace(operand, base=self._place(base))
            case Opaque(of=Place() as inner):
                return msgspec.structs.replace(operand, of=self._place(inner))
            case _:
                return operand

    def _place(self, place: Place) -> Place:
        if place.root is not Root.LOCAL:
            return place
        if place.name in self._names:
            return msgspec.structs.replace(place, name=self._names[place.name])
        target = self._pointed.get(place.name)
        if target is None or not place.fields or not place.fields[0].deref:
            return place
        first = place.fields[0]
        inside = () if first.name == "*" else (msgspec.structs.replace(first, deref=False),)
        return msgspec.structs.replace(target, fields=(*target.fields, *inside, *place.fields[1:]))
