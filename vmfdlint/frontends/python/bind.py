"""One raw function bound to the rest of the program. In: names as the source has them. Out: names that the
models and the library know, constructors taken apart, arguments in their places.
"""

import re
from functools import cached_property

import msgspec

from vmfdlint.base import Span
from vmfdlint.frontends.python import fold
from vmfdlint.frontends.python.arguments import split
from vmfdlint.frontends.python.callees import Callee
from vmfdlint.frontends.python.constants import Constants
from vmfdlint.frontends.python.exceptions import Exceptions
from vmfdlint.frontends.python.fresh import INIT, Freshness
from vmfdlint.frontends.python.infer import Inference
from vmfdlint.frontends.python.managers import Managers
from vmfdlint.frontends.python.module import BELOW, DROP, FORMAT, KEPT, NEXT, Signature
from vmfdlint.frontends.python.shapes import PART, bound, is_step, parted
from vmfdlint.frontends.python.types import TYPES
from vmfdlint.ir import (
    ELEMENT,
    RAISED,
    THROWN,
    Assign,
    Assume,
    Block,
    Call,
    Const,
    FuncRef,
    Function,
    Indirect,
    Instr,
    Member,
    Named,
    Opaque,
    Operand,
    Place,
    Return,
    Root,
    Text,
)

_NONE = Const(0, ("None",))
_LEAVING: dict[str, tuple[Operand, ...]] = {"__exit__": (_NONE,) * 3, "__throw__": (Const(1),) * 3}
"""What leaving a context manager gives its method: no exception, or one."""
RANGE = "builtins.range"
"""Runs over numbers, of which nothing is known where it is given none."""


class Binder:
    """Binds functions; nothing is kept between them."""

    def __init__(self, inference: Inference, constants: Constants, python2: bool) -> None:
        self.inference = inference
        self.constants = constants
        self.python2 = python2
        self.fresh = Freshness(inference)
        self.exceptions = Exceptions(inference.hierarchy)

    def bind(self, function: Function) -> Function:
        """The bound function."""
        return _Body(self, function).bound()


