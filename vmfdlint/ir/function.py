"""A function's control-flow graph."""

from collections.abc import Iterator
from itertools import chain

import msgspec

from vmfdlint.base import Span
from vmfdlint.ir.instrs import Instr


class FunctionKey(msgspec.Struct, frozen=True, order=True, cache_hash=True):
    """A function's identity in a run: the file that defines it and its name there.

    The initialisers and registrations at file level form a function named ``<file>``.
    """

    path: str
    name: str

    def __str__(self) -> str:
        return f"{self.path}::{self.name}"


class Block(msgspec.Struct, frozen=True):
    """Instructions that run one after the other, then one of ``successors`` (indices into
    ``Function.blocks``).

    ``label`` is the name of a goto label that starts here, else "". ``jump`` is the span of the goto
    statement that ends this block, else None. ``unbounded`` marks the head of a loop without a bound: ``for
    (;;)``, ``while (1)``.
    """

    instrs: tuple[Instr, ...]
    successors: tuple[int, ...]
    label: str = ""
    jump: Span | None = None
    unbounded: bool = False


class Function(msgspec.Struct, frozen=True):
    """One function, lowered. Block 0 is the entry. ``at`` covers the definition from its first to its last
    byte.

    ``attributes`` are lower-case words the declaration carries: ``static``, ``noreturn``, ``constructor``,
    ``weak``, ``inline``, ``variadic``. ``local_types`` names the record of a local or parameter (value, or
    what a pointer points to). ``values`` lists the locals that are structs or arrays held by value, so that
    their members die with the function. ``damaged`` is the number of bytes left under parse errors inside.
    """

    key: FunctionKey
    params: tuple[str, ...]
    blocks: tuple[Block, ...]
    at: Span
    attributes: tuple[str, ...] = ()
    local_types: tuple[tuple[str, str], ...] = ()
    values: tuple[str, ...] = ()
    damaged: int = 0

    @property
    def instrs(self) -> Iterator[Instr]:
        """The instructions, block by block."""
        return chain.from_iterable(block.instrs for block in self.blocks)
