"""What the branches around a block say: the guards that every way to it passes.

In: a function and one of its blocks. Out: the values the guards leave to the variables they test. A fact that
begins behind a guard (a reference made there, or handed out of a call there) knows what the guard said.
"""

from functools import lru_cache

import rustworkx

from vmfdlint.base import LIMITS
from vmfdlint.ir import Address, Assign, Assume, Call, Instr, Text
from vmfdlint.solve.facts import Fact
from vmfdlint.solve.values import Value, implied
from vmfdlint.summary import Flow, Path, path_of, starts_with, step_name


@lru_cache(maxsize=4096)
def guards(flow: Flow, block: int, asked: frozenset[str] = frozenset()) -> tuple[tuple[Path, Value], ...]:
    """What is known at the end of ``block`` whatever way led there, sorted by path; the innermost guards
    first where the bound on what a fact knows leaves some out. ``asked``: globals and members that are tested
    elsewhere too."""
    found: dict[Path, Value] = {}
    for number in flow.above(block):
        for instr in reversed(flow.function.blocks[number].instrs):
            if not isinstance(instr, Assume):
                continue
            path = path_of(instr.left)
            learnt = implied(instr.op, instr.right, flow.counts_references)  # type: ignore[arg-type]
            name = step_name(path[-1]) if len(path) > 1 else path[0]
            wanted = (path in flow.correlated or name in asked) and path not in found
            wanted = wanted and len(found) < LIMITS.environment
            if wanted and learnt is not None and not _changed(flow, path, number, block):
                found[path] = learnt
    return tuple(sorted(found.items(), key=lambda item: item[0]))


def guarded(fact: Fact, known: tuple[tuple[Path, Value], ...]) -> Fact:
    """A fact behind guards, with what they say beside what it knows itself."""
    for path, value in known:
        if fact.lookup(path) is None:
            fact = fact.knowing(path, value)
    return fact


@lru_cache(maxsize=4096)
def read_texts(flow: Flow, block: int) -> tuple[str, ...]:
    """The texts that something is found to be equal to on every way to ``block``, the innermost first."""
    found: dict[str, None] = {}
    for number in flow.above(block):
        for instr in flow.function.blocks[number].instrs:
            if isinstance(instr, Assume) and instr.op == "==" and isinstance(instr.right, Text):
                found[instr.right.value] = None
    return tuple(found)


def _changed(flow: Flow, path: Path, guard: int, block: int) -> bool:
    """Whether a way from the guard to the block may set the tested place anew."""
    graph = flow.graph
    between = (rustworkx.descendants(graph, guard) | {guard}) & (rustworkx.ancestors(graph, block) | {block})
    return any(_sets(instr, path) for number in between for instr in flow.function.blocks[number].instrs)


def _sets(instr: Instr, path: Path) -> bool:
    match instr:
        case Assign(dst=dst):
            return starts_with(path, path_of(dst)) or (len(path) > 1 and path_of(dst)[-1] == path[-1])
        case Call(dst=dst, args=args):
            return (dst is not None and starts_with(path, path_of(dst))) or any(
                isinstance(argument, Address) and starts_with(path, path_of(argument.place))
                for argument in args
            )
        case _:
            return False
