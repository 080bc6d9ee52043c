"""Calls with keywords: every argument of an API in the position its row speaks of.

In: a function and the models. Out: the function with the arguments of its calls in the positions of the
APIs' signatures, defaults put in.
"""

import msgspec

from vmfdlint.ir import Call, Function, Instr
from vmfdlint.models import Models


def ordered(function: Function, models: Models) -> Function:
    """The function with such calls put in order; unchanged where there is none."""
    blocks = []
    for block in function.blocks:
        instrs = tuple(_ordered(instr, models) for instr in block.instrs)
        same = all(one is other for one, other in zip(instrs, block.instrs, strict=True))
        blocks.append(block if same else msgspec.structs.replace(block, instrs=instrs))
    if all(one is other for one, other in zip(blocks, function.blocks, strict=True)):
        return function
    return msgspec.structs.replace(function, blocks=tuple(blocks))


def _ordered(instr: Instr, models: Models) -> Instr:
    return models.ordered(instr) if isinstance(instr, Call) else instr
