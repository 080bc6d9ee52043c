"""Incidents of control groups: a process that holds a VM is moved to another one.

In: a solved program. Out: one incident a call that moves. Facts do not see each other while they flow, and no
holder enters a helper that only writes a file; so from the move the calls that led to it are climbed until a
function is found in which a holder is open at the call.
"""

from collections.abc import Iterator

import msgspec

from vmfdlint.base import LIMITS, Span
from vmfdlint.check.incident import Incident, best, created, named, objects_of
from vmfdlint.check.incidents_process import survivals
from vmfdlint.finding import Related
from vmfdlint.ir import Address, Assign, Call, Const, FuncRef, FunctionKey, Named, Operand, Place, Text
from vmfdlint.link import Site
from vmfdlint.models import Fork, Migrate, Write
from vmfdlint.solve import ZERO_FACT, Happening, Observation, Solver
from vmfdlint.summary import Flow

_COPIES = 6
"""How often the number of a process is copied or written down before it is used."""


class _Move(msgspec.Struct, frozen=True):
    """One call that moves a process: ``context`` is the solver's, None where any will do."""

    site: Site
    call: Call
    api: str
    effect: Migrate
    context: int | None = None


class _Place(msgspec.Struct, frozen=True):
    """A call on the way up from a move. ``task`` is the number of the process there, None for the caller
    itself; ``way`` are the calls below it that lead to the move."""

    site: Site
    context: int | None
    task: Operand | None
    way: tuple[Span, ...] = ()

    @property
    def name(self) -> tuple[Site, int | None, Operand | None]:
        """What makes two places one."""
        return self.site, self.context, self.task


def migrations(solver: Solver) -> Iterator[Incident]:
    """One incident a call that moves the creator, or a child that survives, with a holder open."""
    children = survivals(solver.observations)
    for move in sorted(_moves(solver), key=lambda move: (move.call.at, move.site, move.context or 0)):
        if move.effect.child:
            seen_list = children.get(move.site, [])
            if seen_list:
                yield _incident(move, seen_list, "child")
            continue
        yield from _climbed(solver, move, children)


def _incident(move: _Move, seen_list: list[Observation], moved: str, way: tuple[Span, ...] = ()) -> Incident:
    held = objects_of([seen.fact for seen in seen_list])
    evidence = best(seen_list)
    who = "a child that keeps the VM" if moved == "child" else "the process that created the VM"
    return Incident(
        "moved to cgroup",
        move.site,
        move.call.at,
        evidence,
        held,
        {"moved": moved, "kind": held[0].kind.value},
        {"api": move.api, "holders": named(held), "reason": who, "wait": evidence.detail},
        (*created(held), *(Related(at, "by this call") for at in way)),
    )


def _moves(solver: Solver) -> Iterator[_Move]:
    """The writes to a file of a control group that the solver saw, and the calls that move by themselves."""
    for seen in solver.observations:
        if seen.what is Happening.MIGRATE:
            flow = solver.behaviour.flow(seen.site.function)
            assert flow is not None
            call = flow.call_at(seen.site.block, seen.site.index)
            for api, effect in _effects(solver, flow, call):
                if effect.through is not None:
                    yield _Move(seen.site, call, api, effect, seen.node.context)
    names = frozenset(
        name
        for name, api in solver.models.apis.items()
        for behaviour in api.behaviours
        for spec in behaviour.specs
        if isinstance(spec.effect, Migrate) and spec.effect.through is None
    )
    for key in solver.relevance.callers_of(names):
        flow = solver.behaviour.flow(key)
        for number, block in enumerate(flow.function.blocks if flow is not None else ()):
            for index, instr in enumerate(block.instrs):
                if flow is not None and isinstance(instr, Call):
                    for api, effect in _effects(solver, flow, instr):
                        if effect.through is None:
                            yield _Move(Site(key, number, index), instr, api, effect)


def _effects(solver: Solver, flow: Flow, call: Call) -> Iterator[tuple[str, Migrate]]:
    modelled = solver.behaviour.modelled(flow.key, call, flow.member_read(call))
    for effect in modelled.effects if modelled is not None else ():
        if isinstance(effect, Migrate):
            yield modelled.api if modelled is not None else "", effect


