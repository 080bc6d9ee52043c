"""By which names a function knows a reference, and where it knows none, its callers.

In: a node of the solver. Out: names for people, and the function they belong to.
"""

from vmfdlint.ir import FunctionKey
from vmfdlint.solve import Node, Solver
from vmfdlint.summary import ESCAPED, OUTER, RESULT, Path, is_cell, is_global, is_made, show

_CELL = 2
_BY_NO_NAME = 6


def names_at(solver: Solver, node: Node, function: FunctionKey | None) -> tuple[tuple[str, ...], str]:
    """The names that hold a node's reference, best first, and the function whose own they are: "" for
    ``function`` None, and for names that mean the same everywhere."""
    visited = {node}
    while True:
        told = sorted(
            (worth(path), len(path), path) for path in node.fact.places if worth(path) <= _BY_NO_NAME
        )
        if told and told[0][0] < _BY_NO_NAME:
            break
        incoming = (one.node for one in solver.tabulation.incoming.get(node.context, ()))
        onward = next((one for one in incoming if one not in visited and one.fact.object is not None), None)
        if onward is None:
            break
        visited.add(onward)
        node, function = onward, solver.tabulation.contexts[onward.context].key
    if told and told[0][0] == 0:
        told = [one for one in told if one[0] < _CELL]  # the record's member is the variable's
    local = bool(told) and told[0][0] == 0
    return tuple(show(path) for *_, path in told), function.name if local and function is not None else ""


def worth(path: Path) -> int:
    """How well a path names a reference: a variable best, then a global, then a member of any object of a
    record."""
    if path in (OUTER, RESULT):
        return _BY_NO_NAME + 2
    if path == ESCAPED:
        return _BY_NO_NAME
    if is_made(path):
        return _BY_NO_NAME + 1
    if is_cell(path):
        return _CELL
    return 1 if is_global(path) else 0
