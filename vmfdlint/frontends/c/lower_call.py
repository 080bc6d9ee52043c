"""Calls. In: call expressions. Out: Call instructions whose target is a name, a member or a variable."""

import msgspec
from tree_sitter import Node

from vmfdlint.frontends.c.declarations import CType
from vmfdlint.frontends.c.lower_builtin import Builtins
from vmfdlint.frontends.c.preprocess import Macro
from vmfdlint.frontends.c.state import UNKNOWN, Typed
from vmfdlint.frontends.c.syntax import parts, text_of
from vmfdlint.ir import FuncRef, Indirect, Member, Named, Opaque, Operand, Place, Target

SEE_THROUGH = frozenset(
    {"likely", "unlikely", "__builtin_expect", "G_LIKELY", "G_UNLIKELY", "__builtin_assume_aligned"}
)
"""Calls that give their first argument back: they only tell the compiler how likely it is."""
_NO_VALUE = frozenset(
    {
        "static_assert",
        "_Static_assert",
        "va_arg",
        "__builtin_va_arg",
        "offsetof",
        "Offsetof",
        "__builtin_offsetof",
        "sizeof",
    }
)
_ASSERTIONS = frozenset({"assert", "g_assert", "g_assert_true"})


class Calls(Builtins):
    """The layer that finds out what a call calls."""

    def call(self, node: Node, dst: Place | None, wanted: bool) -> Typed:
        """Lowers a call; its result goes to ``dst``, or to a temporary if it is ``wanted`` at all."""
        function, arguments = node.child_by_field_name("function"), node.child_by_field_name("arguments")
        if function is None or arguments is None:
            return Typed(Opaque("unread"), UNKNOWN)
        bracketed = function.type == "parenthesized_expression"
        while (
            function.type in ("parenthesized_expression", "extension_expression")
            and len(parts(function)) == 1
        ):
            function = parts(function)[0]
        if function.type == "generic_expression" and len(parts(function)) > 2:
            # _Generic(x, T: f, U: g)(a): the types decide; all of them take the same arguments.
            function = parts(function)[2]
        if function.type == "identifier":
            name = text_of(function)
            if bracketed and self._names_type(name):
                inner = parts(arguments)
                operand = self.value(inner[0]).operand if len(inner) == 1 else Opaque("cast")
                return Typed(operand, self.environment.resolve(name))
            return self._call_name(name, node, arguments, dst, wanted)
        target, ctype = self._target(function)
        return self._emit(target, ctype, node, arguments, dst, wanted)

    def _names_type(self, name: str) -> bool:
        """Whether ``(name)(x)`` is a cast."""
        environment = self.environment
        if self.lookup(name) is not None or self.is_function(name) or environment.macro(name) is not None:
            return False
        return environment.variable(name) is None and (
            name.endswith("_t") or bool(environment.resolve(name).record)
        )

    def _call_name(self, name: str, node: Node, arguments: Node, dst: Place | None, wanted: bool) -> Typed:
        local = self.lookup(name)
        if local is not None:
            return self._emit(Indirect(local.place), _result(local.type), node, arguments, dst, wanted)
        inner = parts(arguments)
        if name in SEE_THROUGH and inner:
            return self.value(inner[0])
        if name in _NO_VALUE:
            return Typed(Opaque(name), UNKNOWN)
        if name.startswith(("__atomic_", "__sync_")):
            found = self.builtin(name, inner, node)
            if found is not None:
                return found
        environment = self.environment
        if self.is_function(name):
            return self._emit(Named(name), None, node, arguments, dst, wanted)
        macro = environment.macro_at(name, self.line)
        if macro is not None and macro.params is not None:
            expanded = None if self.blocked(macro) else self.expand_call(node, macro, dst, wanted)
            if expanded is not None:
                return expanded
        elif macro is not None and self._is_alias(macro):
            self.expanding.append(name)
            try:
                return self._call_name(macro.body, node, arguments, dst, wanted)
            finally:
                self.expanding.pop()
        elif name in _ASSERTIONS and inner:
            return self._assertion(name, inner[0], node)
        variable = environment.variable(name) if macro is None else None
        if variable is not None and (variable.type.function or variable.place.unit == self.source.path):
            # Anything else of that name is some other file's, and this is read() or exit() of the library.
            target = Indirect(variable.place)
            return self._emit(target, _result(variable.type), node, arguments, dst, wanted)
        return self._emit(Named(name), None, node, arguments, dst, wanted)

    def _is_alias(self, macro: Macro) -> bool:
        """Whether a callee's name stands for another name. A lower-case one that a header replaces is a
        function of the library, and the replacement is for another system or another build."""
        if not macro.body.isidentifier() or macro.name in self.expanding:
            return False
        return macro.at.path == self.source.path or not macro.name.islower()

    def _assertion(self, name: str, condition: Node, node: Node) -> Typed:
        """``assert(c)``: execution goes on only where ``c`` holds. System headers are not read, hence
        here."""
        passed, failed = self.graph.new(), self.graph.new()
        self.branch(condition, passed, failed)
        self.graph.start(failed)
        with self.inside(msgspec.structs.replace(self.fragment, macro=self.fragment.macro or name)):
            self.emit_call(None, Named("abort"), (), node)
        self.graph.end()
        self.graph.start(passed)
        return Typed(Opaque(name), UNKNOWN)

    def _target(self, function: Node) -> tuple[Target, CType]:
        """What a callee that is no plain name calls, and the type of the result."""
        if function.type == "pointer_expression":
            found = self.expression(function)
        elif function.type == "cast_expression":
            inner = function.child_by_field_name("value")
            found = self.value(inner) if inner is not None else Typed(Opaque("unread"), UNKNOWN)
        else:
            found = self.expression(function)
        operand, ctype = found
        if isinstance(operand, FuncRef):
            return Named(operand.name), self.environment.result(operand.name) or UNKNOWN
        place = self.settled(found, function)
        last = place.fields[-1] if place.fields else None
        if last is not None and last.name != "*" and not last.name.startswith("["):
            return Member(last.record, last.name, place), _result(ctype)
        if last is not None and last.name == "*" and last.deref:
            # (*fn)(x) calls what fn holds, whatever its type says.
            place = msgspec.structs.replace(place, fields=place.fields[:-1])
        return Indirect(place), _result(ctype)

    def _emit(
        self,
        target: Target,
        ctype: CType | None,
        node: Node,
        arguments: Node,
        dst: Place | None,
        wanted: bool,
    ) -> Typed:
        """Emits the call. ``ctype`` None: the result's type is looked up by the target's name if it is
        needed."""
        args = self.arguments(arguments)
        if dst is None and wanted:
            if ctype is None and isinstance(target, Named):
                ctype = self.environment.result(target.name)
            dst = self.temp(ctype or UNKNOWN)
        self.emit_call(dst, target, args, node)
        if isinstance(target, Named) and self.environment.never_returns(target.name):
            self.graph.end()
        return Typed(dst if dst is not None else Opaque("result"), ctype or UNKNOWN)

    def arguments(self, node: Node) -> tuple[Operand, ...]:
        """The values of an argument list. A piece that could not be read is Opaque, the others keep their
        place."""
        pieces: list[list[Node]] = [[]]
        for child in node.children:
            if child.type == ",":
                pieces.append([])
            elif child.type not in ("(", ")", "comment"):
                pieces[-1].append(child)
        if len(pieces) == 1 and not pieces[0]:
            return ()
        return tuple(self._argument(piece) for piece in pieces)

    def _argument(self, piece: list[Node]) -> Operand:
        if len(piece) != 1 or piece[0].is_error or piece[0].type == "type_descriptor":
            return Opaque("unread")
        node = piece[0]
        if node.type == "identifier" and self.written(node) != node.text:
            # The pre-pass makes one word of a type that stands as an argument.
            return Opaque("type")
        return self.value(node).operand


def _result(ctype: CType) -> CType:
    """The type of a function, or of a pointer to one -> the type of its result."""
    return msgspec.structs.replace(ctype, function=False) if ctype.function else UNKNOWN
