"""Arguments of one call, bound: in the parameters of a function of the project, or as an API takes them."""

from vmfdlint.base import Span
from vmfdlint.frontends.python.arguments import Placed, place
from vmfdlint.frontends.python.callees import Callee
from vmfdlint.frontends.python.places import Places
from vmfdlint.frontends.python.shapes import PART, bound, parted
from vmfdlint.ir import Assign, Call, Field, FuncRef, Function, Named, Opaque, Operand, Place

RECEIVER = "%self"
"""Names the argument that is the object of a bound method given to an API."""


class Passing(Places):
    """The arguments of calls in one function."""

    raw: Function

    def function_value(self, place: Place) -> tuple[FuncRef | None, tuple[Operand, ...]]:
        """The function that a place holds, also by way of a variable, and what was given to it before."""
        found = super().function(place)
        types = self.types(place)
        if found[0] is None and len(types) == 1 and types[0].startswith(PART):
            name, count, _ = parted(types[0])
            named = self._named(self.names.meaning(name, "")) or FuncRef(name)
            return named, tuple(place.step(bound(index)) for index in range(count))
        return found

    def _given(
        self, plain: tuple[Operand, ...], named: tuple[tuple[str, Operand], ...], at: Span
    ) -> tuple[tuple[Operand, ...], tuple[str, ...]]:
        """The arguments of an API: a bound method or a partial is its function; what was given to it before
        follows it where it is the last, and its object is named ``%self`` where it is not."""
        args: list[Operand] = []
        words: list[tuple[str, Operand]] = []
        for index, (word, operand) in enumerate([*(("", one) for one in plain), *named]):
            function, before = self.function_value(operand) if isinstance(operand, Place) else (None, ())
            value = function if function is not None and before else self.operand(operand, at)
            rest = [self.operand(one, at) for one in before] if function is not None else []
            if word:
                words.append((word, value))
            else:
                args.append(value)
            if rest and index == len(plain) - 1:
                args += rest
            elif rest and all(name != RECEIVER for name, _ in words):
                words.append((RECEIVER, rest[0]))
        return (*args, *(value for _, value in words)), tuple(word for word, _ in words)

    def numbered(self, given: tuple[Operand, ...], position: int, at: Span) -> tuple[Operand, ...]:
        """The arguments of a call that takes a descriptor or an object with one, which is asked for it."""
        subject = given[position] if position < len(given) else None
        if not isinstance(subject, Place):
            return given
        found = [self.hierarchy.find(one, "fileno") for one in self.types(subject)]
        names = sorted({one.name for one in found if one is not None and one.kind == "method"})
        if not names:
            return given
        number = self.temp()
        self.out.append(Call(number, Named("|".join(names)), (self.place(subject, at),), at))
        return (*given[:position], number, *given[position + 1 :])

    def spread(
        self, plain: tuple[Operand, ...], named: tuple[tuple[str, Operand], ...]
    ) -> tuple[tuple[Operand, ...], tuple[tuple[str, Operand], ...]]:
        """``f(*args)`` with the elements of ``args`` one by one, where this function makes all of them."""
        stars = [operand for word, operand in named if word == "*"]
        if len(stars) != 1 or not isinstance(stars[0], Place):
            return plain, named
        count = self._elements(stars[0])
        if not count:
            return plain, named
        each = tuple(stars[0].step(Field(f"[{index}]", "", True)) for index in range(count))
        return (*plain, *each), tuple((word, operand) for word, operand in named if word != "*")

    def _elements(self, sequence: Place) -> int:
        """How many elements a local sequence has that this function makes; 0 where it is another's."""
        if sequence.is_global or sequence.fields or sequence.name in self.raw.params:
            return 0
        made = {sequence}
        steps: set[str] = set()
        for instr in self.raw.instrs:
            if isinstance(instr, Assign) and instr.dst == sequence and isinstance(instr.src, Place):
                made.add(instr.src)
        for instr in self.raw.instrs:
            if not isinstance(instr, Assign) or not instr.dst.fields:
                continue
            if Place(instr.dst.root, instr.dst.name, instr.dst.fields[:-1], instr.dst.unit) in made:
                steps.add(instr.dst.fields[-1].name)
        known = [int(step[1:-1]) for step in steps if step[1:-1].isdigit()]
        return max(known, default=-1) + 1 + ("[]" in steps)

    def _placed(
        self,
        callee: Callee,
        plain: tuple[Operand, ...],
        named: tuple[tuple[str, Operand], ...],
        at: Span,
    ) -> tuple[Operand, ...]:
        """The arguments of a function of the project, one for each parameter."""
        assert callee.key is not None
        params = self.names.modules[callee.key.path].functions[callee.key.name].params
        given = place(callee.signature, params, (*callee.first, *plain), (*callee.named, *named))
        return tuple(self._one(one, callee.key.path, at) for one in given)

    def _one(self, placed: Placed, path: str, at: Span) -> Operand:
        if placed.elements:
            many = self.temp()
            self.out.append(Assign(many, Opaque("arguments"), at))
            for step, operand in placed.elements:
                value = self._carried(operand, at)
                self.out.append(Assign(many.step(Field(step, "", True)), value, at))
            return many
        if placed.value is None:
            return self.in_file(None, path) if placed.parameter.optional else Opaque("not given")
        if placed.value is placed.parameter.default:
            return self.in_file(placed.value, path)
        return self._carried(placed.value, at)

    def _carried(self, operand: Operand, at: Span) -> Operand:
        """An argument; a bound method goes as a value that has its object."""
        function, before = self.function(operand) if isinstance(operand, Place) else (None, ())
        if function is None or not before:
            return self.operand(operand, at)
        value = self.temp()
        self.out.append(Assign(value, function, at))
        for index, given in enumerate(before):
            self.out.append(Assign(value.step(bound(index)), self.operand(given, at), at))
        return value

    def _emit(self, call: Call, name: str, args: tuple[Operand, ...], keywords: tuple[str, ...] = ()) -> None:
        self.out.append(Call(call.dst, Named(name), args, call.at, call.via, keywords))
