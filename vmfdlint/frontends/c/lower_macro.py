"""Macros. In: uses of macros. Out: the lowering of what they stand for, with the use's span on every
instruction.

A use is expanded as text, one macro at a time, and parsed as a small function of its own; macros inside
the expansion are met again as calls and names. A macro is not expanded within its own expansion, as in C.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

from tree_sitter import Node

from vmfdlint.base import LIMITS, Problem, ProblemKind
from vmfdlint.frontends.c.even import even
from vmfdlint.frontends.c.lower_call import SEE_THROUGH, Calls
from vmfdlint.frontends.c.parse import tree_of
from vmfdlint.frontends.c.preprocess import Macro, expand, split_arguments
from vmfdlint.frontends.c.state import UNKNOWN, Fragment, Typed
from vmfdlint.frontends.c.syntax import only_expression, parts, text_of
from vmfdlint.frontends.c.text import closing
from vmfdlint.ir import Opaque, Place

_CALLEE = re.compile(r"\b([A-Za-z_]\w*)\s*\(")
_ROUNDS = 3
"""How many macros deep a text is looked through that cannot be read as it is."""


class Macros(Calls):
    """The layer that looks behind macros."""

    def expand_call(self, node: Node, macro: Macro, dst: Place | None, wanted: bool) -> Typed | None:
        """Lowers a call of a function-like macro as what it stands for; None where that cannot be read."""
        snippet = self.expansion(node, macro)
        if snippet is None:
            return None
        original, statements = snippet
        if not statements and (wanted or dst is not None):
            return None
        with self.within(node, macro.name, original):
            inner = only_expression(statements)
            if inner is None:
                for statement in statements:
                    self.statement(statement)
                return Typed(Opaque("statement"), UNKNOWN)
            if dst is not None:
                return Typed(dst, self.assign_from(dst, inner, inner))
            if wanted:
                return self.expression(inner)
            self.discard(inner)
            return Typed(Opaque("result"), UNKNOWN)

    def expanded_condition(self, node: Node, true: int, false: int) -> bool:
        """Lowers a condition that is a macro's use as what the macro stands for; False where it is none."""
        function, arguments = node.child_by_field_name("function"), node.child_by_field_name("arguments")
        if function is None or arguments is None or function.type != "identifier":
            return False
        name = text_of(function)
        if name in SEE_THROUGH and parts(arguments):
            self.branch(parts(arguments)[0], true, false)
            return True
        macro = self.callable_macro(name)
        snippet = self.expansion(node, macro) if macro is not None else None
        inner = only_expression(snippet[1]) if snippet is not None else None
        if snippet is None or inner is None:
            return False
        with self.within(node, name, snippet[0]):
            self.branch(inner, true, false)
        return True

    def object_macro(self, node: Node, name: str) -> Typed | None:
        """The value of an object-like macro that is no constant; None where it has no expansion."""
        macro = self.environment.macro(name) if name not in self.expanding else None
        if macro is None or macro.params is not None or not macro.body:
            return None
        snippet = self.read_text(macro.body, name)
        inner = only_expression(snippet[1]) if snippet is not None else None
        if snippet is None or inner is None:
            return None
        with self.within(node, name, snippet[0]):
            return self.expression(inner)

    def callable_macro(self, name: str) -> Macro | None:
        """The function-like macro a call means, None where it calls something else."""
        if self.lookup(name) is not None or self.is_function(name):
            return None
        macro = self.environment.macro_at(name, self.line)
        return macro if macro is not None and macro.params is not None and not self.blocked(macro) else None

    def blocked(self, macro: Macro) -> bool:
        """Whether a macro met in its own expansion stays as it is. One that came in by an argument does
        not."""
        return macro.name in self.expanding and re.search(rf"\b{macro.name}\b", macro.body) is not None

    def expansion(self, node: Node, macro: Macro) -> tuple[bytes, tuple[Node, ...]] | None:
        """A macro's use -> the text it stands for and that text's statements; None where it cannot be
        read."""
        arguments = node.child_by_field_name("arguments")
        if arguments is None:
            return None
        return self.expansion_of(macro, self.written(arguments).decode("utf-8", "replace")[1:-1])

    def expansion_of(
        self, macro: Macro, arguments: str, after: str = ""
    ) -> tuple[bytes, tuple[Node, ...]] | None:
        """The same from the text between the brackets, with ``after`` appended."""
        return self.read_text(expand(macro, split_arguments(arguments)) + after, macro.name)

    def read_text(self, text: str, name: str) -> tuple[bytes, tuple[Node, ...]] | None:
        """Parses the expansion of a macro, within the limits."""
        if not self.expanding:
            self.expansion_left = LIMITS.expansion_bytes
        if len(self.expanding) >= LIMITS.macro_depth or len(text) > self.expansion_left:
            self.problems.append(
                Problem(ProblemKind.LIMIT, f"expansion of macro {name} cut off", self.source.path)
            )
            return None
        self.expansion_left -= len(text)
        found = snippet_of(text)
        for _round in range(_ROUNDS if found is None else 0):
            whole = self._unfolded(text)
            if whole == text or len(whole) > self.expansion_left:
                break
            text = whole
            self.expansion_left -= len(text)
            found = snippet_of(text)
            if found is not None:
                break
        return found

    def _unfolded(self, text: str) -> str:
        """A text with the macros that are used in it put in, where the grammar cannot read them as calls:
        statements that bring their own semicolon, ``X(vcpu) X(vm)``."""
        found: list[str] = []
        at = 0
        for use in _CALLEE.finditer(text):
            macro = self.callable_macro(use.group(1)) if use.start() >= at else None
            closed = closing(bytearray(text.encode("latin-1", "replace")), use.end() - 1)
            if macro is not None and closed >= 0:
                found += text[at : use.start()], expand(macro, split_arguments(text[use.end() : closed]))
                at = closed + 1
        return "".join((*found, text[at:]))

    @contextmanager
    def within(self, node: Node, name: str, original: bytes) -> Iterator[None]:
        """Nodes lowered within come from the expansion of ``name`` used at ``node``."""
        outermost = self.fragment.macro if self.fragment.span is not None else name
        self.expanding.append(name)
        try:
            with self.inside(Fragment(original, self.at(node), outermost)):
                yield
        finally:
            self.expanding.pop()


@lru_cache(maxsize=2000)
def snippet_of(text: str) -> tuple[bytes, tuple[Node, ...]] | None:
    """Text of statements -> (what was parsed, before the pre-pass; its statements). None where it has
    damage."""
    original = b"void f(void) {\n" + text.encode("utf-8", "replace") + b"\n;}"
    root = tree_of(even(original)).root_node
    if root.has_error:
        return None
    found = [child for child in root.named_children if child.type != "comment"]
    body = found[0].child_by_field_name("body") if len(found) == 1 else None
    if body is None or body.type != "compound_statement":
        return None
    return original, tuple(
        child for child in parts(body) if child.type != "expression_statement" or parts(child)
    )
