"""Lines beside a statement of Python, or in its place."""

from collections.abc import Callable

import libcst as cst

from vmfdlint.frontends.changes import Before, Behind, Changed, Replacement, Spot, Unpack
from vmfdlint.frontends.edit_text import NotHere, filled, indent_at, line_end, line_ending
from vmfdlint.frontends.python.edit_tree import Tree
from vmfdlint.frontends.python.syntax import dotted, walk

LookUp = Callable[[str, str], str]


def behind(tree: Tree, call: cst.Call, change: Behind, look_up: LookUp) -> Changed:
    """A line behind the statement ``name = call``. A call that fails raises: no guard is needed."""
    line, small = tree.statement(call)
    target = _target(small, call)
    if not dotted(target):
        raise NotHere
    result = tree.text(target)

    def with_result(word: str, rest: str) -> str:
        return result if word == "result" else look_up(word, rest)

    start, end = tree.offsets(line)
    text = line_ending(tree.source) + indent_at(tree.source, start) + filled(change.line, with_result)
    at = line_end(tree.source, end)
    return Changed((Replacement(at, at, text),))


def unpacked(tree: Tree, call: cst.Call, change: Unpack, look_up: LookUp) -> Changed:
    """Other lines for ``a, b, c = call``."""
    line, small = tree.statement(call)
    target = _target(small, call)
    if not isinstance(target, cst.Tuple) or len(target.elements) != change.targets:
        raise NotHere
    names = [dotted(element.value) for element in target.elements if isinstance(element, cst.Element)]
    if len(names) != change.targets or not all(names) or len(call.args) > change.most:
        raise NotHere

    def with_targets(word: str, rest: str) -> str:
        return names[int(rest)] if word == "target" else look_up(word, rest)

    start, _end = tree.offsets(line)
    joint = line_ending(tree.source) + indent_at(tree.source, start)
    text = joint.join(filled(each, with_targets) for each in change.lines)
    return Changed((Replacement(*tree.offsets(small), text),))


def left_by(tree: Tree, spot: Spot) -> cst.Return | cst.Raise:
    """The statement that leaves at a place: one that neither calls something nor names a variable of the
    finding. Raises NotHere."""
    found: cst.Return | cst.Raise
    try:
        found = tree.at(spot.at, cst.Return)
    except NotHere:
        found = tree.at(spot.at, cst.Raise)
    if isinstance(found, cst.Return) and any(isinstance(node, cst.Call) for node in walk(found)):
        raise NotHere
    if any(isinstance(node, cst.Name) and node.value in spot.variables for node in walk(found)):
        raise NotHere
    return found


def before(
    tree: Tree, statement: cst.Return | cst.Raise, spot: Spot, change: Before, look_up: LookUp
) -> Changed:
    """A line for each variable before a statement that leaves, on a line of its own."""
    line, _small = tree.statement(statement)
    start = tree.offsets(line)[0]
    if not spot.variables:
        raise NotHere

    def written(variable: str) -> str:
        return filled(change.line, lambda word, rest: variable if word == "variable" else look_up(word, rest))

    joint = line_ending(tree.source) + indent_at(tree.source, start)
    return Changed((Replacement(start, start, "".join(written(one) + joint for one in spot.variables)),))


def _target(small: cst.CSTNode, call: cst.Call) -> cst.BaseExpression:
    """What a statement assigns the result of a call to."""
    if isinstance(small, cst.Assign) and small.value is call and len(small.targets) == 1:
        return small.targets[0].target
    if isinstance(small, cst.AnnAssign) and small.value is call:
        return small.target
    raise NotHere
