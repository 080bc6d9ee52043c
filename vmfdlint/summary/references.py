"""VM references that kernel code takes and puts, path by path. In: function keys. Out: memoised ends.

A small analysis of its own: it counts references inside one function and those it calls, knows of each result
only its sign, and looks into functions of the same folder and of files that name the calls that take or put.
"""

from collections.abc import Iterator
from functools import cached_property

import msgspec

from vmfdlint.base import Span
from vmfdlint.ir import (
    Assign,
    Assume,
    Call,
    Const,
    Function,
    FunctionKey,
    Named,
    Operand,
    Place,
    Return,
    Unparsed,
    holds,
)
from vmfdlint.link import Program
from vmfdlint.models import Acquire, Models, Release, Resolved, Sign, resolve

_DEPTH = 5
_STATES = 4_000
_MOST = 2

Signs = frozenset[int]
"""What a number may be: any of -1, 0 and 1, which stand for negative, zero and positive."""

ANY: Signs = frozenset({-1, 0, 1})
_SIGNS: dict[Sign, Signs] = {
    Sign.NEGATIVE: frozenset({-1}),
    Sign.ZERO: frozenset({0}),
    Sign.NULL: frozenset({0}),
    Sign.POSITIVE: frozenset({1}),
    Sign.NONZERO: frozenset({-1, 1}),
    Sign.ANY: ANY,
    Sign.RAISES: ANY,
}


class Taken(msgspec.Struct, frozen=True, order=True):
    """A call that takes a reference. ``checked``: it refuses a dying VM, or one is held already."""

    at: Span
    function: FunctionKey
    api: str
    checked: bool


class End(msgspec.Struct, frozen=True):
    """A way out of a function: ``held`` references more than before (fewer, if negative), what it returns.

    ``taken`` is the last call that took one, ``put`` the last that put one, on the way here.
    """

    held: int
    result: Signs
    at: Span
    taken: Taken | None = None
    put: Span | None = None

    @property
    def failed(self) -> bool:
        """Whether the caller gets an error: surely not zero, and negative for all that is known."""
        return 0 not in self.result and -1 in self.result


class _State(msgspec.Struct, frozen=True):
    """A path so far: references held, and the signs known of variables."""

    held: int = 0
    known: frozenset[tuple[Place, Signs]] = frozenset()
    taken: Taken | None = None
    put: Span | None = None

    def sign(self, operand: Operand | None) -> Signs:
        match operand:
            case Const(value=value) if value is not None:
                return frozenset({(value > 0) - (value < 0)})
            case Place():
                return next((signs for place, signs in self.known if place == operand), ANY)
            case _:
                return ANY

    def knowing(self, place: Place | None, signs: Signs) -> "_State":
        if place is None:
            return self
        rest = {pair for pair in self.known if pair[0] != place}
        if signs != ANY:
            rest.add((place, signs))
        return msgspec.structs.replace(self, known=frozenset(rest))


