"""The holders at one place, put together from what the solver knows.

In: a solved program, instructions. Out: holders. A reference flows only into functions that matter to it, so
those of the callers, which the function at hand never saw, are looked up at the calls that lead to it; what
left the process (a child, a program, a receiver) where the paths to the place passed it on.
"""

from collections.abc import Iterable, Iterator
from functools import cached_property

import msgspec

from vmfdlint.base import LIMITS, Span
from vmfdlint.check.incident import called, noun, waiting
from vmfdlint.check.incidents_process import survivals
from vmfdlint.check.names import names_at, worth
from vmfdlint.check.point import Point
from vmfdlint.check.probe import Course, Kept, Probes
from vmfdlint.check.trace import way
from vmfdlint.finding import Role, Step
from vmfdlint.held import Holder, Kind, Party
from vmfdlint.ir import Call, FunctionKey
from vmfdlint.link import FILE, Edge, EdgeKind, Site
from vmfdlint.models import Fork
from vmfdlint.solve import Fact, Happening, Life, Node, Object, Observation, Solver, witness

_PLACES = 8
_COPYING = (EdgeKind.PROCESS, EdgeKind.FORK)
_PASSED_ON = {
    Happening.WORKER: Party.WORKER,
    Happening.SPAWN: Party.PROGRAM,
    Happening.PASS_ON: Party.PROGRAM,
    Happening.SHARE: Party.RECEIVER,
}


class _Seen(msgspec.Struct, frozen=True):
    """A fact, where it was found, and the calls that lead from there to the place; ``course`` is what became
    of the reference in the called functions."""

    fact: Fact
    node: Node
    calls: tuple[Edge, ...] = ()
    course: Course = Course()

    @property
    def whose(self) -> Course:
        """The process that has it at the place."""
        return self.course.after(Course(self.fact.in_child, self.fact.fork))


