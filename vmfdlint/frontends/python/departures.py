"""How long an object stays in the function that made it: until its variable is passed, stored or returned for
the first time. An exception that leaves the function before that takes the object with it.

In: the body of a function. Out: for each name the offset before which nothing else can have the object.
Purely syntactic.
"""

from collections.abc import Callable

import libcst as cst

from vmfdlint.frontends.python.scopes import leaving
from vmfdlint.frontends.python.syntax import SCOPES, children


def departures(body: cst.CSTNode, start: Callable[[cst.CSTNode], int]) -> dict[str, int]:
    """Where each name is first handed on: a statement, the outermost loop around it, which may come back to
    what stands before it, or the ``try`` of which it is the ``finally``. ``start`` says where a node begins.
    """
    found: dict[str, int] = {}
    _visit(body, None, found, start)
    return found


def _visit(
    node: cst.CSTNode, around: cst.CSTNode | None, found: dict[str, int], start: Callable[[cst.CSTNode], int]
) -> None:
    if type(node) in SCOPES:
        return
    if isinstance(node, cst.BaseSmallStatement | cst.BaseExpression):
        for name in leaving((node,)):
            at = start(around or node)
            found[name] = min(at, found.get(name, at))
        return
    if isinstance(node, cst.For | cst.While):
        around = around or node
    for child in children(node):
        last = isinstance(node, cst.Try | cst.TryStar) and child is node.finalbody
        _visit(child, around or (node if last else None), found, start)