class _Body(Managers):
    """One function while it is bound."""

    def __init__(self, binder: Binder, function: Function) -> None:
        super().__init__(binder.inference, binder.constants, function.key)
        self.python2 = binder.python2
        self.fresh = binder.fresh
        self.exceptions = binder.exceptions
        self.raw = function
        self._closing: set[Place] = set()
        """Tuples that say what to close."""

    def bound(self) -> Function:
        """The whole function. A block is cut where a condition needs a call before it."""
        blocks: list[Block] = list(self.raw.blocks)
        failed = self._failed_inits()
        for number in range(len(blocks)):
            block = blocks[number]
            self.ended = number in failed
            pieces = self._pieces(block)
            indices = [number, *range(len(blocks), len(blocks) + len(pieces) - 1)]
            blocks += [block] * (len(pieces) - 1)
            for place_, index in enumerate(indices):
                final = place_ == len(indices) - 1
                blocks[index] = Block(
                    tuple(pieces[place_]),
                    block.successors if final else (indices[place_ + 1],),
                    block.label if not place_ else "",
                    block.jump if final else None,
                    block.unbounded and not place_,
                )
        types = self.record_types(self.raw)
        return msgspec.structs.replace(self.raw, blocks=tuple(blocks), local_types=types)

    @cached_property
    def _caches(self) -> bool:
        """Whether the function's values are kept for later calls."""
        signature = self.names.modules[self.key.path].signatures.get(self.key.name, Signature())
        return not TYPES.caching.isdisjoint(signature.decorators)

    def _failed_inits(self) -> frozenset[int]:
        """The blocks where an ``__init__`` goes on after that of a base has raised."""
        found: set[int] = set()
        for block in self.raw.blocks if self.key.name.endswith(INIT) else ():
            last = block.instrs[-1] if block.instrs else None
            if not isinstance(last, Call) or not self.raw.params:
                continue
            own = Place(Root.LOCAL, self.raw.params[0])
            callees = self.inference.callees.of(self.key, last)
            if any(one.kind == "project" and one.name.endswith(INIT) for one in callees) and all(
                own in (*one.first, *last.args)[:1] for one in callees
            ):
                found.update(each for each in block.successors if _raised(self.raw.blocks[each]))
        return frozenset(found)

    def _pieces(self, block: Block) -> list[list[Instr]]:
        pieces: list[list[Instr]] = [[]]
        for instr in block.instrs:
            self.out = []
            self.instr(instr)
            if isinstance(instr, Assume) and len(self.out) > 1:
                pieces[-1] += self.out[:-1]
                pieces.append(self.out[-1:])
            else:
                pieces[-1] += self.out
        return pieces

    def instr(self, instr: Instr) -> None:
        """Binds one instruction into ``out``."""
        match instr:
            case Assign(dst=dst, src=Const(value=value, names=(name,)), at=at) if dst == THROWN:
                self.out.append(Assign(dst, Const(value, self.exceptions.names(name)), at))
            case Assume(left=left, right=Const(names=names)) if left == THROWN:
                if self.exceptions.all_known(names):
                    self.out.append(instr)
            case Assign(dst=dst, src=src, at=at):
                self.assign(dst, src, at)
            case Call(target=target, at=at):
                self.call(instr)
                if isinstance(target, Member | Indirect):
                    self._spend(target.base if isinstance(target, Member) else target.place, at)
            case Assume(left=left, op=op, right=right, at=at):
                self.out.append(Assume(self.place(left, at), op, self.operand(right, at), at))
            case Return(value=value, at=at):
                given = None if value is None else self.operand(value, at)
                if isinstance(given, Place) and self._caches:
                    self.out.append(Call(None, Named(KEPT), (given,), at))
                self.out.append(Return(self.memory_goes(given, at), at))
            case _:
                self.out.append(instr)

    def assign(self, dst: Place, src: Operand, at: Span) -> None:
        """Binds ``dst = src``; to a property it is a call of its setter."""
        value = self.operand(src, at)
        if dst.fields and self._set(dst, value, at):
            return
        if self._closes(dst, value):
            value = Opaque("closed")
        target = self.place(dst, at, store=True)
        self.out.append(Assign(target, value, at))
        if isinstance(src, Place) and isinstance(value, FuncRef):
            for index, given in enumerate(self.function_value(src)[1]):
                self.out.append(Assign(target.step(bound(index)), self.operand(given, at), at))

    def _closes(self, dst: Place, value: Operand) -> bool:
        """Whether an element of a tuple is what the tuple says to close: nobody is given that."""
        if not dst.fields or not is_step(dst.fields[-1].name):
            return False
        whole = Place(dst.root, dst.name, dst.fields[:-1], dst.unit)
        if isinstance(value, Const) and not TYPES.closing_actions.isdisjoint(value.names):
            self._closing.add(whole)
        return whole in self._closing

    def _set(self, dst: Place, value: Operand, at: Span) -> bool:
        """An assignment to a property runs its setter, where it has one."""
        base = Place(dst.root, dst.name, dst.fields[:-1], dst.unit)
        types = self.types(base)
        if not self.getters(types, dst.fields[-1].name):
            return False
        owners = [one for one in types if one in self.hierarchy.classes]
        setters = [self.hierarchy.setter(one, dst.fields[-1].name) for one in owners]
        names = sorted({one.name for one in setters if one is not None})
        if names:
            self.out.append(Call(None, Named("|".join(names)), (self.place(base, at), value), at))
        return bool(names)

    # Calls

    def call(self, call: Call) -> None:
        """Binds a call."""
        name = call.target.name if isinstance(call.target, Named) else ""
        if name == DROP:
            self._drop(call)
            return
        call = self.inference.callees.as_method(self.key, call)
        callees = self.inference.callees.of(self.key, call)
        asked = isinstance(call.target, Member) and call.target.field == NEXT and call.dst is None
        waits = callees and all(one.kind == "api" and self.names.known(one.name) for one in callees)
        if asked and not waits:
            return  # a collection, or what looks like one
        if name == "builtins.super" and call.dst is not None and self.raw.params:
            self.out.append(Assign(call.dst, Place(Root.LOCAL, self.raw.params[0]), call.at))
            return
        plain, named = split(call.args, call.keywords)
        folded = self._folded(name, call)
        if folded is not None and call.dst is not None:
            self.out.append(Assign(call.dst, folded, call.at))
            return
        made = [one.name for one in callees if one.kind == "new"]
        ours = [one for one in callees if one.kind == "project"]
        if isinstance(call.target, Indirect) and self._stays(call.target.place, callees):
            self._through(call, call.target.place)
        elif made:
            self._construct(call, made, callees[0], plain, named)
        elif ours:
            if isinstance(call.target, Member) and not plain:
                plain = _LEAVING.get(call.target.field, ())
            args = self._placed(ours[0], plain, named, call.at)
            self._emit(call, "|".join(sorted(one.name for one in ours)), args)
            if isinstance(call.target, Member) and all(self._ends(one) for one in ours):
                self.out.append(Call(None, Named(DROP), args[:1], call.at))
        elif len(callees) != 1:
            self._unsure(call, callees)
        elif len(plain) > TYPES.partials.get(callees[0].name, len(plain)) and call.dst is not None:
            if callees[0].name in TYPES.once:
                self._api(msgspec.structs.replace(call, dst=None), callees[0], plain, named)
            self._partial(call.dst, plain[TYPES.partials[callees[0].name] :], named, call.at)
        else:
            self._api(call, callees[0], plain, named)

    def _spend(self, place: Place, at: Span) -> None:
        """What was given to a function before is gone where a second call of it does nothing."""
        types = self.types(place)
        for one in types if not TYPES.once.isdisjoint(types) else ():
            for index in range(parted(one)[1] if one.startswith(PART) else 0):
                self.out.append(Assign(self.place(place.step(bound(index)), at), Opaque("spent"), at))

    def _ends(self, callee: Callee) -> bool:
        """Whether a call leaves a context manager made of a generator: its locals go then."""
        owner, _, method = callee.name.rpartition(".")
        return method in _LEAVING and self.hierarchy.own(owner, "__throw__") is not None

    def _folded(self, name: str, call: Call) -> Operand | None:
        """A text filled in and a request number computed, where all of it is known."""
        if call.keywords or not name:
            return None
        given = [self.constant(one) if isinstance(one, Place) else one for one in call.args]
        known = tuple(one or Opaque() for one in given)
        return fold.filled(known) if name == FORMAT else fold.request(name, known)

    def _stays(self, place: Place, callees: tuple[Callee, ...]) -> bool:
        """Whether a call of a variable stays one: nothing is known, or it is a parameter that callers give
        different functions."""
        if not callees:
            return True
        if place.is_global or place.fields or place.name not in self.raw.params:
            return False
        kinds = {one.kind for one in callees}
        return kinds != {"new"} and len(callees) > 1

    def _through(self, call: Call, place: Place) -> None:
        target = self.place(place, call.at)
        args = tuple(self.operand(one, call.at) for one in call.args)
        self.out.append(Call(call.dst, Indirect(target), args, call.at, call.via, call.keywords))

    def _unsure(self, call: Call, callees: tuple[Callee, ...]) -> None:
        """One of several functions that are not of the project: the name stays that of the source."""
        args = tuple(self.operand(one, call.at) for one in call.args)
        match call.target:
            case Member(field=name, base=base):
                receiver = self.place(Place(base.root, base.name, base.fields[:-1], base.unit), call.at)
                self._emit(call, f"?.{name}", (receiver, *args), call.keywords)
            case Indirect(place=place):
                self._through(call, place)
            case Named(name=name):
                self._emit(call, callees[0].name if callees else name, args, call.keywords)

    def _api(
        self, call: Call, callee: Callee, plain: tuple[Operand, ...], named: tuple[tuple[str, Operand], ...]
    ) -> None:
        name = callee.name
        self._handed_on(call, name.rpartition(".")[2], plain)
        if self.collected(call, callee):
            return
        if name in TYPES.stacks and self.stacked(call, TYPES.stacks[name], callee.first, plain):
            return
        if self.wrapper(call, name, callee.first[:1] or plain[:1]):
            return
        enters = callee.kind == "api" and name.endswith(".__enter__") and not self.names.known(name)
        if enters and callee.first and call.dst is not None:
            self.out.append(Assign(call.dst, self.operand(callee.first[0], call.at), call.at))
            return
        position = TYPES.values.get(name)
        given = (*callee.first, *plain)
        if position is not None and position < len(given) and call.dst is not None:
            self.out.append(Assign(call.dst, self.operand(given[position], call.at), call.at))
            return
        if name in TYPES.filenos:
            given = self.numbered(given, TYPES.filenos[name], call.at)
        given, named = self.spread(given, named)
        if name.rpartition(".")[2] in TYPES.fills:
            named = ()  # it is called as a member of what is filled, and by nobody else
        if callee.kind == "api" and self.python2 and self.names.known(f"python2.{name}"):
            name = f"python2.{name}"
        args, words = self._given(given, (*callee.named, *named), call.at)
        asked = args[0] if args and name in TYPES.ranges else None
        if isinstance(asked, Text) and re.fullmatch(TYPES.ranges[name], asked.value):
            name, args = RANGE, ()
        self._emit(call, name, args, words)
        if name in TYPES.listings and args and call.dst is not None:
            self._listed(call.dst, args, TYPES.listings[name], call.at)

    def _listed(self, dst: Place, args: tuple[Operand, ...], position: int, at: Span) -> None:
        """Each element of what a path is asked for is a path below it."""
        element = self.temp()
        name = args[position] if 0 <= position < len(args) else Opaque("any")
        if isinstance(name, Text):
            name = Text(name.value.replace("*", "%s"))
        self.out.append(Call(element, Named(FORMAT), (Text(BELOW), args[0], name), at))
        self.out.append(Assign(dst.step(ELEMENT), element, at))

    def _handed_on(self, call: Call, method: str, plain: tuple[Operand, ...]) -> None:
        """``loop.run_in_executor(pool, f)`` submits ``f`` to the pool, before it waits for that."""
        taking = TYPES.hands.get(method)
        if taking is None or not plain:
            return
        names = [f"{one}.{taking}" for one in self.types(plain[0])]
        if len(names) == 1 and self.names.known(names[0]):
            args, words = self._given(plain, (), call.at)
            self.out.append(Call(None, Named(names[0]), args, call.at, call.via, words))


def _raised(block: Block) -> bool:
    """Whether an exception is on its way in a block."""
    first = block.instrs[0] if block.instrs else None
    return isinstance(first, Assume) and first.left == RAISED and first.op == "!="
