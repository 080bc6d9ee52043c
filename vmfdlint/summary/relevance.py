"""Which functions can matter to a fact: those that touch its place, and everything that calls them.

A topic is a member name whose holders are changed or used, or a kind of process event. For each topic the
functions that touch it are found by name, and their callers by climbing the call graph; a call to any other
function leaves the fact as it is and is never lowered.
"""

from collections import defaultdict
from collections.abc import Callable, Container, Iterator
from typing import NamedTuple, TypeAlias

from vmfdlint.base import LIMITS
from vmfdlint.ir import (
    Address,
    Assign,
    Assume,
    Call,
    Function,
    FunctionKey,
    Instr,
    Named,
    Operand,
    Place,
    Return,
)
from vmfdlint.link import CallGraph, Edge, EdgeKind, Site, common_directories
from vmfdlint.summary.behaviour import Behaviour
from vmfdlint.summary.climb import Climb
from vmfdlint.summary.flow import Flow
from vmfdlint.summary.membership import Membership
from vmfdlint.summary.own_values import selects, touching_others
from vmfdlint.summary.parameters import changes, lets_go
from vmfdlint.summary.paths import Path, is_global, path_of, step_name, unit_of, variable


class _Holding(NamedTuple):
    """Files; ``where`` tells them from those of the same member for others that ask, if they are not all."""

    paths: tuple[str, ...]
    where: str


Does: TypeAlias = Callable[[FunctionKey, Call], bool]
"""Whether a call in a function is what a topic is about."""


def _nothing(_caller: FunctionKey, _call: Call) -> bool:
    return False


class Reach(frozenset[FunctionKey]):
    """The functions below which a topic is touched: those it began with, ``seeds``, and all their callers."""

    topic: str = ""
    seeds: tuple[FunctionKey, ...] = ()
    does: Does = staticmethod(_nothing)


