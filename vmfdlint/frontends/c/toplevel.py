"""The file level. In: a file's tree. Out: its definitions, and what its initialisers and registrations
assign.

A macro used at file level (``type_init(f)``, ``core_init(f)``, ``DEFINE_SIMPLE_ATTRIBUTE(..)``) is
expanded; what it defines counts as defined at the macro's use. One that cannot be expanded stays a call
of that name.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from tree_sitter import Node

from vmfdlint.base import LIMITS, SourceText
from vmfdlint.frontends.c.declarators import THREAD_WORDS, declared, storage_of
from vmfdlint.frontends.c.environment import Environment
from vmfdlint.frontends.c.even import even
from vmfdlint.frontends.c.lower_macro import snippet_of
from vmfdlint.frontends.c.lower_stmt import Statements
from vmfdlint.frontends.c.parse import tree_of
from vmfdlint.frontends.c.preprocess import expand, split_arguments
from vmfdlint.frontends.c.state import Fragment
from vmfdlint.frontends.c.syntax import CONDITIONAL, declared_name, parts, text_of
from vmfdlint.ir import Assume, Instr, Named, Operand, Place, Return, Root

_USE = re.compile(r"\s*([A-Za-z_]\w*)\s*\((.*)\)\s*;?\s*", re.DOTALL)
_KEPT = frozenset({"function_definition", "declaration", "expression_statement"})

_HOLDERS = frozenset(
    (
        "compound_statement",
        "if_statement",
        "else_clause",
        "for_statement",
        "while_statement",
        "do_statement",
        "switch_statement",
        "case_statement",
        "labeled_statement",
    )
)
"""Statements that may hold a declaration."""


class Item(NamedTuple):
    """Something at file level, with the text it comes from and the bytes of the file it stands for."""

    node: Node
    fragment: Fragment
    start: int
    end: int
    name: str = ""
    """Of a function definition."""


def items_of(root: Node, source: SourceText, environment: Environment) -> tuple[Item, ...]:
    """Function definitions, declarations and macro uses at file level, expansions included, in source
    order."""
    fragment = Fragment(source.data)
    found: list[Item] = []
    for node in _shallow(root):
        item = Item(node, fragment, node.start_byte, node.end_byte)
        if node.type == "expression_statement":
            found.extend(_expanded(item, source, environment, ()))
        elif node.type == "function_definition":
            found.append(item._replace(name=_function_name(node, fragment, environment)))
        else:
            found.append(item)
    return tuple(item for item in found if item.name or item.node.type != "function_definition")


def _function_name(node: Node, fragment: Fragment, environment: Environment) -> str:
    """The name a definition defines; ``HELPER(add)(...) { }`` defines what the macro makes of it."""
    name, _, maker = declared_name(node)
    if maker is None:
        return name
    text = fragment.original[maker.start_byte : maker.end_byte].decode("utf-8", "replace")
    for _ in range(LIMITS.macro_depth):
        use = _USE.fullmatch(text)
        macro = environment.macro(use[1]) if use is not None else None
        if use is None or macro is None or macro.params is None:
            break
        text = expand(macro, split_arguments(use[2])).strip()
    return text if text.isidentifier() else name


def _shallow(root: Node) -> Iterator[Node]:
    """The nodes of interest, without walking into bodies that are whole.

    Damage can make one function swallow those after it: inside a damaged body, definitions are searched.
    """
    stack = list(reversed(root.named_children))
    while stack:
        node = stack.pop()
        kind = node.type
        if kind in _KEPT:
            yield node
            if kind == "function_definition" and node.has_error:
                stack.extend(_swallowed(node))
        elif kind in CONDITIONAL:
            condition = node.child_by_field_name("condition")
            dead = condition is not None and text_of(condition).strip() == "0"
            other = node.child_by_field_name("alternative")
            inner = [other] if dead and other is not None else [] if dead else node.named_children
            stack.extend(reversed(inner))
        elif kind in ("linkage_specification", "declaration_list", "ERROR"):
            stack.extend(reversed(node.named_children))


def _swallowed(node: Node) -> list[Node]:
    """The outermost function definitions inside a damaged one, last first."""
    found: list[Node] = []
    stack = list(node.named_children)
    while stack:
        current = stack.pop()
        if current.type == "function_definition":
            found.append(current)
        elif current.has_error or current.type == "compound_statement":
            stack.extend(current.named_children)
    return sorted(found, key=lambda inner: -inner.start_byte)


def _use(item: Item) -> tuple[str, str] | None:
    """A macro's use at file level -> its name and the text of its arguments."""
    text = item.fragment.original[item.node.start_byte : item.node.end_byte].decode("utf-8", "replace")
    found = _USE.fullmatch(text)
    return (found[1], found[2]) if found else None


