"""A parsed file to be changed: its nodes by their bytes, what is around them, the names in use."""

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TypeVar

import libcst as cst

from vmfdlint.base import SourceText, Span
from vmfdlint.frontends.changes import Replacement
from vmfdlint.frontends.edit_text import NotHere, line_ending, line_start, text_at
from vmfdlint.frontends.python.positions import Positions
from vmfdlint.frontends.python.syntax import dotted, walk

Kind = TypeVar("Kind", bound=cst.CSTNode)


class Tree:
    """One file. Raises NotHere for what is not of the form that is asked for."""

    def __init__(self, source: SourceText, module: cst.Module) -> None:
        self.source = source
        self.module = module
        self._positions = Positions(module, source)

    @cached_property
    def parents(self) -> dict[cst.CSTNode, cst.CSTNode]:
        """Each node -> the one around it."""
        found: dict[cst.CSTNode, cst.CSTNode] = {}
        stack: list[cst.CSTNode] = [self.module]
        while stack:
            node = stack.pop()
            for child in node.children:
                found[child] = node
                stack.append(child)
        return found

    def offsets(self, node: cst.CSTNode) -> tuple[int, int]:
        """The bytes of a node, the end exclusive."""
        return self._positions.offsets(node)

    def text(self, node: cst.CSTNode) -> str:
        """How a node is written."""
        return text_at(self.source, *self.offsets(node))

    def nodes(self, kind: type[Kind]) -> Iterator[Kind]:
        """The nodes of a kind, in source order."""
        return (node for node in walk(self.module, into_scopes=True) if isinstance(node, kind))

    def at(self, at: Span, kind: type[Kind]) -> Kind:
        """The node of a kind that covers exactly a place."""
        wanted = self.source.offsets(at)
        for node in self.nodes(kind):
            if self.offsets(node) == wanted:
                return node
        raise NotHere

    def statement(self, node: cst.CSTNode) -> tuple[cst.SimpleStatementLine, cst.CSTNode]:
        """The line that a node stands on, alone on it, and the small statement that it is part of."""
        small = node
        while (around := self.parents.get(small)) is not None:
            if isinstance(around, cst.SimpleStatementLine):
                if len(around.body) != 1:
                    raise NotHere
                return around, small
            small = around
        raise NotHere

    def fresh(self, name: str) -> str:
        """A name like ``name`` that the file does not use."""
        used = {node.value for node in self.nodes(cst.Name)}
        while name in used:
            name += "_"
        return name

    def known_as(self, module: str, near: cst.CSTNode) -> str | None:
        """The name by which a module is known at a node: imported at the top, or in a function around it."""
        scopes: list[cst.CSTNode] = [self.module]
        node: cst.CSTNode | None = near
        while node is not None:
            if isinstance(node, cst.FunctionDef):
                scopes.append(node.body)
            node = self.parents.get(node)
        for scope in scopes:
            for each in walk(scope):
                if not isinstance(each, cst.Import):
                    continue
                for alias in each.names:
                    name = dotted(alias.name)
                    if alias.asname is None and (name == module or name.startswith(module + ".")):
                        return module
                    if alias.asname is not None and name == module:
                        return dotted(alias.asname.name) or None
        return None

    def importing(self, module: str) -> Replacement:
        """A line that imports a module, among those at the top of the file."""
        lines = [line for line in self.module.body if isinstance(line, cst.SimpleStatementLine)]
        plain: list[tuple[cst.SimpleStatementLine, str]] = []
        for line in lines:
            first = line.body[0]
            if isinstance(first, cst.Import) and len(line.body) == 1:
                plain.append((line, dotted(first.names[0].name)))
        if not plain:
            raise NotHere
        following: Sequence[cst.SimpleStatementLine] = [line for line, name in plain if name > module]
        if following:
            at = line_start(self.source, self.offsets(following[0])[0])
        else:
            at = self.source.data.find(b"\n", self.offsets(plain[-1][0])[1]) + 1
        if not at and not following:
            raise NotHere
        return Replacement(at, at, f"import {module}{line_ending(self.source)}")

    def appended(self, call: cst.Call, text: str) -> tuple[Replacement, ...]:
        """An argument behind the last one of a call."""
        if not call.args or call.args[-1].value.lpar:  # brackets are outside of a node's bytes
            raise NotHere
        end = self.offsets(call.args[-1].value)[1]
        return (Replacement(end, end, f", {text}"),)