class Relevance(Membership):
    """Touching functions and their callers, per topic, on demand."""

    def __init__(self, graph: CallGraph, behaviour: Behaviour) -> None:
        super().__init__(graph)
        self.behaviour = behaviour
        self._callers_of: dict[frozenset[str], tuple[FunctionKey, ...]] = {}
        self._steppers: dict[Path, tuple[FunctionKey, ...]] = {}
        self._files: dict[tuple[str, str, str], _Holding] = {}
        self._asked: dict[str, frozenset[str]] = {}
        self._reach: dict[str, Reach] = {}
        self.edges: dict[Site, dict[tuple[FunctionKey, EdgeKind], Edge]] = defaultdict(dict)
        self.deferred: dict[str, tuple[Edge, ...]] = {}

    def reaches(
        self, topic: str, touching: Callable[[], tuple[FunctionKey, ...]], does: Does = _nothing
    ) -> Reach:
        """The functions that touch ``topic`` and all their callers. ``does`` says of a call in one of the
        former whether it is what the topic is about."""
        known = self._reach.get(topic)
        if known is None:
            known = Reach(self.ancestors(topic, seeds := touching()))
            known.topic, known.seeds, known.does = topic, seeds, does
            self._reach[topic] = known
        return known

    def asked(self, reach: Reach) -> frozenset[str]:
        """The globals (as roots of paths) and the members (by name) that decide whether the functions which a
        topic began with do what it is about; but for what is released itself."""
        known = self._asked.get(reach.topic)
        if known is None:
            flows = [flow for flow in map(self.behaviour.flow, reach.seeds) if flow is not None]
            found = {name for flow in flows for name in _guarding(flow, reach.does)}
            calls = ((flow.key, call) for flow in flows for call in flow.calls)
            given = {name for key, call in calls if not self._lets_go(key, call) for name in _given(call)}
            known = self._asked[reach.topic] = frozenset(found - given)
        return known

    def _lets_go(self, caller: FunctionKey, call: Call) -> bool:
        """Whether a call is made because something else comes to a place: what is tested may do so, too."""
        modelled = self.behaviour.modelled(caller, call)
        return modelled is not None and lets_go(modelled) and not changes(modelled, own=True)

    def _does(self, caller: FunctionKey, call: Call) -> bool:
        """Whether a call does more to what it is given than use it, whatever that is: what a function
        releases together is noted down together."""
        modelled = self.behaviour.modelled(caller, call)
        if modelled is not None:
            return changes(modelled, own=False)
        members = (index for index, one in enumerate(call.args) if isinstance(one, Place) and one.fields)
        return self._changed_below(caller, call, list(members))

    def ancestors(self, topic: str, seeds: tuple[FunctionKey, ...]) -> frozenset[FunctionKey]:
        """The seeds and everything that calls them, now or later; remembers the edges climbed."""
        climb = Climb(self.graph, seeds)
        deferred: list[Edge] = []

        def follows(edge: Edge) -> bool:
            self.edges[edge.site][(edge.callee, edge.kind)] = edge
            if edge.kind.is_deferred:
                deferred.append(edge)
            return not edge.kind.is_deferred

        while climb.frontier:
            climb.step(follows)
            if climb.is_wide:
                break
        if climb.values_left <= 0 or climb.is_wide:
            self.program.limit(f"not all callers of the functions that can {topic} were followed: too many")
        self.deferred[topic] = tuple(dict.fromkeys(deferred))
        return frozenset(climb.found)

    def changing_member(self, record: str, member: str, own: bool, near: str) -> Reach:
        """Functions below which a descriptor in ``record``'s ``member`` is closed, copied or handed on.

        ``own``: the very object is at hand, so that an assignment or a mapping through it counts too; for
        objects known only by their record these happen to others. ``near`` is the file that asks: of a record
        that is not known only the nearest of many files count.
        """
        paths = self._holding(record, member, near)
        return self.reaches(
            f"change {_shown(record, member)}{' of the object itself' if own else ''}{paths.where}",
            lambda: self._touching(
                paths.paths, record, member, lambda function, r, m: self._changes_member(function, r, m, own)
            ),
            self._does,
        )

    def using_member(self, record: str, member: str, near: str) -> Reach:
        """Functions below which a descriptor in ``record``'s ``member`` is given to any call; ``near`` as in
        :meth:`changing_member`."""
        paths = self._holding(record, member, near)
        return self.reaches(
            f"use {_shown(record, member)}{paths.where}",
            lambda: self._touching(paths.paths, record, member, _uses_member),
            self._does,
        )

    def changing_global(self, name: str) -> Reach:
        """Functions below which a descriptor in a global variable is closed, copied, replaced or mapped."""
        topic = f"change {name.removeprefix('@')}"
        return self.reaches(topic, lambda: self._naming_global(name, self._changes_variable), self._does)

    def using_global(self, name: str) -> Reach:
        """Functions below which a descriptor in a global variable is given to any call."""
        topic = f"use {name.removeprefix('@')}"
        return self.reaches(
            topic, lambda: self._naming_global(name, lambda _function, _name: True), self._does
        )

    def stepping(self, number: Path) -> Reach:
        """Functions below which a number of users is stepped."""
        return self.reaches(f"step {'.'.join(number[1:])}", lambda: self.steppers(number))

    def steppers(self, number: Path) -> tuple[FunctionKey, ...]:
        """Functions that step a number of users (``count_of``)."""
        known = self._steppers.get(number)
        if known is None:
            flows = ((key, self.behaviour.flow(key)) for key in self._naming(number))
            found = (key for key, flow in flows if flow is not None and number in flow.steps)
            known = self._steppers[number] = tuple(found)
        return known

    def _naming(self, number: Path) -> list[FunctionKey]:
        """Functions that name a number: a global variable, or a member."""
        _count, root, *steps = number
        if not steps:
            bare = variable((root,))
            seeing = self._seeing(bare, unit_of((root,)))
            return [key for path in seeing for key in self.program.mentioning_in(path, bare)]
        member = step_name(steps[-1])
        files = self._holding(root[1:], member, "").paths
        return [key for path in files for key in self.program.selecting_in(path, member)]

    def calling(self, topic: str, names: frozenset[str], wanted: Callable[[FunctionKey], bool]) -> Reach:
        """Functions below which an API of ``names`` is called, by a function that ``wanted`` accepts."""
        return self.reaches(
            topic,
            lambda: tuple(key for key in self.callers_of(names) if wanted(key)),
            lambda _caller, call: isinstance(call.target, Named) and call.target.name in names,
        )

    def callers_of(self, names: frozenset[str]) -> tuple[FunctionKey, ...]:
        """Functions that may call one of ``names``, sorted."""
        known = self._callers_of.get(names)
        if known is None:
            files = ((path, name) for name in names for path in self.program.lexicon.files_with(name))
            found = {key for path, name in files for key in self.program.calling_in(path, name)}
            known = self._callers_of[names] = tuple(sorted(found))
        return known

    def _holding(self, record: str, member: str, near: str) -> _Holding:
        """The files that may touch a member."""
        lexicon = self.program.lexicon
        directory = near.rpartition("/")[0] or "."
        known = self._files.get((record, member, directory))
        if known is not None:
            return known
        paths = lexicon.files_with(member)
        where = ""
        if record not in ("?", ""):
            naming = set(lexicon.files_with(record.split(".")[0]))
            # A file may know an object by a variable alone: a member that few files name is asked in all.
            if len(paths) > LIMITS.few_files and any(path.endswith(".c") for path in naming):
                paths = tuple(path for path in paths if path in naming)
        elif len(paths) > LIMITS.unknown_files:
            where = f" near {directory}"
            self.program.limit(
                f"{len(paths):,} files name a member {member}, of a record that is not known: those "
                f"nearest to {directory} were looked into"
            )
            closest = sorted(paths, key=lambda path: (-common_directories(path, near), path))
            paths = tuple(sorted(closest[: LIMITS.unknown_files]))
        self._files[(record, member, directory)] = found = _Holding(paths, where)
        return found

    def _touching(
        self,
        paths: tuple[str, ...],
        record: str,
        member: str,
        touches: Callable[[Function, str, str], bool],
    ) -> tuple[FunctionKey, ...]:
        found = []
        for path in paths:
            for key in self.program.selecting_in(path, member):
                function = self.program.function(key)
                if function is not None and touches(function, record, member):
                    found.append(key)
        return tuple(sorted(found))

    def _naming_global(self, name: str, touches: Callable[[Function, str], bool]) -> tuple[FunctionKey, ...]:
        bare = variable((name,))
        found = []
        for path in self._seeing(bare, unit_of((name,))):
            for key in self.program.mentioning_in(path, bare):
                function = self.program.function(key)
                if function is not None and touches(function, bare):
                    found.append(key)
        return tuple(found)

    def _seeing(self, bare: str, unit: str) -> tuple[str, ...]:
        """The files whose code can mean a global variable by its name: those that see its declaration; of a
        static one of the file ``unit`` that file, what it includes, and what includes it."""
        lexicon = self.program.lexicon
        paths = lexicon.files_with(bare)
        if unit:
            including = {path for path in paths if unit in lexicon.may_include(path)}
            seeing: Container[str] = {unit, *lexicon.included(unit), *including}
        else:
            seeing = lexicon.sight("variables", bare)
        return tuple(path for path in paths if path in seeing or self.program.bound(path) is not None)

    def _changes_member(self, function: Function, record: str, member: str, own: bool) -> bool:
        for instr in function.instrs if own else touching_others(function, record, member):
            match instr:
                case Assign(dst=dst, src=src):
                    if own and selects(dst, record, member):
                        return True
                    source = src.place if isinstance(src, Address) else src
                    if isinstance(source, Place) and selects(source, record, member):
                        return True
                case Call() if self._call_changes(function.key, instr, record, member, own):
                    return True
                case Return(value=Place() as value) if selects(value, record, member):
                    return True  # its callers do with it what they like
                case _:
                    pass
        return False

    def _call_changes(self, caller: FunctionKey, call: Call, record: str, member: str, own: bool) -> bool:
        if own and call.dst is not None and selects(call.dst, record, member):
            return True
        positions = [
            index
            for index, arg in enumerate(call.args)
            if isinstance(arg, Place) and selects(arg, record, member)
        ]
        taken = any(isinstance(a, Address) and selects(a.place, record, member) for a in call.args)
        if not positions and not taken:
            return False
        modelled = self.behaviour.modelled(caller, call)
        if modelled is not None:
            return changes(modelled, own)
        if own and isinstance(call.target, Named) and not self.program.targets(caller, call):
            return True  # nothing is known of it: it can close the descriptor or keep it
        return taken or self._changed_below(caller, call, positions)

    def _changed_below(self, caller: FunctionKey, call: Call, positions: list[int]) -> bool:
        """Whether a callee does more to what it gets at some positions than use it."""
        targets = self.program.targets(caller, call) if positions else ()
        return any(
            self.behaviour.parameters.changed(target, index) for target in targets for index in positions
        )

    def _changes_variable(self, function: Function, name: str) -> bool:
        for instr in function.instrs:
            match instr:
                case Assign(dst=dst, src=src):
                    if _is_global(dst, name) or (isinstance(src, Place) and _is_global(src, name)):
                        return True
                case Call(dst=dst, args=args):
                    if dst is not None and _is_global(dst, name):
                        return True
                    if any(_argument_is_global(arg, name) for arg in args):
                        modelled = self.behaviour.modelled(function.key, instr)
                        if modelled is None or changes(modelled, own=True) or lets_go(modelled):
                            return True
                case Return(value=Place() as value) if _is_global(value, name):
                    return True
                case _:
                    pass
        return False


