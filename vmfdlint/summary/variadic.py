"""What a variadic function does with the arguments that have no name.

A wrapper forwards one: ``arg = va_arg(ap, void *); ioctl(fd, request, arg)``. In: a function. Out: the same
with the variable that ``va_arg`` fills once turned into a further parameter, so that what a callee does
through the pointer reaches the caller's object.

A loop closes all: ``while (n--) close(va_arg(ap, int))``. Out: whether there is one.
"""

from collections.abc import Iterator

import msgspec

from vmfdlint.ir import Assign, Call, Function, Named, Opaque, Operand, Place, Root, rewritten
from vmfdlint.models import Close, Models, resolve
from vmfdlint.summary.control_flow import ControlFlow
from vmfdlint.summary.paths import FIRST, Path, operand_path, port_path

EXTRA = "%va"
"""Name of the parameter that stands for the first extra argument."""


def closed_rest(function: Function, models: Models) -> frozenset[Path]:
    """The steps from an argument without a name to what a loop closes of each: () for the number itself, one
    to what a pointer leads to; none where no loop does that."""
    if "variadic" not in function.attributes:
        return frozenset()
    looping = ControlFlow(function).looping
    instrs = [instr for number in sorted(looping) for instr in function.blocks[number].instrs]
    read = {
        instr.dst.name
        for instr in instrs
        if isinstance(instr, Assign) and _is_extra(instr.src) and not instr.dst.fields
    }
    return frozenset(
        steps
        for call in instrs
        if isinstance(call, Call) and isinstance(call.target, Named)
        for steps in _closed(call.target.name, call, read, models)
    )


def _closed(name: str, call: Call, read: set[str], models: Models) -> Iterator[Path]:
    """What a call closes of an extra argument, which the variables ``read`` get."""
    modelled = resolve(models, name, call.args)
    for effect in modelled.effects if modelled is not None else ():
        if not isinstance(effect, Close) or effect.fd.arg is None or effect.fd.arg >= len(call.args):
            continue
        if _is_extra(call.args[effect.fd.arg]):
            yield (FIRST,) * len(effect.fd.fields)
        path = port_path(effect.fd, call.args) if operand_path(call.args[effect.fd.arg]) else None
        if path is not None and path[0] in read and path[1:] in ((), (FIRST,)):
            yield path[1:]


def _is_extra(operand: Operand) -> bool:
    return isinstance(operand, Opaque) and "va_arg" in operand.why


def forwarded(function: Function, models: Models) -> Function:
    """The function with its extra argument as a parameter; unchanged where it does not read exactly one, or
    is after all of them."""
    if "variadic" not in function.attributes or closed_rest(function, models):
        return function
    written: dict[str, int] = {}
    read: list[str] = []
    for block in function.blocks:
        for instr in block.instrs:
            if isinstance(instr, Assign | Call) and instr.dst is not None and not instr.dst.fields:
                written[instr.dst.name] = written.get(instr.dst.name, 0) + 1
            if isinstance(instr, Assign) and _is_extra(instr.src):
                read.append(instr.dst.name)
    if len(read) != 1 or written.get(read[0], 0) != 1 or read[0] in function.params:
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
