"""A line of a file -> the instructions on it, and whether control comes there."""

from collections.abc import Iterable

import msgspec

from vmfdlint.base import Span
from vmfdlint.ir import Function, FunctionKey
from vmfdlint.link import FILE
from vmfdlint.solve import Solver


class Point(msgspec.Struct, frozen=True):
    """Instructions of one function, as (block, index); ``at`` is the first of them in the source."""

    key: FunctionKey
    at: Span
    instrs: tuple[tuple[int, int], ...]


def points(solver: Solver, path: str, line: int) -> tuple[Point, ...]:
    """What is executed on a line, by function; where that is nothing, on the next line of its function."""
    functions = tuple(_around(solver, path, line))
    for wanted in (_starting, _covering, _following):
        found = [point for function in functions if (point := wanted(function, line)) is not None]
        if found:
            # A line in a nested function lies in the outer one too.
            inner = min(found, key=lambda point: (point.at.line, _size(solver, point.key)))
            return tuple(point for point in found if point.at.line == inner.at.line)
    return ()


def _around(solver: Solver, path: str, line: int) -> Iterable[Function]:
    source = solver.program.lexicon.source(path)
    text = source.data[source.line_starts[line - 1] :].partition(b"\n")[0]
    first = source.line_starts[line - 1] + len(text) - len(text.lstrip())
    last = source.line_starts[line - 1] + max(len(text.rstrip()) - 1, 0)
    keys = (key for offset in (first, last) for key in solver.program.around(path, offset))
    for key in dict.fromkeys(keys):
        function = solver.program.function(key) if key.name != FILE else None
        if function is not None:
            yield function


def _size(solver: Solver, key: FunctionKey) -> int:
    function = solver.program.function(key)
    return function.at.end_line - function.at.line if function is not None else 0


def _spans(function: Function) -> dict[tuple[int, int], Span]:
    """The places of the instructions; not of those that stand for the end of the function as a whole."""
    return {
        (number, index): instr.at
        for number, block in enumerate(function.blocks)
        for index, instr in enumerate(block.instrs)
        if instr.at != function.at and instr.at.path == function.key.path
    }


def _point(function: Function, spans: dict[tuple[int, int], Span]) -> Point | None:
    return Point(function.key, min(spans.values()), tuple(sorted(spans))) if spans else None


def _starting(function: Function, line: int) -> Point | None:
    return _point(function, {site: at for site, at in _spans(function).items() if at.line == line})


def _covering(function: Function, line: int) -> Point | None:
    """The smallest statement that goes over the line."""
    over = {site: at for site, at in _spans(function).items() if at.line <= line <= at.end_line}
    least = min((at.end_line - at.line for at in over.values()), default=0)
    return _point(function, {site: at for site, at in over.items() if at.end_line - at.line == least})


def _following(function: Function, line: int) -> Point | None:
    behind = {site: at for site, at in _spans(function).items() if at.line > line}
    first = min((at.line for at in behind.values()), default=0)
    return _point(function, {site: at for site, at in behind.items() if at.line == first})


def reached(solver: Solver, point: Point) -> bool:
    """Whether control comes to a point from the start of its function."""
    tabulation = solver.tabulation
    tabulation.seed(point.key)
    tabulation.run()
    return any(
        fact.is_zero
        for block, index in point.instrs
        for fact in tabulation.at.get((point.key, block, index), {})
    )