def _expanded(
    item: Item, source: SourceText, environment: Environment, outer: tuple[str, ...]
) -> Iterator[Item]:
    """What a macro's use stands for; the use itself where that is not known."""
    use = _use(item)
    macro = environment.macro(use[0]) if use is not None and use[0] not in outer else None
    if use is None or macro is None or macro.params is None or len(outer) >= LIMITS.macro_depth:
        yield item
        return
    original = expand(macro, split_arguments(use[1])).encode("utf-8", "replace")
    if len(original) > LIMITS.expansion_bytes:
        yield item
        return
    first = outer[0] if outer else macro.name
    span = item.fragment.span or source.span(item.start, item.end)
    fragment = Fragment(original, span, first)
    for node in _shallow(tree_of(even(original + b"\n;")).root_node):
        inner = Item(node, fragment, item.start, item.end)
        if node.type == "expression_statement":
            if parts(node):
                yield from _expanded(inner, source, environment, (*outer, macro.name))
        elif node.type != "function_definition":
            yield inner
        elif not node.has_error:
            yield inner._replace(name=_function_name(node, fragment, environment))


class FileLevel(Statements):
    """Lowers items at file level into one run of instructions."""

    def item(self, item: Item) -> None:
        """Adds what one item assigns or registers."""
        with self.inside(item.fragment):
            if item.node.type == "declaration":
                self._initialised(item.node, "")
            elif item.node.type == "expression_statement":
                self._registration(item)
            elif b"static" in item.fragment.original[item.node.start_byte + 6 : item.node.end_byte]:
                self._statics(item)

    def instructions(self) -> tuple[Instr, ...]:
        """All instructions in order; what a branch inside an initialiser would choose between is all
        there."""
        found = [instr for block in self.graph.blocks() for instr in block.instrs]
        return tuple(instr for instr in found if not isinstance(instr, Assume | Return))

    def _initialised(self, node: Node, function: str) -> None:
        """A declaration's initialisers; ``function`` names the one whose static variables these are."""
        if not any(child.type == "init_declarator" for child in node.children):
            return
        storage = storage_of(node)
        static = "static" in storage
        root = Root.GLOBAL if THREAD_WORDS.isdisjoint(storage) else Root.THREAD
        if function and not static and root is Root.GLOBAL:
            return
        for found in declared(node):
            if not found.name or found.value is None:
                continue
            name = f"{function}.{found.name}" if function else found.name
            place = Place(root, name, (), self.source.path if static or function else "")
            ctype = self.declared_type(found, node)
            self.initial(place, ctype, found.value, found.value)

    def _statics(self, item: Item) -> None:
        """The initialisers of a function's static variables: they are assigned once, before it runs."""
        body = item.node.child_by_field_name("body")
        stack = [body] if body is not None else []
        while stack:
            current = stack.pop()
            if current.type == "declaration":
                self._initialised(current, item.name)
            elif current.type in _HOLDERS or current.type in CONDITIONAL:
                stack.extend(reversed(current.named_children))

    def _registration(self, item: Item) -> None:
        """A use that was not expanded: a call with its arguments."""
        use = _use(item)
        if use is None:
            return
        snippet = snippet_of(f"{use[0]}({use[1]});")
        call = (
            parts(snippet[1][0])[0] if snippet is not None and snippet[1] and parts(snippet[1][0]) else None
        )
        arguments = call.child_by_field_name("arguments") if call is not None else None
        args: tuple[Operand, ...] = ()
        if snippet is not None and arguments is not None:
            with self.within(item.node, "", snippet[0]):
                args = self.arguments(arguments)
        self.emit_call(None, Named(use[0]), args, item.node)
