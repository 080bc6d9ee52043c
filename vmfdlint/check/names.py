"""By which names a function knows a reference, and where it knows none, its callers.

In: a node of the solver. Out: names for people, and the function they belong to.
"""

from vmfdlint.ir import FunctionKey
from vmfdlint.solve import Fact, Node, Solver, witness
from vmfdlint.summary import ESCAPED, OUTER, RESULT, Path, is_cell, is_global, is_made, show

_CELL = 2
_BY_NO_NAME = 6


def names_at(solver: Solver, node: Node, function: FunctionKey | None) -> tuple[tuple[str, ...], str]:
    """The names that hold a node's reference, best first, and the function whose own they are: "" for
    ``function`` None, and for names that mean the same everywhere."""
    told, visited = _named(node.fact), {node}
    while not _enough(told):
        incoming = (one.node for one in solver.tabulation.incoming.get(node.context, ()))
        onward = next((one for one in incoming if one not in visited and one.fact.object is not None), None)
        if onward is None:
            break
        visited.add(onward)
        node, function = onward, solver.tabulation.contexts[onward.context].key
        told = _named(node.fact)
    if not _enough(told):
        # A function that a child begins with was called by nobody: its creator had a name.
        before = (
            crumb for crumb in reversed(witness(solver.tabulation, node)) if crumb.fact.object is not None
        )
        for crumb in before:
            if _enough(found := _named(crumb.fact)):
                told, function = found, crumb.function
                break
    if _enough(told) and told[0][0] == 0:
        told = [one for one in told if one[0] < _CELL]  # the record's member is the variable's
    notation = solver.program.notation(solver.tabulation.contexts[node.context].key.path)
    names = (show(path, notation) for *_, path in told)
    local = bool(told) and told[0][0] == 0
    return tuple(dict.fromkeys(names)), function.name if local and function is not None else ""


def _named(fact: Fact) -> list[tuple[int, int, Path]]:
    """The places that have a name, the best first."""
    ranked = ((worth(path), len(path), path) for path in fact.places)
    return sorted(one for one in ranked if one[0] <= _BY_NO_NAME)


def _enough(told: list[tuple[int, int, Path]]) -> bool:
    """Whether one of them is a variable's or a member's."""
    return bool(told) and told[0][0] < _BY_NO_NAME


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
