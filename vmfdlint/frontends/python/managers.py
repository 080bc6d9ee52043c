"""Collections and context managers of the library, whose methods are no more than moves and other calls.

In: a raw call of such a method. Out: the instructions that it stands for.
"""

from abc import abstractmethod

from vmfdlint.base import Span
from vmfdlint.frontends.python.callees import Callee
from vmfdlint.frontends.python.module import NEW
from vmfdlint.frontends.python.objects import Objects
from vmfdlint.frontends.python.shapes import HELD
from vmfdlint.frontends.python.types import TYPES
from vmfdlint.ir import Assign, Call, Field, Instr, Member, Named, Operand, Place


class Managers(Objects):
    """What the methods of collections, ``closing`` and ``ExitStack`` become."""

    @abstractmethod
    def instr(self, instr: Instr) -> None:
        """Binds an instruction."""

    @abstractmethod
    def assign(self, dst: Place, src: Operand, at: Span) -> None:
        """Binds an assignment."""

    @abstractmethod
    def call(self, call: Call) -> None:
        """Binds a call."""

    def collected(self, call: Call, callee: Callee) -> bool:
        """A method of a collection is what it does to the elements; what may be something else is called."""
        made = self.inference.callees.on_collection(call, callee)
        if not made:
            return False
        assert isinstance(call.target, Member)
        base = call.target.base
        receiver = Place(base.root, base.name, base.fields[:-1], base.unit)
        types = self.types(receiver)
        if not types or not all(one.startswith("[") for one in types):
            args = (*callee.first, *call.args)
            given = tuple(self.operand(one, call.at) for one in args)
            self.out.append(Call(None, Named(callee.name), given, call.at, call.via, call.keywords))
        for one in made:
            self.instr(one)
        return True

    def stacked(self, call: Call, keeps: str, stack: tuple[Operand, ...], plain: tuple[Operand, ...]) -> bool:
        """``stack.enter_context(x)`` enters x, and keeps its ``__exit__`` for the end."""
        subject = plain[0] if plain else None
        if (
            not stack
            or not isinstance(subject, Place)
            or not any(one in self.hierarchy.classes or one in TYPES.wrappers for one in self.types(subject))
        ):
            return False
        enter, leave = (Field(name, "", True) for name in ("__enter__", "__exit__"))
        entered = Call(call.dst, Member("", enter.name, subject.step(enter)), (), call.at)
        self.call(entered)
        held = [TYPES.wrappers[one] for one in self.types(subject) if one in TYPES.wrappers]
        ends = (
            subject.step(Field(HELD, "", True)).step(Field(held[0], "", True))
            if held
            else subject.step(leave)
        )
        args, words = self._given((*stack, ends), (), call.at)
        self.out.append(Call(None, Named(keeps), args, call.at, call.via, words))
        return True

    def wrapper(self, call: Call, name: str, given: tuple[Operand, ...]) -> bool:
        """``closing(x)`` holds x; entering gives it, leaving calls its method."""
        owner, _, method = name.rpartition(".")
        subject = given[0] if given else None
        if subject is None or call.dst is None or not (name in TYPES.wrappers or owner in TYPES.wrappers):
            return False
        step = Field(HELD, "", True)
        if name in TYPES.wrappers:
            value = self.operand(subject, call.at)
            self.out.append(Call(call.dst, Named(NEW), (), call.at))
            self.out.append(Assign(call.dst.step(step), value, call.at))
        elif method == "__enter__" and isinstance(subject, Place):
            self.assign(call.dst, subject.step(step), call.at)
        elif isinstance(subject, Place):
            base = subject.step(step).step(Field(TYPES.wrappers[owner], "", True))
            self.call(Call(call.dst, Member("", TYPES.wrappers[owner], base), (), call.at))
        return True
