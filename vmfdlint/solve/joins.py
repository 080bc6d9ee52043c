"""Threads that a call waits for: what they do is done when it returns.

In: a call. Out: edges to the functions of the threads that it waits for, as if it called them, with the
calls that made the threads. A thread is known by its handle, which the call that made it filled in, returned
or was given: in the same function, or elsewhere by a member or an object of the same record.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import NamedTuple, TypeAlias

from vmfdlint.ir import Address, Assign, Call, FuncRef, FunctionKey, Operand, Place
from vmfdlint.link import CallGraph, Edge, EdgeKind, Site, callback_args
from vmfdlint.models import Callback, Copy, Resolved
from vmfdlint.solve.facts import Fact, match_path
from vmfdlint.solve.ports import operand_at
from vmfdlint.summary import (
    Behaviour,
    Flow,
    Path,
    behind_argument,
    path_of,
    port_path,
)

_Point: TypeAlias = tuple[FunctionKey, int, int]
"""A function, one of its blocks, an instruction in that."""
_Member: TypeAlias = tuple[str, str]
"""Record and name."""


class _Thread(NamedTuple):
    """A call that makes a thread, and by what that is known: its handle and the places that have that, too,
    each with the place that says whose it is."""

    site: Site
    call: Call
    handles: dict[Path, Place]


class Threads:
    """The threads that were made while a reference was followed."""

    def __init__(self, behaviour: Behaviour, graph: CallGraph, at: Mapping[_Point, Iterable[Fact]]) -> None:
        """``at``: the facts at each instruction, as far as they are known."""
        self._behaviour = behaviour
        self._graph = graph
        self._at = at
        self._made: dict[_Member, dict[Site, _Thread]] = defaultdict(dict)
        self._within: dict[FunctionKey, tuple[_Thread, ...]] = {}

    def note(self, fact: Fact, flow: Flow, site: Site, modelled: Resolved) -> bool:
        """The call at ``site`` is about to make a thread, if ``modelled`` says so; whether that is given the
        reference of a fact, and releases it. The rest as in :meth:`joined`."""
        found = False
        for thread in self._threads_of(flow) if _starts(modelled) else ():
            if thread.site == site:
                for handle in thread.handles.values():
                    if (member := _member(handle, flow)) is not None:
                        self._made[member][site] = thread
                found = fact.is_open and self._lets_go([fact], thread, flow)
        return found

    def joined(self, flow: Flow, site: Site, call: Call, modelled: Resolved) -> list[tuple[Site, Edge]]:
        """``call`` stands at ``site`` in the function of ``flow``; ``modelled`` is what it does."""
        edges: list[tuple[Site, Edge]] = []
        for thread in self._of_own(flow, site, call, modelled):
            edges += [(thread.site, edge) for edge in self._edges(thread.call, flow, site)]
        for port in modelled.threads:
            handle = operand_at(port, call.args)
            if isinstance(handle, Place) and (member := _member(handle, flow)) is not None:
                for thread, elsewhere in self._of_others(flow, member):
                    found = self._elsewhere(thread, elsewhere, site, handle, member)
                    edges += [(thread.site, edge) for edge in found]
        return edges

    def there(self, fact: Fact, began: Site) -> list[Fact]:
        """What is known of the reference of a fact where a thread began."""
        then = self._at.get((began.function, began.block, began.index), ())
        return [one for one in then if one.object == fact.object and one.is_open]

    def release(self, fact: Fact, flow: Flow, site: Site, call: Call, modelled: Resolved) -> bool:
        """Whether a thread that a call waits for was given the reference of a fact, and releases it. The rest
        as in :meth:`joined`."""
        for thread in self._of_own(flow, site, call, modelled):
            if self._lets_go([fact, *self.there(fact, thread.site)], thread, flow):
                return True
        for place in self._waited(flow, site, call, modelled).values():
            member = _member(place, flow)
            for thread, elsewhere in self._of_others(flow, member) if member is not None else ():
                if self._lets_go(self.there(fact, thread.site), thread, elsewhere):
                    return True
        return False

    def _lets_go(self, facts: Iterable[Fact], thread: _Thread, flow: Flow) -> bool:
        """Whether a thread that the function of ``flow`` makes releases what it was given of a reference, and
        ends. ``facts`` are of that function."""
        for edge in self._edges(thread.call, flow, thread.site):
            if self._behaviour.endings.never_returns(edge.callee, edge.args):
                continue
            for position, operand in enumerate(edge.args):
                origin = _origin(operand, flow, thread.site) if isinstance(operand, Place) else operand
                for steps in self._behaviour.teardown.released(edge.callee, position):
                    paths = (behind_argument(operand, steps), behind_argument(origin, steps))
                    if any(match_path(fact, path) for fact in facts for path in paths if path is not None):
                        return True
        return False

    def _of_own(self, flow: Flow, site: Site, call: Call, modelled: Resolved) -> Iterator[_Thread]:
        """The threads that a call waits for, of those that its function makes."""
        waited = self._waited(flow, site, call, modelled)
        for thread in self._threads_of(flow) if waited else ():
            if not waited.keys().isdisjoint(thread.handles):
                yield thread

    def _of_others(self, flow: Flow, member: _Member) -> Iterator[tuple[_Thread, Flow]]:
        """The threads of a member that other functions make."""
        for thread in self._made.get(member, {}).values():
            made = self._behaviour.flow(thread.site.function) if thread.site.function != flow.key else None
            if made is not None:
                yield thread, made

    def _waited(self, flow: Flow, site: Site, call: Call, modelled: Resolved) -> dict[Path, Place]:
        """The handles of the threads that a call waits for."""
        handles = [operand_at(port, call.args) for port in modelled.threads]
        places = [_origin(handle, flow, site) for handle in handles if isinstance(handle, Place)]
        return {path_of(place): place for place in places}

    def _threads_of(self, flow: Flow) -> tuple[_Thread, ...]:
        """The calls of a function that make threads."""
        known = self._within.get(flow.key)
        if known is None:
            known = self._within[flow.key] = tuple(
                _Thread(site, call, self._handles(site, call, flow))
                for site, call in flow.placed()
                if _starts(self._behaviour.modelled(flow.key, call))
            )
        return known

    def _elsewhere(
        self, thread: _Thread, flow: Flow, site: Site, handle: Place, member: _Member
    ) -> Iterator[Edge]:
        """As :meth:`_edges` for a call in another function, whose names are put into those of the one that
        waits; nothing where one of them means nothing there."""
        filled = next(one for one in thread.handles.values() if _member(one, flow) == member)
        for edge in self._edges(thread.call, flow, site):
            given = [_renamed(operand, filled, handle) for operand in edge.args]
            known = tuple(operand for operand in given if operand is not None)
            if len(known) == len(given):
                yield Edge(site, edge.callee, edge.kind, known)

    def _edges(self, made: Call, flow: Flow, site: Site) -> Iterator[Edge]:
        """What the thread of a call runs, as if it was called at ``site``."""
        ordered = self._graph.models.ordered(made)
        for effect in _starts(self._behaviour.modelled(flow.key, made)):
            position = effect.function.arg
            known = position is not None and position < len(ordered.args)
            function = ordered.args[position or 0] if known else None
            if isinstance(function, FuncRef):
                given = tuple(_element(one, flow) for one in callback_args(effect, ordered))
                for target in self._graph.program.resolve(function.name, flow.key.path):
                    yield Edge(site, target, EdgeKind.JOIN, given)

    def _handles(self, site: Site, call: Call, flow: Flow) -> dict[Path, Place]:
        """By what the thread of a call is known: where the call can put a handle, or its function puts that
        then, and the object that is given to the thread, which may be the thread itself."""
        places = [argument.place for argument in call.args if isinstance(argument, Address)]
        places += [call.dst] if call.dst is not None else []
        found = {path_of(place): place for place in places}
        if call.dst is not None:
            found |= self._copies(call.dst, flow)
        for effect in _starts(self._behaviour.modelled(flow.key, call)):
            given = operand_at(effect.data, self._graph.models.ordered(call).args)
            if isinstance(given, Place):
                origin = _origin(given, flow, site)
                found = {path_of(given): given, path_of(origin): origin} | found
        return found

    def _copies(self, place: Place, flow: Flow) -> dict[Path, Place]:
        """Where a function puts what is in a place, and what has it there: a variable, a list."""
        found = {path_of(place): place}
        for instr in flow.function.instrs:
            if isinstance(instr, Assign) and isinstance(instr.src, Place) and path_of(instr.src) in found:
                found.setdefault(path_of(instr.dst), instr.dst)
            elif isinstance(instr, Call):
                found |= self._put(instr, flow, found.keys())
        return found

    def _put(self, call: Call, flow: Flow, handles: Collection[Path]) -> dict[Path, Place]:
        """Where a call puts what is in one of some places."""
        found: dict[Path, Place] = {}
        modelled = self._behaviour.modelled(flow.key, call)
        for effect in modelled.effects if modelled is not None else ():
            if isinstance(effect, Copy) and port_path(effect.src, call.args) in handles:
                path, owner = port_path(effect.at, call.args), operand_at(effect.at, call.args)
                if path is not None and isinstance(owner, Place):
                    found[path] = owner
        return found


def _starts(modelled: Resolved | None) -> list[Callback]:
    """The effects of a call that make a thread."""
    effects = modelled.effects if modelled is not None else ()
    return [one for one in effects if isinstance(one, Callback) and one.when == EdgeKind.THREAD]


def _member(place: Place, flow: Flow) -> _Member | None:
    """The member that a place is, or an element of; a whole object by its record alone. None for none of a
    known record."""
    if not place.fields:
        record = dict(flow.function.local_types).get(place.name, "")
        return (record, "") if record else None
    named = [field for field in place.fields if field.name != "*" and not field.name.startswith("[")]
    return (named[-1].record, named[-1].name) if named and named[-1].record else None


def _renamed(operand: Operand, made: Place, waited: Place) -> Operand | None:
    """What a function that waits for the handle ``waited`` calls an operand of the one that put it into
    ``made``: the object that the handle is in, or what has one name everywhere. None for anything else."""
    place = operand.place if isinstance(operand, Address) else operand
    if not isinstance(place, Place) or place.is_global:
        return operand
    if place == made:
        return waited
    inside = made.fields[len(place.fields) :]
    if place.name != made.name or made.fields[: len(place.fields)] != place.fields or not inside:
        return None
    if [field.name for field in waited.fields[-len(inside) :]] != [field.name for field in inside]:
        return None
    base = Place(waited.root, waited.name, waited.fields[: -len(inside)], waited.unit)
    return base if waited.fields[-len(inside)].deref else Address(base)


def _element(operand: Operand, flow: Flow) -> Operand:
    """What stands in a sequence that was made for a call, which is gone by now: ``args=(vm,)``."""
    return flow.elements.get(path_of(operand), operand) if isinstance(operand, Place) else operand


def _origin(place: Place, flow: Flow, site: Site) -> Place:
    """What a variable was copied from when a call is reached; itself where that is not known."""
    write = None if place.fields else flow.written_last(place.name, site)
    copied = write[1] if write is not None else None
    return copied.src if isinstance(copied, Assign) and isinstance(copied.src, Place) else place
