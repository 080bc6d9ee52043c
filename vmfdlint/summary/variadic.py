"""A variadic wrapper forwards its extra argument: ``arg = va_arg(ap, void *); ioctl(fd, request, arg)``.

In: a function. Out: the same with the variable that ``va_arg`` fills once turned into a further parameter,
so that what a callee does through the pointer reaches the caller's object.
"""

import msgspec

from vmfdlint.ir import Assign, Call, Function, Opaque, Place, Root, rewritten

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
                rewritten(instr, lambda part: _named_extra(part, read[0]))
                for instr in block.instrs
                if not (isinstance(instr, Assign) and instr.dst.name == read[0] and not instr.dst.fields)
            ),
        )
        for block in function.blocks
    )
    return msgspec.structs.replace(function, params=(*function.params, EXTRA), blocks=blocks)


def _named_extra(value: object, name: str) -> Place | None:
    """A place, the local ``name`` called EXTRA; None for what is no place."""
    if not isinstance(value, Place):
        return None
    extra = value.root is Root.LOCAL and value.name == name
    return msgspec.structs.replace(value, name=EXTRA) if extra else value
