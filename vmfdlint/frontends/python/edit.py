"""Changes to a Python file. In: a place and a change. Out: the bytes to replace, or None where it does not
fit. Calls here; statements and start methods in their own files.
"""

from typing import assert_never

import libcst as cst

from vmfdlint.base import SourceText
from vmfdlint.frontends.changes import (
    Before,
    Behind,
    Change,
    Changed,
    Constant,
    Flag,
    Letter,
    Pass,
    Rename,
    Replacement,
    Spot,
    Start,
    Unpack,
)
from vmfdlint.frontends.edit_text import NotHere, filled, is_constant
from vmfdlint.frontends.python.edit_start import started
from vmfdlint.frontends.python.edit_statement import before, behind, left_by, unpacked
from vmfdlint.frontends.python.edit_tree import Tree
from vmfdlint.frontends.python.syntax import children, dotted, integer, literal

_LOOSE = (cst.Comparison, cst.BooleanOperation, cst.IfExp, cst.NamedExpr, cst.Lambda)
"""Expressions that bind less than ``|``."""
_SIMPLE = (cst.Name, cst.Attribute, cst.Integer, cst.Call, cst.Subscript, cst.SimpleString)
"""Expressions that need no brackets, whatever they are put into."""


class PythonEditor:
    """One file; see :class:`vmfdlint.frontends.changes.Editor`."""

    unread = 0

    def __init__(self, source: SourceText, module: cst.Module) -> None:
        self._tree = Tree(source, module)

    def changed(self, spot: Spot, change: Change, needs: tuple[str, ...] = ()) -> Changed | None:
        """See :class:`vmfdlint.frontends.changes.Editor`; modules are imported by the words of the change."""
        try:
            made = self._changed(spot, change)
        except NotHere:
            return None
        if self._tree.module.encoding != "utf-8" and not all(one.text.isascii() for one in made.replacements):
            return None
        return Changed(tuple(sorted(set(made.replacements))), made.plain)

    def _changed(self, spot: Spot, change: Change) -> Changed:
        tree = self._tree
        if isinstance(change, Before):
            statement = left_by(tree, spot)
            words = _Words(tree, statement)
            made = before(tree, statement, spot, change, words)
            return Changed((*made.replacements, *words.imports), made.plain)
        call = tree.at(spot.at, cst.Call)
        words = _Words(tree, call)
        match change:
            case Behind():
                made = behind(tree, call, change, words)
            case Unpack():
                made = unpacked(tree, call, change, words)
            case Start():
                made = started(tree, call, change, words)
            case Flag():
                made = _flag(tree, call, change, filled(change.flag, words))
            case Letter():
                made = Changed(_letter(tree, call, change))
            case Constant():
                made = Changed(_constant(tree, call, change))
            case Pass():
                made = Changed(_passed(tree, call, change, filled(change.value, words)))
            case Rename():
                raise NotHere
            case _:
                assert_never(change)
        return Changed((*made.replacements, *words.imports), made.plain)


class _Words:
    """The words in braces that are the same for every change; ``imports`` are the lines they make needed."""

    def __init__(self, tree: Tree, node: cst.CSTNode) -> None:
        self._tree = tree
        self._node = node
        self.imports: list[Replacement] = []

    def __call__(self, word: str, rest: str) -> str:
        if word == "module":
            known = self._tree.known_as(rest, self._node)
            if known is None:
                self.imports.append(self._tree.importing(rest))
            return known or rest
        if word == "fresh":
            return self._tree.fresh(rest)
        if word == "arg" and isinstance(self._node, cst.Call):
            number, _, joint = rest.partition(" ")
            return _argument_text(self._tree, self._node, int(number), joint)
        raise NotHere


def _plain(call: cst.Call) -> list[cst.Arg]:
    """The arguments by position. Raises NotHere where some come out of a sequence."""
    if any(argument.star for argument in call.args):
        raise NotHere
    return [argument for argument in call.args if argument.keyword is None]


def _given(call: cst.Call, number: int, name: str) -> cst.Arg | None:
    """The argument for a parameter; None where its default counts."""
    plain = _plain(call)
    if number < len(plain):
        return plain[number]
    named = (one for one in call.args if one.keyword is not None and one.keyword.value == name)
    return next(named, None) if name else None


def _argument_text(tree: Tree, call: cst.Call, number: int, joint: str) -> str:
    plain = _plain(call)
    if len(plain) < len(call.args):
        raise NotHere
    if number < len(plain):
        node = plain[number].value
        text = tree.text(node)
        text = text if isinstance(node, _SIMPLE) else f"({text})"
        return f"{text} {joint} " if joint else text
    if joint:
        return ""
    raise NotHere


def _flag(tree: Tree, call: cst.Call, change: Flag, flag: str) -> Changed:
    """Flags that come from elsewhere are of other calls too: then the change is not plain."""
    given = _given(call, change.arg, change.name)
    if given is None:
        if len(_plain(call)) == change.arg and not any(one.keyword for one in call.args):
            return Changed(tree.appended(call, flag))
        if not change.name:
            raise NotHere
        return Changed(tree.appended(call, f"{change.name}={flag}"))
    value = given.value
    values = (value.body, value.orelse) if isinstance(value, cst.IfExp) else (value,)
    return Changed(_or(tree, value, flag), all(map(_is_constant, values)))


def _is_constant(value: cst.BaseExpression) -> bool:
    """Whether a value is made of constants: ``os.O_RDWR | O_SYNC``."""
    stack: list[cst.CSTNode] = [value]
    while stack:
        node = stack.pop()
        if isinstance(node, cst.Name | cst.Attribute):
            if not is_constant(dotted(node).rpartition(".")[2]):
                return False
        else:
            stack.extend(children(node))
    return True


def _or(tree: Tree, value: cst.BaseExpression, flag: str) -> tuple[Replacement, ...]:
    start, end = tree.offsets(value)
    if integer(value) == 0:
        return (Replacement(start, end, flag),)
    if isinstance(value, _LOOSE):
        if value.lpar:
            raise NotHere
        return Replacement(start, start, "("), Replacement(end, end, f") | {flag}")
    return (Replacement(end, end, f" | {flag}"),)


def _letter(tree: Tree, call: cst.Call, change: Letter) -> tuple[Replacement, ...]:
    given = _given(call, change.arg, "")
    if given is None or not isinstance(given.value, cst.SimpleString) or literal(given.value) is None:
        raise NotHere
    end = tree.offsets(given.value)[1] - len(given.value.quote)
    return (Replacement(end, end, change.letter),)


def _constant(tree: Tree, call: cst.Call, change: Constant) -> tuple[Replacement, ...]:
    given = _given(call, change.arg, "")
    node = given.value if given is not None else None
    if not isinstance(node, cst.Attribute) or node.attr.value != change.old:
        raise NotHere
    return (Replacement(*tree.offsets(node.attr), change.new),)


def _passed(tree: Tree, call: cst.Call, change: Pass, value: str) -> tuple[Replacement, ...]:
    given = _given(call, change.arg, change.name)
    if given is None:
        return tree.appended(call, f"{change.name}={value}")
    return (Replacement(*tree.offsets(given.value), value),)
