"""Which calls a fact has to enter: those below which something touches a place of it or concerns it.

In: a fact, a call edge. Out: yes or no, and the topics that decide it, climbed on demand.
"""

from collections.abc import Callable, Container

import msgspec

from vmfdlint.ir import (
    Address,
    Const,
    FuncRef,
    FunctionKey,
    Named,
    Text,
)
from vmfdlint.link import CallGraph, Edge, EdgeKind, Site
from vmfdlint.models import (
    FOREIGN,
    Create,
    Models,
)
from vmfdlint.solve.boundary import crosses, names_inside
from vmfdlint.solve.constants import Constants
from vmfdlint.solve.counts import counting
from vmfdlint.solve.elements import Elements
from vmfdlint.solve.facts import Fact, Object
from vmfdlint.solve.given import (
    asks,
    decides,
    gives,
    in_elements,
    is_tested,
    leads_to,
    member_of,
    use_matters,
)
from vmfdlint.solve.initcalls import Initcalls
from vmfdlint.solve.once import OnceOnly
from vmfdlint.solve.topics import Topics
from vmfdlint.solve.typestate import Life, State
from vmfdlint.summary import (
    Behaviour,
    Flow,
    Path,
    Reach,
    Relevance,
    is_cell,
    is_global,
    is_inside,
    operand_path,
    path_of,
    starts_with,
    step_name,
    variable,
)


