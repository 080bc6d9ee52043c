"""Generators that do nothing but give: whoever takes all they give has a list.

In: a function. Out: whether it is one: nothing runs behind a ``yield`` but another one, so that what it gives
is as it was when the last has been given. Of any other (a context manager, one that closes what it gave) the
moment of each step counts, which a list does not have.
"""

from collections.abc import Sequence

import libcst as cst

from vmfdlint.frontends.python.syntax import walk


def is_producer(node: cst.FunctionDef) -> bool:
    """Whether a function is such a generator."""
    return _yields(node.body) and node.asynchronous is None and _only_gives(node.body.body)


def _yields(node: cst.CSTNode) -> bool:
    return any(isinstance(each, cst.Yield) for each in walk(node))


def _only_gives(statements: Sequence[cst.CSTNode]) -> bool:
    """Whether behind each statement that gives something there are only more of these."""
    giving = [index for index, each in enumerate(statements) if _yields(each)]
    if not giving:
        return True
    behind = statements[giving[0] :]
    return all(_gives(each) or isinstance(each, cst.Return | cst.Continue | cst.Pass) for each in behind)


def _gives(node: cst.CSTNode) -> bool:
    match node:
        case cst.SimpleStatementLine(body=body):
            return _only_gives(body)
        case cst.Expr(value=cst.Yield()):
            return True
        case cst.For(body=body, orelse=None) | cst.Else(body=body) | cst.ExceptHandler(body=body):
            return _only_gives(body.body)
        case cst.If(body=body, orelse=orelse):
            return _only_gives(body.body) and (orelse is None or _gives(orelse))
        case cst.Try(body=body, handlers=handlers, orelse=None, finalbody=None):
            return _only_gives(body.body) and all(_gives(each) for each in handlers)
        case _:
            return False
