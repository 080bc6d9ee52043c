"""Calls: by name, of a method, of a variable; and the few builtins that are no more than another spelling."""

import libcst as cst

from vmfdlint.frontends.python import fold
from vmfdlint.frontends.python.lower_expr import Expressions
from vmfdlint.frontends.python.state import NONE, opaque
from vmfdlint.frontends.python.syntax import literal
from vmfdlint.ir import ELEMENT, Assign, Call, FuncRef, Indirect, Member, Named, Operand, Place, Text

ADDRESS = "python.address"
"""Of an object that nothing else refers to only the address is kept."""
_SAME = frozenset(
    {
        *(f"builtins.{name}" for name in ("list", "tuple", "sorted", "reversed", "iter", "set", "frozenset")),
        *(f"ctypes.{name}" for name in ("byref", "pointer", "cast", "POINTER")),
        *("typing.cast", "copy.copy"),
    }
)
"""Calls whose result leads where their (last) argument leads."""
_QUIET = frozenset(
    f"builtins.{name}"
    for name in (
        *("len", "print", "isinstance", "issubclass", "hasattr", "range", "enumerate", "zip", "repr", "type"),
        *("id", "super", "dict", "min", "max", "abs", "sum", "any", "all", "format", "hex", "bin", "str"),
        *("callable", "vars", "bool", "memoryview", "bytearray", "bytes", "object", "slice", "chr", "ord"),
    )
)
"""Builtins whose exceptions nobody means when they write a handler."""
_SET_BY_USERS = frozenset(("os.environ.get", "os.getenv"))
"""Calls that give their last argument where a user has set nothing else."""
_IN_THREADS = frozenset(("asyncio.to_thread", "anyio.to_thread.run_sync", "trio.to_thread.run_sync"))
"""Calls that run a function in a thread, and give what that gives."""
_WAIT = "asyncio.wait"


class Calls(Expressions):
    """What a call becomes."""

    def call(self, node: cst.Call) -> Operand:
        """Lowers a call; its result is a temporary, or what it stands for."""
        name = self.static_name(node.func)
        if name in ("builtins.getattr", "builtins.setattr") and len(node.args) >= 2:
            return self._by_name(node, name)
        if isinstance(node.func, cst.Attribute) and not name:
            return self._method(node, node.func)
        if not name and isinstance(node.func, cst.Name):
            target = self.settled(self.name(node.func.value), node.func)
            args, keywords = self.arguments(node)
            return self.emit_call(Indirect(target), args, node, keywords)
        if not name:
            target = self.settled(self.value(node.func), node.func)
            args, keywords = self.arguments(node)
            return self.emit_call(Indirect(target), args, node, keywords)
        args, keywords = self.arguments(node)
        if name == "typing.cast":
            args = args[-1:]
        if name in _SAME and args and not keywords and isinstance(args[0], Place):
            if name == "ctypes.addressof" and args[0].name.startswith("%") and not args[0].fields:
                self.graph.emit(Call(None, Named(ADDRESS), args, self.at(node)))
            return args[0]
        if name in _SET_BY_USERS and len(args) > 1 and isinstance(args[1], Text) and args[1].value[:1] == "/":
            return args[1]  # a path has its default nearly always, where a switch is there to be set
        request = None if keywords else fold.request(name, args)
        if request is not None:
            return request
        return self.emit_call(Named(name), args, node, keywords, raises=name not in _QUIET)

    def awaited(self, node: cst.Call) -> Operand:
        """``await f()``: what a thread does that is waited for at once, a call of its function does."""
        if self.static_name(node.func) not in _IN_THREADS:
            return self.call(node)
        args, keywords = self.arguments(node)
        if not args or len(keywords) == len(args):
            return opaque(node)
        self.emit_call(Named(_WAIT), (), node)
        return self.emit_call(_called(args[0]), args[1:], node, keywords)

    def arguments(self, node: cst.Call) -> tuple[tuple[Operand, ...], tuple[str, ...]]:
        """The arguments, those given by name and those taken out of a sequence last, and their names."""
        plain: list[Operand] = []
        named: list[tuple[str, Operand]] = []
        behind: list[tuple[bool, Operand]] = []
        for argument in node.args:
            given = self.value(argument.value)
            if argument.star == "**":
                named.append((argument.star, given))
            elif argument.star or (behind and argument.keyword is None):
                behind.append((bool(argument.star), given))
            elif argument.keyword is not None:
                named.append((argument.keyword.value, given))
            else:
                plain.append(given)
        if behind:
            named.append(("*", self._in_one(behind, node)))
        return (*plain, *(given for _name, given in named)), tuple(name for name, _given in named)

    def _in_one(self, given: list[tuple[bool, Operand]], node: cst.Call) -> Operand:
        """``f(*a, b)`` as ``f(*[*a, b])``: the sequence that all arguments from the first star on are."""
        if len(given) == 1:
            return given[0][1]
        place = self.temp()
        self.assign(place, opaque(node), node)
        for starred, operand in given:
            value = self.settled(operand, node).step(ELEMENT) if starred else operand
            self.graph.emit(Assign(place.step(ELEMENT), value, self.at(node)))
        return place

    def _by_name(self, node: cst.Call, name: str) -> Operand:
        """``getattr(a, "b")``, ``setattr(a, "b", c)`` with a name that is known."""
        base = self.settled(self.value(node.args[0].value), node)
        given = self.value(node.args[1].value)
        step = given.value if isinstance(given, Text) and given.value.isidentifier() else ""
        place = self.member_of(base, step) if step else base.step(ELEMENT)
        if name == "builtins.getattr":
            return place
        if len(node.args) > 2:
            self.assign(place, self.value(node.args[2].value), node)
        return NONE

    def _method(self, node: cst.Call, func: cst.Attribute) -> Operand:
        name = func.attr.value
        text = literal(func.value)
        if text is not None and name == "format":
            values = [self.value(argument.value) for argument in node.args]
            return self.text(fold.braces(text), values, node)
        given = self.value(func.value)
        if isinstance(given, Text) and name in ("encode", "decode", "strip", "rstrip", "lower"):
            return given
        if isinstance(given, Text):
            args, keywords = self.arguments(node)
            return self.emit_call(Named(f"builtins.str.{name}"), (given, *args), node, keywords, raises=False)
        base = self.settled(given, func.value)
        args, keywords = self.arguments(node)
        return self.emit_call(Member("", name, self.member_of(base, name)), args, node, keywords)


def _called(function: Operand) -> Named | Member | Indirect:
    """A call of the function that an operand is."""
    if isinstance(function, FuncRef):
        return Named(function.name)
    if not isinstance(function, Place):
        return Named("?")
    if function.is_global and not function.fields and not function.unit:
        return Named(function.name)
    if function.fields and function.fields[-1].name.isidentifier():
        return Member("", function.fields[-1].name, function)
    return Indirect(function)
