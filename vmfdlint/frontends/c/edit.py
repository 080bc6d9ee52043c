"""Changes to a C file. In: a place and a change. Out: the bytes to replace, or None where it does not fit.

The tree is that of the pre-pass, whose offsets are those of the file; what was rewritten there is no place
for a change.
"""

import re
from collections.abc import Mapping
from functools import cached_property
from typing import assert_never

from tree_sitter import Node

from vmfdlint.base import SourceText
from vmfdlint.frontends.c.edit_include import include
from vmfdlint.frontends.c.edit_statement import before, behind
from vmfdlint.frontends.c.even import even
from vmfdlint.frontends.c.parse import tree_of
from vmfdlint.frontends.c.syntax import error_bytes, names_in, text_of
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
from vmfdlint.frontends.edit_text import NotHere, is_constant, text_at

_DIRECTIVE = re.compile(rb"^[ \t]*#", re.MULTILINE)
_LOOSE = frozenset({"conditional_expression", "assignment_expression", "comma_expression"})
"""Expressions that bind less than ``|``; of the binary ones only the logical."""


class CEditor:
    """One file; see :class:`vmfdlint.frontends.changes.Editor`. ``sources`` are the files of the program, for
    the headers that reach this one."""

    def __init__(self, source: SourceText, sources: Mapping[str, SourceText]) -> None:
        self._source = source
        self._sources = sources

    @cached_property
    def _root(self) -> Node:
        return tree_of(even(self._source.data)).root_node

    @property
    def unread(self) -> int:
        """The bytes that the parser could not read."""
        return error_bytes(self._root, 0, len(self._source.data))

    def changed(self, spot: Spot, change: Change, needs: tuple[str, ...] = ()) -> Changed | None:
        """See :class:`vmfdlint.frontends.changes.Editor`."""
        try:
            made = self._changed(spot, change)
            more = (
                () if self._uses(needs[1:]) or not needs else include(self._source, self._sources, needs[0])
            )
        except NotHere:
            return None
        return Changed(tuple(sorted((*made.replacements, *more))), made.plain)

    def _uses(self, words: tuple[str, ...]) -> bool:
        """Whether one of the words is used: what declares it is included, by whatever way."""
        return not names_in(self._root).isdisjoint(words)

    def _changed(self, spot: Spot, change: Change) -> Changed:
        match change:
            case Before():
                return before(
                    self._source, self._node(spot, "return_statement", "goto_statement"), spot, change
                )
            case Behind():
                return behind(self._source, self._call(spot), change)
            case Flag():
                return self._flag(self._call(spot), change)
            case Letter():
                return Changed(self._letter(self._call(spot), change))
            case Constant():
                return Changed(self._constant(self._call(spot), change))
            case Rename():
                return Changed(self._rename(self._call(spot), change))
            case Pass() | Unpack() | Start():
                raise NotHere
            case _:
                assert_never(change)

    def _node(self, spot: Spot, *kinds: str) -> Node:
        """The node of one of the kinds that covers exactly the place."""
        start, end = self._source.offsets(spot.at)
        node = self._root.descendant_for_byte_range(start, end)
        while node is not None and (node.start_byte, node.end_byte) == (start, end):
            if node.type in kinds:
                self._untouched(node)
                return node
            node = node.parent
        raise NotHere

    def _untouched(self, node: Node) -> None:
        """Declines where the pre-pass wrote a word of its own, or something could not be read; also where a
        directive stands inside: a change would be in one of its branches alone."""
        if _DIRECTIVE.search(self._source.data, node.start_byte, node.end_byte):
            raise NotHere
        stack = [node]
        while stack:
            current = stack.pop()
            if current.is_error or current.is_missing:
                raise NotHere
            if (
                not current.children
                and current.text != self._source.data[current.start_byte : current.end_byte]
            ):
                raise NotHere
            stack.extend(current.children)

    def _call(self, spot: Spot) -> Node:
        """The call at the place, by the name it has for the analysis: no macro stands between."""
        node = self._node(spot, "call_expression")
        function = node.child_by_field_name("function")
        if function is None or text_of(function) != spot.api:
            raise NotHere
        return node

    def _arguments(self, call: Node) -> tuple[list[Node], Node]:
        """The arguments and the closing bracket."""
        listed = call.child_by_field_name("arguments")
        if listed is None or listed.children[-1].type != ")":
            raise NotHere
        inner = [child for child in listed.named_children if child.type != "comment"]
        commas = sum(child.type == "," for child in listed.children)
        if any(child.is_error for child in listed.children) or (inner and commas != len(inner) - 1):
            raise NotHere
        return inner, listed.children[-1]

    def _argument(self, call: Node, number: int) -> Node:
        inner, _bracket = self._arguments(call)
        if number >= len(inner):
            raise NotHere
        return inner[number]

    def _flag(self, call: Node, change: Flag) -> Changed:
        """Flags that come from elsewhere are of other calls too: then the change is not plain."""
        node = self._argument(call, change.arg)
        chosen = [node.child_by_field_name(name) for name in ("consequence", "alternative")]
        values = [one for one in chosen if one is not None] or [node]
        return Changed(
            self._or(node, change), all(is_constant(name) for one in values for name in names_in(one))
        )

    def _or(self, node: Node, change: Flag) -> tuple[Replacement, ...]:
        if text_of(node) == "0":
            return (Replacement(node.start_byte, node.end_byte, change.flag),)
        operator = node.child_by_field_name("operator")
        logical = node.type == "binary_expression" and operator is not None and operator.type in ("&&", "||")
        if node.type in _LOOSE or logical:
            return (
                Replacement(node.start_byte, node.start_byte, "("),
                Replacement(node.end_byte, node.end_byte, f") | {change.flag}"),
            )
        return (Replacement(node.end_byte, node.end_byte, f" | {change.flag}"),)

    def _letter(self, call: Node, change: Letter) -> tuple[Replacement, ...]:
        node = self._argument(call, change.arg)
        if node.type != "string_literal" or len(node.children) > 3:
            raise NotHere
        return (Replacement(node.end_byte - 1, node.end_byte - 1, change.letter),)

    def _constant(self, call: Node, change: Constant) -> tuple[Replacement, ...]:
        node = self._argument(call, change.arg)
        if text_at(self._source, node.start_byte, node.end_byte) != change.old:
            raise NotHere
        return (Replacement(node.start_byte, node.end_byte, change.new),)

    def _rename(self, call: Node, change: Rename) -> tuple[Replacement, ...]:
        inner, bracket = self._arguments(call)
        function = call.child_by_field_name("function")
        if not inner or len(inner) > change.most or function is None:
            raise NotHere
        return (
            Replacement(function.start_byte, function.end_byte, change.name),
            Replacement(bracket.start_byte, bracket.start_byte, f", {change.more}"),
        )


def open_editor(source: SourceText, sources: Mapping[str, SourceText]) -> CEditor:
    """One C file of the program, to be changed."""
    return CEditor(source, sources)
