"""A variadic wrapper forwards its extra argument: ``arg = va_arg(ap, void *); ioctl(fd, request, arg)``.

In: a function. Out: the same with the variable that ``va_arg`` fills once turned into a further parameter,
so that what a callee does through the pointer reaches the caller's object.
"""

from typing import Any

import msgspec

from vmfdlint.ir import Assign, Call, Function, Opaque, Place, Root

EXTRA = "%va"
"""Name of the parameter that stands for the first extra argument."""


def forwarded(function: Function) -> Function:
    """The function with its extra argument as a parameter; unchanged where it does not read exactly one."""
    if "variadic" not in function.attributes:
        return function
    written: dict[str, int] = {}
    read: list[str] = []
    for block in function.blocks:
        for instr in block.instrs:
            if isinstance(instr, Assign | Call) and instr.dst is not None and not instr.dst.fields:
                written[instr.dst.name] = written.get(instr.dst.name, 0) + 1
            if isinstance(instr, Assign) and isinstance(instr.src, Opaque) and "va_arg" in instr.src.why:
                read.append(instr.dst.name)
    if len(read) != 1 or written.get(read[0], 0) != 1:
        return function
    blocks = tuple(
        msgspec.structs.replace(
            block,
            instrs=tuple(
                _renamed(instr, read[0])
                for instr in block.instrs
                if not (isinstance(instr, Assign) and instr.dst.name == read[0] and not instr.dst.fields)
            ),
        )
        for block in function.blocks
    )
    return msgspec.structs.replace(function, params=(*function.params, EXTRA), blocks=blocks)


def _renamed(value: Any, name: str) -> Any:
    """A value of the IR with the local ``name`` called EXTRA."""
    if isinstance(value, tuple):
        return tuple(_renamed(item, name) for item in value)
    if isinstance(value, Place) and value.root is Root.LOCAL and value.name == name:
        return msgspec.structs.replace(value, name=EXTRA)
    if isinstance(value, msgspec.Struct):
        changes = {field: _renamed(getattr(value, field), name) for field in value.__struct_fields__}
        return msgspec.structs.replace(value, **changes)
    return value
