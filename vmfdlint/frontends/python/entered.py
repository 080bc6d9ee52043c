"""A manager of the library that gives itself, ``with ExitStack() as stack``: one object with one name.

In: a bound function. Out: the same, where what is stored under the one name is there under the other.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import msgspec

from vmfdlint.frontends.python.types import TYPES
from vmfdlint.ir import Assign, Call, Function, Instr, Named, Place, Root


def one_name(function: Function) -> Function:
    """The function with the variable behind ``as`` in the place of the manager, where both are written
    once."""
    written = Counter(
        instr.dst.name
        for instr in function.instrs
        if isinstance(instr, Assign | Call) and instr.dst is not None and _is_local(instr.dst)
    )
    entered: dict[str, str] = {}
    """What ``__enter__`` gave -> the manager."""
    names: dict[str, str] = {}
    for instr in function.instrs:
        match instr:
            case Call(dst=Place() as dst, target=Named(name=name), args=(Place() as manager, *_)):
                if name in TYPES.selves and _is_local(dst) and _is_local(manager):
                    entered[dst.name] = manager.name
            case Assign(dst=dst, src=Place() as src) if _is_local(dst) and _is_local(src):
                if src.name in entered and all(written[one] == 1 for one in (dst.name, entered[src.name])):
                    names |= {src.name: dst.name, entered[src.name]: dst.name}
            case _:
                pass
    if not names:
        return function
    blocks = tuple(
        msgspec.structs.replace(block, instrs=tuple(_of_one(_renamed(block.instrs, names))))
        for block in function.blocks
    )
    types = tuple((names.get(name, name), record) for name, record in function.local_types)
    return msgspec.structs.replace(function, blocks=blocks, local_types=tuple(dict.fromkeys(types)))


def _of_one(instrs: tuple[Instr, ...]) -> Iterator[Instr]:
    """The instructions without those that give an object to itself."""
    for instr in instrs:
        if isinstance(instr, Call) and instr.dst is not None and instr.dst in instr.args[:1]:
            yield msgspec.structs.replace(instr, dst=None)
        elif not (isinstance(instr, Assign) and instr.dst == instr.src):
            yield instr


def _is_local(place: Place) -> bool:
    return place.root is Root.LOCAL and not place.fields


def _renamed(value: Any, names: dict[str, str]) -> Any:
    """A part of a function, with its locals renamed."""
    if isinstance(value, tuple):
        return tuple(_renamed(each, names) for each in value)
    if isinstance(value, Place) and value.root is Root.LOCAL:
        return msgspec.structs.replace(value, name=names.get(value.name, value.name))
    if isinstance(value, msgspec.Struct):
        parts = {name: _renamed(getattr(value, name), names) for name in value.__struct_fields__}
        return msgspec.structs.replace(value, **parts)
    return value