class Interest(Topics):
    """Decides entry into callees."""

    def __init__(
        self,
        graph: CallGraph,
        behaviour: Behaviour,
        relevance: Relevance,
        models: Models,
        fork_matters: Callable[[FunctionKey], bool],
        has_main: bool,
        staying: Container[FunctionKey] = (),
    ) -> None:
        super().__init__(graph, behaviour, relevance, models, fork_matters, staying)
        self.initcalls = Initcalls(graph, relevance)
        self.has_main = has_main
        self.constants = Constants(graph, behaviour, relevance, models)
        self._changing = models.changing_names()
        self._asked: dict[tuple[tuple[Path, ...], State, Object | None, FunctionKey], frozenset[str]] = {}
        self._given: set[tuple[Site, str]] = set()
        self._pace: dict[tuple[FunctionKey, frozenset[int]], bool] = {}
        self._places: dict[tuple[Path, FunctionKey, bool, tuple[Path, ...]], list[Reach]] = {}
        self.given_away: set[Object] = set()
        """References that a thread was given which releases them."""
        self.elements = Elements(graph, behaviour, relevance, models)
        """What becomes of references in collections."""
        self.once = OnceOnly(behaviour, relevance)
        """What has run that runs once."""
        self.receivers: frozenset[FunctionKey] = frozenset()
        self.released: Callable[[Fact], bool] = lambda _fact: False
        """Whether every child that is forked begins by letting go of a reference."""

    def receives(self, effect: Create, key: FunctionKey) -> bool:
        """Whether a new reference is followed: one of another process only where it may become a holder."""
        return effect.kind not in FOREIGN or key in self.receivers

    def prepare(self, fact: Fact, flow: Flow) -> None:
        """Makes sure the call edges that can matter to a fact are known."""
        if not fact.is_zero:
            self._reached(fact, flow)
            self._handed_over(fact, flow)

    def _handed_over(self, fact: Fact, flow: Flow) -> None:
        """Finds the edges to the functions that a call is given together with the number itself, as their
        data: a thread's argument, GINT_TO_POINTER(fd). What runs later runs beside the caller, as a thread
        does."""
        for site, call in flow.giving:
            if not gives(fact, call.args):
                continue
            for argument in call.args:
                if not isinstance(argument, FuncRef) or (site, argument.name) in self._given:
                    continue
                self._given.add((site, argument.name))
                for key in self.graph.program.resolve(argument.name, site.function.path):
                    for edge in self.graph.value_edges(key):
                        if edge.site == site and edge.args:
                            kind = EdgeKind.THREAD if edge.kind is EdgeKind.LATER else edge.kind
                            edge = msgspec.structs.replace(edge, kind=kind)
                            self.relevance.edges[site].setdefault((key, kind), edge)

    def enters(self, fact: Fact, edge: Edge, flow: Flow) -> bool:
        """Whether a fact must be followed into a callee."""
        callee = self.behaviour.flow(edge.callee) if self._concerns(fact, edge, flow) else None
        if callee is None:
            return False
        if fact.is_zero:
            return self._zero_enters(fact, edge, callee)
        # What else a child's callee does (wait, end) its summary tells.
        direct_in_child = fact.in_child and edge.kind is EdgeKind.DIRECT
        if direct_in_child and (
            self.behaviour.below.closes_all(edge.callee) or self.behaviour.below.executes(edge.callee)
        ):
            return True
        if self._next_of_table(fact, edge, flow) or self.once.has_run(fact, edge):
            return False
        if any(edge.callee in reached for reached in self._reached(fact, flow, edge, callee)):
            return True
        return self._by_argument(fact, edge) or decides(fact, edge, callee) or asks(fact, edge, flow, callee)

    def _concerns(self, fact: Fact, edge: Edge, flow: Flow) -> bool:
        """Whether a call can have to do with a fact, whatever its callee does: most need not be read."""
        if fact.is_zero:
            texts = (value for _path, value in fact.env if isinstance(value, Text))
            return edge.callee in self.constants.wanted or any(
                self.constants.is_followed(operand) for operand in (*edge.args, *texts)
            )
        if fact.state.life is Life.LOST or fact.is_parent:
            return False
        if fact.in_child or any(edge.callee in reached for reached in self._reached(fact, flow)):
            return True
        if leads_to(edge.args, fact):
            return True
        return bool(fact.env or any(map(is_global, fact.places))) and self._names_known(fact, edge, flow)

    def _names_known(self, fact: Fact, edge: Edge, flow: Flow) -> bool:
        """Whether a callee whose answer is tested names a global that has the reference, or of which
        something is known."""
        if not is_tested(edge, flow):
            return False
        program = self.graph.program
        paths = (*fact.places, *(path for path, _value in fact.env))
        return any(
            edge.callee in program.mentioning_in(edge.callee.path, name)
            for name in {variable(path) for path in paths if is_global(path)}
            if edge.callee.path in program.lexicon.files_with(name)
        )

    def _next_of_table(self, fact: Fact, edge: Edge, flow: Flow) -> bool:
        """Whether a loop over a table or list of functions, having called the entry that made the reference,
        would call it again, or one that ran before it: each entry runs once, in its order. A loop that waits
        in each round calls what an event asks for."""
        if edge.kind is not EdgeKind.SLOT or fact.object is None or edge.site.block not in flow.looping:
            return False
        loop = next(loop for loop in flow.loops if edge.site.block in loop)
        if any(flow.function.blocks[number].unbounded for number in loop) or self._paced(loop, flow):
            return False
        making = self.once.makers(fact.object)
        return edge.callee in making or self.initcalls.precedes(edge, making)

    def _paced(self, loop: frozenset[int], flow: Flow) -> bool:
        """Whether a loop itself waits."""
        known = self._pace.get((flow.key, loop))
        if known is None:
            known = self._pace[(flow.key, loop)] = any(
                isinstance(call.target, Named) and self.behaviour.below.waits_itself(flow.key, call)
                for site, call in flow.placed()
                if site.block in loop
            )
        return known

    def asked(self, fact: Fact, flow: Flow) -> frozenset[str]:
        """What is tested by the functions that do something about a reference: globals and members, by
        name."""
        key = (fact.places, fact.state, fact.object, flow.key)
        known = self._asked.get(key)
        if known is None:
            reached = self._reached(fact, flow)
            known = self._asked[key] = frozenset().union(*map(self.relevance.asked, reached))
        return known

    def touches(self, fact: Fact, flow: Flow, callee: FunctionKey) -> bool:
        """Whether a callee, or what it calls, changes a place of a fact."""
        return any(callee in reached for reached in self._reached(fact, flow))

    def _zero_enters(self, fact: Fact, edge: Edge, callee: Flow) -> bool:
        if any(self.constants.is_followed(argument) for argument in edge.args):
            return True
        if any(
            isinstance(value, Text)
            and self.constants.is_followed(value)
            and names_inside(path, edge.args, callee)
            for path, value in fact.env
        ):
            return True
        wanted = self.constants.wanted.get(edge.callee, ())
        return any(
            name in wanted and isinstance(argument, Const | Text)
            for name, argument in zip(callee.params, edge.args, strict=False)
        )

    def _by_argument(self, fact: Fact, edge: Edge) -> bool:
        for position, argument in enumerate(edge.args):
            if isinstance(argument, Address):
                base = path_of(argument.place)
                if any(starts_with(held, base) for held in fact.places):
                    return True
                continue
            path = operand_path(argument)
            if path is None:
                continue
            if path not in fact.places:
                below = any(starts_with(held, path) for held in fact.places)
                if below and self._gives_back(edge.callee, position):
                    return True
                if any(is_inside(held, path) for held in fact.places):
                    return True  # a structure with the number in it is passed by value
                owner = below and fact.is_open
                if owner and self._waits(edge.callee):
                    return True
                if owner and self.behaviour.parameters.freed(edge.callee, position):
                    return True
                if owner and in_elements(fact, path):
                    return True
                kept = owner and fact.object is not None and fact.object.channel
                if kept and self.behaviour.parameters.used(edge.callee, position):
                    return True
                continue
            if self.behaviour.parameters.changed(edge.callee, position) or self._decided(edge, position):
                return True
            if use_matters(fact) and self.behaviour.parameters.used(edge.callee, position):
                return True
        return False

    def _gives_back(self, callee: FunctionKey, position: int) -> bool:
        """Whether a callee returns the object that has the reference, in a language of objects: what holds
        the result has it too."""
        return self.graph.program.bound(callee.path) is not None and self.behaviour.parameters.returned(
            callee, position
        )

    def _decided(self, edge: Edge, position: int) -> bool:
        """Whether this call's constants make a wrapper do more to a parameter than use it."""
        changing = {
            index
            for index, argument in enumerate(edge.args)
            if isinstance(argument, Const) and not self._changing.isdisjoint(argument.names)
        }
        deciders = self.behaviour.parameters.deciders
        return bool(changing) and not changing.isdisjoint(deciders(edge.callee, position))

    def _reached(
        self, fact: Fact, flow: Flow, edge: Edge | None = None, callee: Flow | None = None
    ) -> list[Reach]:
        """The functions that can matter, one set a topic; with ``edge`` only topics of places its callee can
        name."""
        found: list[Reach] = []
        if fact.object is None or fact.object.creator or fact.state.life is Life.LOST:
            return found
        use = use_matters(fact)
        cells = tuple(path for path in fact.places if is_cell(path))
        for path in fact.places:
            if edge is None or callee is None or crosses(path) or names_inside(path, edge.args, callee):
                asked = (path, flow.key, use, cells)
                if asked not in self._places:
                    self._places[asked] = self._for_place(path, flow, use, cells)
                found += self._places[asked]
        if fact.is_open and fact.object.holds_vm and not fact.in_child:
            found.append(self.forks(fact))
            found.append(self.unshares())
            found.append(self.workers())
        if fact.is_open and fact.state.inherit and not (fact.object.is_mapping or fact.object.is_foreign):
            found.append(self.execs())
        if fact.is_open and fact.env and (number := counting(fact)) is not None:
            found.append(self.relevance.stepping(number))
        if fact.is_open and fact.object in self.given_away:
            found.append(self.joins())
        if self.elements.is_kept(fact):
            found.append(self.elements.releasing())
        return found

    def _for_place(self, path: Path, flow: Flow, use: bool, cells: tuple[Path, ...]) -> list[Reach]:
        """``cells``: those of the fact. Where a path's record is not known it is that of one with the same
        member, if there is one."""
        own = not is_cell(path)
        found: list[Reach] = []
        # An object of a captured variable is passed on as any other, and touched under a parameter's name.
        passed = flow.counts_references or not is_global(path)
        cell = path if is_cell(path) else flow.cells.get(path)
        if cell is None and passed:
            cell = flow.cell_at(path)
        named = [step for step in path[1:] if "[" not in step] if cell is None and passed else []
        members = {(cell[0][1:], member_of(cell))} if cell is not None else set()
        if named:
            steps = [step_name(step) for step in named]
            first = dict(flow.function.local_types).get(path[0], "")
            record = self.graph.members.record(first, steps)
            known = {one[0][1:] for one in cells if member_of(one) == steps[-1]}
            members = {(one, steps[-1]) for one in ({record} if record else known or {"?"})}
        for record, member in sorted(members):
            found.append(self.relevance.changing_member(record, member, own, flow.key.path))
            if use:
                found.append(self.relevance.using_member(record, member, flow.key.path))
        if is_global(path) and path not in flow.cells:
            found.append(self.relevance.changing_global(path[0]))
            if use:
                found.append(self.relevance.using_global(path[0]))
        return found