class Account:
    """The holders at ``here``. ``notes`` say what was left out."""

    def __init__(self, solver: Solver, here: tuple[Point, ...]) -> None:
        self.solver = solver
        self.here = here
        self.notes: list[str] = []
        self._probes = Probes(solver)
        self._creators: dict[tuple[object, ...], list[_Seen]] = {}
        self._runs: set[Course] = set()

    def holders(self) -> tuple[Holder, ...]:
        """Those of the process that runs the place, then those of others."""
        seen = [one for point in self.here for one in (*self._at(point), *self._above(point))]
        groups: dict[tuple[object, ...], list[_Seen]] = {}
        for one in seen:
            if _holds(one.fact):
                groups.setdefault((*_name(one.fact), one.whose), []).append(one)
        found = [*map(self._holder, groups.values()), *self._elsewhere(seen)]
        order = list(Party)
        ordered = sorted(found, key=lambda one: (order.index(one.party), str(one.since or ""), one.made))
        once: dict[tuple[object, ...], Holder] = {}
        for made in ordered:
            once.setdefault((made.what, made.made, made.party, made.since, made.places, made.lost), made)
        return tuple(once.values())

    # -- what is found -------------------------------------------------------------------------------------

    def _at(self, point: Point) -> Iterator[_Seen]:
        """The facts before each of the instructions, and behind it."""
        for block, index in point.instrs:
            for where in (index, index + 1):
                for fact, node in self.solver.tabulation.at.get((point.key, block, where), {}).items():
                    if fact.object is not None:
                        yield _Seen(fact, node)

    @cached_property
    def _entered(self) -> dict[FunctionKey, set[Node]]:
        """For each function the nodes whose facts went into it: what became of them is told in there."""
        tabulation = self.solver.tabulation
        found: dict[FunctionKey, set[Node]] = {}
        for number, incoming in tabulation.incoming.items():
            known = found.setdefault(tabulation.contexts[number].key, set())
            known.update(one.node for one in incoming)
        return found

    def _above(self, point: Point) -> Iterator[_Seen]:
        """The facts at the calls that lead to the place and did not go into its function."""
        ways: dict[FunctionKey, tuple[Edge, ...]] = {point.key: ()}
        if not self.solver.graph.callers(point.key):
            self._runs |= self._probes.courses(point.key, point.instrs, Kept.PROCESS)
        frontier = [point.key]
        while frontier:
            current = frontier.pop(0)
            entered = self._entered.get(current, set())
            for edge in self.solver.graph.callers(current):
                caller = edge.site.function
                if caller.name == FILE:
                    continue
                calls = (edge, *ways[current])
                for fact, node in self._facts(edge):
                    if fact.object is not None and node not in entered:
                        kept = Kept.MAPPING if fact.is_mapping else Kept.NUMBER
                        for course in self._courses(calls, point, kept):
                            yield _Seen(fact, node, calls, course)
                        self._left(_Seen(fact, node, calls), point)
                if caller not in ways and len(ways) < LIMITS.ledger_callers:
                    ways[caller] = calls
                    frontier.append(caller)
                    if not self.solver.graph.callers(caller):
                        self._runs |= self._from_top(calls, point)
        if len(ways) >= LIMITS.ledger_callers:
            self.notes.append(
                f"{LIMITS.ledger_callers} functions lead here, or more: the others are left out"
            )

    def _left(self, seen: _Seen, point: Point) -> None:
        """Remembers what a process had when it forked below the one that runs the place."""
        if _holds(seen.fact) and not seen.fact.in_child:
            for course in self._courses(seen.calls, point, Kept.PROCESS):
                if course.fork is not None:
                    one = msgspec.structs.replace(seen, course=course)
                    self._creators.setdefault((*_name(seen.fact), course), []).append(one)

    def _courses(self, calls: tuple[Edge, ...], point: Point, kept: Kept) -> frozenset[Course]:
        """What becomes of a reference of the first caller on the way down to the place."""
        found = frozenset({Course()})
        for number, edge in enumerate(calls):
            if self._copies(edge):
                found = frozenset(Course(True, edge.site).after(before) for before in found)
            onward = calls[number + 1].site if number + 1 < len(calls) else None
            places = ((onward.block, onward.index),) if onward is not None else point.instrs
            inside = self._probes.courses(edge.callee, places, kept)
            found = frozenset(later.after(before) for before in found for later in inside)
        return found

    def _copies(self, edge: Edge) -> bool:
        """Whether what is called runs in a copy of the process, as the child of clone() does."""
        if edge.kind in _COPYING:
            return True
        flow = self.solver.behaviour.flow(edge.site.function)
        instrs = flow.function.blocks[edge.site.block].instrs if flow is not None else ()
        call = instrs[edge.site.index] if edge.site.index < len(instrs) else None
        if not isinstance(call, Call) or not edge.kind.is_deferred:
            return False
        modelled = self.solver.behaviour.modelled(edge.site.function, call)
        effects = modelled.effects if modelled is not None else ()
        return any(isinstance(one, Fork) and one.entry is not None for one in effects)

    def _from_top(self, calls: tuple[Edge, ...], point: Point) -> frozenset[Course]:
        """The processes that run the place, from the start of a function that nothing calls."""
        top = calls[0].site
        first = self._probes.courses(top.function, ((top.block, top.index),), Kept.PROCESS)
        below = self._courses(calls, point, Kept.PROCESS)
        return frozenset(later.after(before) for before in first for later in below)

    def _facts(self, edge: Edge) -> Iterator[tuple[Fact, Node]]:
        """The facts at a call; of what runs later, a callback or a thread, at every place behind it."""
        site, table = edge.site, self.solver.tabulation.at
        later = edge.kind.is_deferred or edge.kind is EdgeKind.THREAD
        for block, index in self._behind(site) if later else ((site.block, site.index),):
            yield from table.get((site.function, block, index), {}).items()

    def _behind(self, site: Site) -> Iterator[tuple[int, int]]:
        flow = self.solver.behaviour.flow(site.function)
        blocks = flow.function.blocks if flow is not None else ()
        todo = [(site.block, site.index)]
        seen: set[int] = set()
        while todo:
            number, first = todo.pop()
            yield from ((number, index) for index in range(first, len(blocks[number].instrs) + 1))
            fresh = [one for one in blocks[number].successors if one not in seen]
            seen.update(fresh)
            todo.extend((one, 0) for one in fresh)

    # -- one reference of the process itself ---------------------------------------------------------------

    def _holder(self, group: list[_Seen], party: Party = Party.SELF) -> Holder:
        clearest = min(group, key=_clarity)
        fact = clearest.fact
        assert fact.object is not None
        fork = clearest.whose.fork
        since = self._span(fork) if fork is not None else None
        function = clearest.calls[0].site.function if clearest.calls else None
        names, owner = names_at(self.solver, clearest.node, function)
        certain = any(not one.fact.via for one in group)
        calls = (self._call(edge) for edge in clearest.calls)
        return msgspec.structs.replace(
            _holder_of(fact.object, party, since),
            places=names[:_PLACES],
            function=owner,
            lost=fact.state.life is Life.LOST,
            uncertain=() if certain else fact.via,
            trace=(*way(self.solver, clearest.node), *calls)[-LIMITS.trace_steps :],
        )

    def _call(self, edge: Edge) -> Step:
        at, function = self._span(edge.site), edge.site.function.name
        plain = edge.kind.is_call
        how = "" if plain else f" ({edge.kind.value})"
        return Step(at, f"calls {edge.callee.name}{how}", Role.CALL, 0, False, function)

    def _span(self, site: Site) -> Span:
        flow = self.solver.behaviour.flow(site.function)
        assert flow is not None  # a site always lies in a lowered function
        instrs = flow.function.blocks[site.block].instrs
        return instrs[min(site.index, len(instrs) - 1)].at if instrs else flow.function.at

    # -- what others have ----------------------------------------------------------------------------------

    def _elsewhere(self, seen: list[_Seen]) -> Iterator[Holder]:
        courses = self._runs | {one.whose for one in seen if _holds(one.fact)}
        forks = {course.fork for course in courses if course.fork is not None}
        # Where the creator runs the place too, its references were told.
        alone = all(course.in_child for course in courses)
        passed = {one.fact.fork for one in seen if one.fact.is_parent}
        for one in seen:
            if _holds(one.fact) and not one.whose.in_child:
                passed.update(crumb.site for crumb in witness(self.solver.tabulation, one.node)[:-1])
        for group in self._creators.values() if alone else ():
            yield self._holder(group, Party.CREATOR)
        for there in self.solver.observations:
            if not _holds(there.fact) or not there.fact.is_open:
                continue
            party = _PASSED_ON.get(there.what)
            if party is not None and there.site in passed:
                yield self._other(there, party, there.at)
            elif alone and there.site in forks and there.what is Happening.FORK:
                yield self._other(there, Party.CREATOR, there.at)
            elif there.what is Happening.EXEC and there.fact.fork in passed:
                yield self._other(there, Party.PROGRAM, there.at)
        waits = survivals(self.solver.observations)
        for fork in sorted(site for site in passed - forks if site is not None and site in waits):
            yield from self._surviving(waits[fork], self._span(fork))

    def _surviving(self, waits: Iterable[Observation], fork: Span) -> Iterator[Holder]:
        """What a child waits with: each reference once, at its first wait."""
        first: dict[tuple[object, ...], Observation] = {}
        for there in sorted(waits, key=lambda one: (len(one.fact.via), one.at, one.detail)):
            first.setdefault(_name(there.fact), there)
        for there in first.values():
            made, text = self._other(there, Party.CHILD, fork), waiting(there.detail)
            yield msgspec.structs.replace(made, waits=text, waits_at=there.at, uncertain=there.fact.via)

    def _other(self, there: Observation, party: Party, since: Span) -> Holder:
        assert there.fact.object is not None
        names, owner = names_at(self.solver, there.node, there.site.function)
        here = {point.key.name for point in self.here}
        return msgspec.structs.replace(
            _holder_of(there.fact.object, party, since),
            how=called(there.detail),
            places=names[:_PLACES],
            function="" if owner in here else owner,
            trace=way(self.solver, there.node),
        )


def _clarity(seen: _Seen) -> tuple[int, int, int, int, str]:
    """The clearest of several facts about one holder: certain, seen at the place itself, well named."""
    fact = seen.fact
    named = min((worth(path) for path in fact.places), default=9)
    return len(fact.via), len(seen.calls), named, len(fact.env), repr(fact)


def _holder_of(made: Object, party: Party, since: Span | None) -> Holder:
    if made.is_mapping:
        kind = Kind.MAPPING
    elif made.channel:
        kind = Kind.KEPT
    else:
        kind = Kind.OBJECT if made.self_closing else Kind.DESCRIPTOR
    return Holder(noun(made), kind, made.at, called(made.api), party, since=since)


def _holds(fact: Fact) -> bool:
    """Whether a fact is about a reference that keeps a VM alive."""
    made = fact.object
    return made is not None and made.holds_vm and not made.creator and fact.state.life is not Life.CLOSED


def _name(fact: Fact) -> tuple[object, ...]:
    """What tells two holders apart; the same one seen again after another was closed is no second one."""
    made = fact.object
    assert made is not None
    return (*made.name, made.copy_of.name if made.copy_of else None)