def _guarding(flow: Flow, does: Does) -> Iterator[str]:
    """What the guards ask that every way to a call which ``does`` it passes."""
    for site, call in flow.placed():
        for number in flow.above(site.block) if does(flow.key, call) else ():
            for instr in flow.function.blocks[number].instrs:
                path = path_of(instr.left) if isinstance(instr, Assume) else ()
                if len(path) > 1:
                    yield step_name(path[-1])
                elif path and is_global(path):
                    yield path[0]


def _given(call: Call) -> Iterator[str]:
    """The members and globals that a call is given."""
    for argument in call.args:
        place = argument.place if isinstance(argument, Address) else argument
        if isinstance(place, Place) and (place.fields or place.is_global):
            yield step_name(path_of(place)[-1])


def _shown(record: str, member: str) -> str:
    """A member, for a message."""
    return f"{record}.{member}" if record not in ("?", "") else f"a member {member}"


def _is_global(place: Place, name: str) -> bool:
    return place.is_global and place.name.split(".")[-1] == name


def _argument_is_global(argument: object, name: str) -> bool:
    if isinstance(argument, Address):
        argument = argument.place
    return isinstance(argument, Place) and _is_global(argument, name)


def _uses_member(function: Function, record: str, member: str) -> bool:
    """Whether a function gives a member to a call, or returns it to callers who do."""
    return any(
        isinstance(operand, Place) and selects(operand, record, member)
        for instr in function.instrs
        for operand in _handed(instr)
    )


def _handed(instr: Instr) -> tuple[Operand | None, ...]:
    """What an instruction gives to other functions."""
    match instr:
        case Call(args=args):
            return args
        case Return(value=value):
            return (value,)
        case _:
            return ()