def _climbed(solver: Solver, move: _Move, children: dict[Site, list[Observation]]) -> Iterator[Incident]:
    """The holders of the process that is moved, in the nearest function on the way up that has one."""
    task = _argument(move)
    frontier = [_Place(move.site, move.context, task)]
    seen = {place.name for place in frontier}
    while frontier:
        if len(seen) > LIMITS.climb_callers:
            solver.program.limit(f"{move.api} at {move.call.at}: not all callers were followed: too many")
            return
        following: list[_Place] = []
        for place in frontier:
            flow = solver.behaviour.flow(place.site.function)
            assert flow is not None
            fork, itself, up = _whose(solver, flow, place.task)
            if fork is not None:
                if children.get(fork):
                    yield _incident(move, children[fork], "child", place.way)
                    return
                continue
            held = _holders(solver, move, place.site, children) if itself else []
            if held:
                moved = "child" if all(one.fact.in_child for one in held) else "creator"
                yield _incident(move, held, moved, place.way)
                return
            following.extend(_callers(solver, place, flow, up))
        frontier = []
        for place in following:
            if place.name not in seen:
                seen.add(place.name)
                frontier.append(place)


def _argument(move: _Move) -> Operand | None:
    port = move.effect.task
    if port is None or port.arg is None or port.arg >= len(move.call.args):
        return None
    return move.call.args[port.arg]


def _whose(solver: Solver, flow: Flow, task: Operand | None, depth: int = 0) -> tuple[Site | None, bool, str]:
    """Whose number ``task`` is: the fork that made the process, whether it is the caller itself, and the
    parameter that a caller gives it in."""
    if task is None or depth > _COPIES:
        return None, True, ""
    if isinstance(task, FuncRef):
        return None, False, ""  # a member of an object of the library
    if isinstance(task, Text):
        written = task.value.strip()
        return None, not written.isdigit() or int(written) == 0, ""  # another process is told by its number
    if isinstance(task, Const):
        return None, task.value == 0, ""
    if isinstance(task, Address):
        task = _formatted(flow, task)
    if not isinstance(task, Place):
        return None, True, ""
    if task.fields:
        return None, False, ""  # some process that a structure tells of
    if task.name in flow.params and task.name not in flow.assigned:
        return None, False, task.name
    for number, block in enumerate(flow.function.blocks):
        for index, instr in enumerate(block.instrs):
            if isinstance(instr, Call) and instr.dst == task:
                if isinstance(instr.target, Named) and instr.target.name in solver.models.number_readers:
                    return None, False, ""  # a process that somebody named
                modelled = solver.behaviour.modelled(flow.key, instr)
                for effect in modelled.effects if modelled is not None else ():
                    if isinstance(effect, Fork):
                        return Site(flow.key, number, index), False, ""
                    if isinstance(effect, Write) and (given := _written(effect, instr)):
                        return _whose(solver, flow, given[0], depth + 1)
            elif isinstance(instr, Assign) and instr.dst == task and isinstance(instr.src, Place):
                return _whose(solver, flow, instr.src, depth + 1)
    return None, True, ""


def _written(effect: Write, call: Call) -> list[Operand]:
    """What a text that a call makes has in it, beside what is always there."""
    first = effect.values if effect.values is not None else effect.value.arg
    return [one for one in call.args[first:] if isinstance(one, Place | FuncRef)]


def _formatted(flow: Flow, buffer: Address) -> Operand:
    """What was put into a buffer: the last argument of the last call that was given the buffer first."""
    filling = [call for call in flow.calls if len(call.args) > 1 and call.args[0] == buffer]
    return filling[-1].args[-1] if filling else buffer


def _holders(
    solver: Solver, move: _Move, site: Site, children: dict[Site, list[Observation]]
) -> list[Observation]:
    """The holders open at a call, as witnesses of the move; a child's count where it survives with them."""
    here = solver.tabulation.at.get((site.function, site.block, site.index), {})
    found = [
        Observation(Happening.MIGRATE, move.site, move.call.at, fact, node, move.api)
        for fact, node in here.items()
        if fact.object is not None and fact.object.holds_vm and fact.is_open and not fact.object.creator
        if not fact.in_child or (fact.fork is not None and fact.fork in children)
    ]
    own = [seen for seen in found if not seen.fact.in_child]
    return own or found


def _callers(solver: Solver, place: _Place, flow: Flow, up: str) -> Iterator[_Place]:
    """The calls that lead to a place, each with the number of the process there."""
    calls: list[tuple[Site, int | None, tuple[Operand, ...]]] = []
    tabulation = solver.tabulation
    if place.context is not None and tabulation.contexts[place.context].entry != ZERO_FACT:
        calls = [
            (incoming.edge.site, incoming.node.context, incoming.edge.args)
            for incoming in tabulation.incoming.get(place.context, ())
        ]
    else:
        key: FunctionKey = place.site.function
        calls = [(edge.site, None, edge.args) for edge in solver.graph.callers(key) if edge.kind.is_call]
    position = flow.params.index(up) if up else -1
    for site, context, args in calls:
        caller = solver.behaviour.flow(site.function)
        if caller is None or position >= len(args):
            continue
        way = (caller.call_at(site.block, site.index).at, *place.way)
        yield _Place(site, context, args[position] if up else None, way)