class References:
    """Memoised questions about the references that functions take and put."""

    def __init__(self, program: Program, models: Models) -> None:
        self.program = program
        self.models = models
        self._ends: dict[FunctionKey, tuple[End, ...]] = {}

    @cached_property
    def _files(self) -> frozenset[str]:
        """Files that name a call which takes or puts a reference."""
        names = self.models.names_with(Acquire, Release)
        return frozenset(path for name in names for path in self.program.lexicon.files_with(name))

    @cached_property
    def _putting(self) -> frozenset[str]:
        return self.models.names_with(Release)

    def ends(self, key: FunctionKey, depth: int = 0) -> tuple[End, ...]:
        """Every way out of a function that differs in references or result, in a fixed order."""
        known = self._ends.get(key)
        if known is not None:
            return known
        self._ends[key] = ()
        function = self.program.function(key)
        found = tuple(self._walk(function, depth)) if function is not None else ()
        self._ends[key] = tuple(sorted(dict.fromkeys(found), key=repr))
        return self._ends[key]

    def puts(self, key: FunctionKey) -> Span | None:
        """Where a function puts a reference that it did not take, on some path; None where it never does."""
        return min((end.put for end in self.ends(key) if end.held < 0 and end.put is not None), default=None)

    def _walk(self, function: Function, depth: int) -> Iterator[End]:
        start = (0, _State())
        seen = {start}
        stack = [start]
        while stack:
            number, state = stack.pop()
            for ended, after in self._through(function, number, state, depth):
                if ended is not None:
                    yield End(after.held, ended[0], ended[1], after.taken, after.put)
                    continue
                for successor in function.blocks[number].successors:
                    following = (successor, after)
                    if following not in seen and len(seen) < _STATES:
                        seen.add(following)
                        stack.append(following)

    def _through(
        self, function: Function, number: int, start: _State, depth: int
    ) -> Iterator[tuple[tuple[Signs, Span] | None, _State]]:
        """The states after a block; with what is returned and where, for those that leave."""
        states = [start]
        for instr in function.blocks[number].instrs:
            match instr:
                case Assume(left=left, op=op, right=right):
                    states = [after for state in states if (after := _guarded(state, left, op, right))]
                case Assign(dst=dst, src=src):
                    states = [state.knowing(dst, state.sign(src)) for state in states]
                case Call():
                    states = [
                        after for state in states for after in self._call(function, instr, state, depth)
                    ]
                case Unparsed(names=names, at=at) if self._putting.intersection(names):
                    # Damage must not make a put look forgotten.
                    states = [_added(state, -1, None, at) for state in states]
                case Return(value=value, at=at):
                    yield from (((state.sign(value), at), state) for state in states)
                    return
                case _:
                    pass
        yield from ((None, state) for state in states)

    def _call(self, function: Function, call: Call, state: _State, depth: int) -> list[_State]:
        modelled = self._modelled(call)
        if modelled is not None:
            return _modelled(function, call, modelled, state)
        if depth < _DEPTH:
            inner = [
                end
                for target in self.program.targets(function.key, call)
                if target.path in self._files or _folder(target) == _folder(function.key)
                for end in self.ends(target, depth + 1)
            ]
            if inner:
                found = [
                    _added(state, end.held, end.taken, end.put).knowing(call.dst, end.result) for end in inner
                ]
                return list(dict.fromkeys(found))
        return [state.knowing(call.dst, ANY)]

    def _modelled(self, call: Call) -> Resolved | None:
        if not isinstance(call.target, Named):
            return None
        found = resolve(self.models, call.target.name, call.args)
        return found if found is not None and (found.effects or found.failure is not Sign.ANY) else None


def _modelled(function: Function, call: Call, modelled: Resolved, state: _State) -> list[_State]:
    """The states after a call that a model knows: one for success, one for failure where it can fail."""
    held, taken, put = 0, None, None
    for effect in modelled.effects:
        if isinstance(effect, Acquire):
            held += 1
            taken = Taken(call.at, function.key, modelled.api, effect.checked)
        elif isinstance(effect, Release):
            held -= 1
            put = call.at
    failure = _SIGNS[modelled.failure]
    if modelled.failure in (Sign.ANY, Sign.RAISES):
        return [_added(state, held, taken, put).knowing(call.dst, ANY)]
    return [
        _added(state, held, taken, put).knowing(call.dst, ANY - failure),
        state.knowing(call.dst, failure),
    ]


def _added(state: _State, held: int, taken: Taken | None, put: Span | None) -> _State:
    if taken is not None and state.held > 0:
        taken = msgspec.structs.replace(taken, checked=True)
    return msgspec.structs.replace(
        state,
        held=max(-_MOST, min(_MOST, state.held + held)),
        taken=taken or state.taken,
        put=put or state.put,
    )


def _folder(key: FunctionKey) -> str:
    return key.path.rpartition("/")[0]


def _guarded(state: _State, left: Place, op: str, right: Operand) -> _State | None:
    """The state behind a comparison with zero; None where it cannot hold."""
    if not isinstance(right, Const) or right.value != 0:
        return state
    signs = frozenset(sign for sign in state.sign(left) if holds(op, sign, 0))
    return state.knowing(left, signs) if signs else None
