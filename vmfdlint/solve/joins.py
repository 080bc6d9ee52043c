"""Threads that a call waits for: what they do is done when it returns.

In: a call. Out: edges to the functions of the threads that it waits for, as if it called them, with the
calls that made the threads. A thread is known by its handle, which the call that made it filled in, returned
or was given: in the same function, or elsewhere by a member or an object of the same record.
"""

from collections import defaultdict
from collections.abc import Iterator
from typing import TypeAlias

from vmfdlint.ir import Address, Assign, Call, FuncRef, Operand, Place
from vmfdlint.link import CallGraph, Edge, EdgeKind, Site, callback_args
from vmfdlint.models import Callback, Resolved
from vmfdlint.solve.ports import operand_at
from vmfdlint.summary import Behaviour, Flow, is_temporary, path_of, port_path

_Member: TypeAlias = tuple[str, str]
"""Record and name."""


class Threads:
    """The threads that were made while a reference was followed."""

    def __init__(self, behaviour: Behaviour, graph: CallGraph) -> None:
        self._behaviour = behaviour
        self._graph = graph
        self._made: dict[_Member, dict[Site, Call]] = defaultdict(dict)

    def note(self, flow: Flow, site: Site, call: Call, modelled: Resolved) -> None:
        """``call`` is about to make a thread, if ``modelled`` says so; the rest as in :meth:`joined`."""
        for handle in self._handles(call, flow) if _starts(modelled) else ():
            member = _member(handle, flow)
            if member is not None:
                self._made[member][site] = call

    def joined(self, flow: Flow, site: Site, call: Call, modelled: Resolved) -> list[tuple[Site, Edge]]:
        """``call`` stands at ``site`` in the function of ``flow``; ``modelled`` is what it does."""
        ports = modelled.threads
        handles = {path for port in ports if (path := port_path(port, call.args)) is not None}
        edges: list[tuple[Site, Edge]] = []
        for began, made in flow.placed() if handles else ():
            if not handles.isdisjoint(map(path_of, self._handles(made, flow))):
                edges += [(began, edge) for edge in self._edges(made, flow, site)]
        for port in ports:
            handle = operand_at(port, call.args)
            if isinstance(handle, Place) and (member := _member(handle, flow)) is not None:
                for began, made in self._made.get(member, {}).items():
                    elsewhere = self._behaviour.flow(began.function) if began.function != flow.key else None
                    if elsewhere is not None:
                        found = self._elsewhere(made, elsewhere, site, handle, member)
                        edges += [(began, edge) for edge in found]
        return edges

    def _elsewhere(
        self, made: Call, flow: Flow, site: Site, handle: Place, member: _Member
    ) -> Iterator[Edge]:
        """As :meth:`_edges` for a call in another function, whose names are put into those of the one that
        waits; nothing where one of them means nothing there."""
        filled = next(one for one in self._handles(made, flow) if _member(one, flow) == member)
        for edge in self._edges(made, flow, site):
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

    def _handles(self, call: Call, flow: Flow) -> list[Place]:
        """By what the thread of a call is known: where the call can put a handle, or its function puts that
        at once, and the object that is given to the thread, which may be the thread itself."""
        found = [argument.place for argument in call.args if isinstance(argument, Address)]
        if call.dst is not None:
            found.append(call.dst)
            if is_temporary(path_of(call.dst)):
                instrs = flow.function.instrs
                found += [one.dst for one in instrs if isinstance(one, Assign) and one.src == call.dst]
        for effect in _starts(self._behaviour.modelled(flow.key, call)):
            given = operand_at(effect.data, self._graph.models.ordered(call).args)
            found += [given] if isinstance(given, Place) else []
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
