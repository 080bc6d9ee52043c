"""Objects of one function: made, filled in, let go of. In: raw calls. Out: bound instructions."""

from vmfdlint.base import Span
from vmfdlint.frontends.python.callees import Callee
from vmfdlint.frontends.python.fresh import Freshness
from vmfdlint.frontends.python.module import DROP, NEW
from vmfdlint.frontends.python.passing import Passing
from vmfdlint.frontends.python.shapes import bound
from vmfdlint.frontends.python.types import TYPES
from vmfdlint.ir import Assign, Call, Field, Named, Operand, Place

_DEPTH = 2
"""Members of members that die with an object."""


class Objects(Passing):
    """What constructors, partials and drops become. ``ended`` says that the object of ``__init__`` has been
    let go of already, by the ``__init__`` of a base that raised."""

    fresh: Freshness
    ended: bool = False

    def _construct(
        self,
        call: Call,
        classes: list[str],
        callee: Callee,
        plain: tuple[Operand, ...],
        named: tuple[tuple[str, Operand], ...],
    ) -> None:
        """An object is made: it is new, then its class's ``__init__`` runs, or its fields are filled in."""
        owner = classes[0]
        dst = call.dst or self.temp()
        plain, named = (*callee.first, *plain), (*callee.named, *named)
        if self.hierarchy.is_a(owner, TYPES.enums) and plain:
            self.out.append(Assign(dst, self.operand(plain[0], call.at), call.at))
            return
        new = Call(dst, Named(NEW), (), call.at, call.via)
        found = [self.hierarchy.find(one, "__init__") for one in classes]
        inits = {one.name: one for one in found if one is not None}
        if inits:
            first = inits[min(inits)]
            init = Callee("project", first.name, first.key, first.signature, (dst,))
            args = self._placed(init, plain, named, call.at)
            self.out += [new, Call(None, Named("|".join(sorted(inits))), args, call.at, call.via)]
            return
        record = self.hierarchy.is_a(owner, TYPES.records)
        bases = [one for one in self.hierarchy.apis(owner) if one not in TYPES.plain | TYPES.records]
        if bases and not record and bases[0] not in TYPES.structures:
            name = self.inference.callees.contextual(bases[0])
            args, words = self._given(plain, named, call.at)
            self._emit(call, name, args, words)
            return
        values = self._fields(owner, plain, dict(named), call.at)
        self.out.append(new)
        for field, value in values.items():
            self.out.append(Assign(dst.step(Field(field, self.record(owner), True)), value, call.at))
        post = self.hierarchy.find(owner, "__post_init__")
        if post is not None:
            self.out.append(Call(None, Named(post.name), (dst,), call.at))

    def _fields(
        self, owner: str, plain: tuple[Operand, ...], named: dict[str, Operand], at: Span
    ) -> dict[str, Operand]:
        """What the fields of a new record are given; a field that is not named keeps its default."""
        found: dict[str, Operand] = {}
        left = list(plain)
        if self.hierarchy.is_a(owner, TYPES.records):
            for field, _type, _path in self.hierarchy.fields(owner):
                default = self.hierarchy.constant(owner, field)
                if left:
                    found[field] = self.operand(left.pop(0), at)
                elif field in named:
                    found[field] = self.operand(named[field], at)
                elif default is not None:
                    found[field] = default[0]
        for field, operand in named.items():
            if field not in found and field not in ("*", "**"):
                found[field] = self.operand(operand, at)
        return found

    def _partial(
        self, dst: Place, plain: tuple[Operand, ...], named: tuple[tuple[str, Operand], ...], at: Span
    ) -> None:
        """``partial(f, a)``: a value that holds what it was given."""
        function, before = self.function_value(plain[0]) if isinstance(plain[0], Place) else (None, ())
        given = [*before, *plain[1:]]
        values = [self.operand(one, at) for one in given]
        words = [(word, self.operand(one, at)) for word, one in named if word not in ("*", "**")]
        self.out.append(Assign(dst, function or self.operand(plain[0], at), at))
        for index, value in enumerate(values):
            self.out.append(Assign(dst.step(bound(index)), value, at))
        for word, value in words:
            self.out.append(Assign(dst.step(bound(word)), value, at))

    def _is_property(self, place: Place) -> bool:
        """Whether a member is a property: its object is let go of by what its setter assigns to."""
        base = Place(place.root, place.name, place.fields[:-1], place.unit)
        return bool(self.getters(self.types(base), place.fields[-1].name))

    def _drop(self, call: Call) -> None:
        """A variable lets go: the object's ``__del__`` runs before; what is no object of the project's stays
        only where the library closes it."""
        subject = call.args[0]
        if isinstance(subject, Place) and subject.fields and self._is_property(subject):
            return
        if isinstance(subject, Place) and self.fresh.holds_nothing(self.key, subject):
            return
        types = self.types(subject)
        value = self.operand(subject, call.at)
        if not isinstance(value, Place):
            return
        dies = isinstance(subject, Place) and not self.ended and self.fresh.alone(self.key, subject)
        if dies and isinstance(subject, Place):
            self._finalised(subject, call.at, 0)
        ours = any(one in self.hierarchy.classes or one.startswith("[") for one in types)
        if ours or not types:
            self.out.append(Call(None, Named(DROP), (value, *call.args[1:]), call.at))

    def memory_goes(self, returned: Operand | None, at: Span) -> Operand | None:
        """At the end of the function its structures of C go, whoever filled them in; the value that is
        returned was read before."""
        own = self.fresh.structures(self.key)
        if isinstance(returned, Place) and Place(returned.root, returned.name, (), returned.unit) in own:
            if not returned.fields:
                return returned
            kept = self.temp()
            self.out.append(Assign(kept, returned, at))
            returned = kept
        for place in own:
            self.out.append(Call(None, Named(DROP), (place,), at))
        return returned

    def _finalised(self, subject: Place, at: Span, depth: int) -> None:
        """An object dies: its ``__del__`` runs, then the objects die that only it holds; one of the library
        closes what it has."""
        types = self.types(subject)
        owners = [one for one in types if one in self.hierarchy.classes]
        found = [self.hierarchy.find(one, "__del__") for one in owners]
        names = sorted({one.name for one in found if one is not None})
        if not names and len(types) == 1 and types[0] in TYPES.closing:
            names = [f"{types[0]}.__del__"]
        if names:
            self.out.append(Call(None, Named("|".join(names)), (self.place(subject, at),), at))
        members = {name for one in owners for name in self.lookup.store.members(one)}
        for name in sorted(members) if depth < _DEPTH else ():
            alone = all(self.fresh.member_alone(name, one) for one in owners)
            if alone and not self.getters(types, name):
                self._finalised(subject.step(Field(name, "", True)), at, depth + 1)
