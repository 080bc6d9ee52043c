"""Which calls a fact has to enter, and which constants have to be carried into a callee.

Demand comes from the models: a case of a selecting call, a path that opens something of interest. A parameter
that decides such a call makes its function's callers pass their constants in.
"""

from collections.abc import Callable, Iterable
from typing import Protocol

import msgspec

from vmfdlint.ir import (
    Address,
    Assign,
    Call,
    Const,
    Field,
    Flags,
    FuncRef,
    Function,
    FunctionKey,
    Operand,
    Place,
    Text,
)
from vmfdlint.link import FILE, CallGraph, Edge, EdgeKind, Site, slot_of
from vmfdlint.models import (
    FOREIGN,
    Create,
    Daemon,
    Exec,
    Fork,
    Kind,
    Models,
    PassOn,
    SetCloexec,
    Spawn,
    Unshare,
    path_kind,
)
from vmfdlint.solve.boundary import crosses, given_names, names_inside
from vmfdlint.solve.facts import ZERO_FACT, Fact, Object
from vmfdlint.solve.initcalls import Initcalls
from vmfdlint.solve.typestate import Life
from vmfdlint.summary import (
    Behaviour,
    Flow,
    Path,
    Relevance,
    is_cell,
    is_global,
    operand_path,
    path_of,
    starts_with,
)


class Seeds(Protocol):
    """What interest asks of the tabulation."""

    def seed(self, key: FunctionKey, fact: Fact = ZERO_FACT) -> int:
        """Starts a function with a fact."""

    def again(self, key: FunctionKey) -> None:
        """Runs the zero facts of a function again, now that a callee wants its constants."""


class Interest:
    """Decides entry into callees. ``fork_matters`` says whether a forking function's child outlives its
    call."""

    def __init__(
        self,
        graph: CallGraph,
        behaviour: Behaviour,
        relevance: Relevance,
        models: Models,
        fork_matters: Callable[[FunctionKey], bool],
        has_main: bool,
    ) -> None:
        self.graph = graph
        self.initcalls = Initcalls(graph, relevance)
        self.behaviour = behaviour
        self.relevance = relevance
        self.models = models
        self.has_main = has_main
        self._fork_matters = fork_matters
        self._names = models.interesting_names()
        self._values = models.interesting_values()
        self._changing = models.changing_names()
        self._forking = models.names_with(Fork, Daemon)
        self._executing = models.names_with(Exec, Spawn, PassOn) | models.sealing_names()
        self._unsharing = models.names_with(Unshare)
        self._surviving: dict[FunctionKey, bool] = {}
        self._given: set[tuple[Site, str]] = set()
        self._deferred: dict[frozenset[str], tuple[Edge, ...]] = {}
        self.receivers: frozenset[FunctionKey] = frozenset()
        self.wanted: dict[FunctionKey, set[str]] = {}
        self.lists: set[str] = set()  # global arrays in which a text of interest stands
        self._initials: dict[Place, Text | Const | None] = {}
        self.cells: dict[tuple[str, str], set[Text | Const]] = {}

    # -- constants -------------------------------------------------------------------------------------------

    def is_interesting(self, operand: Operand) -> bool:
        """Whether a constant selects something that makes or opens a holder."""
        if isinstance(operand, Text):
            return path_kind(self.models, operand.value) not in (None, Kind.DEBUGFS_DIRECTORY)
        if isinstance(operand, Const):
            return bool(self._names.intersection(operand.names)) or operand.value in self._values
        return False

    def is_followed(self, operand: Operand) -> bool:
        """Whether a constant is interesting, or a text from which something interesting is made."""
        speaks = isinstance(operand, Text) and self.models.speaks(operand.value)
        return speaks or self.is_interesting(operand)

    def constant(self, evaluated: Operand) -> Operand:
        """An argument's constant, also from a member or global that some function sets to one of interest."""
        if isinstance(evaluated, Address) and not evaluated.place.fields and evaluated.place.is_global:
            found = self.cells.get(("@", evaluated.place.name))  # an array that holds the text
            if found and len(found) == 1:
                return next(iter(found))
        if isinstance(evaluated, Place):
            slot = slot_of(evaluated)
            if slot is not None and self.cells:
                found = self.cells.get((slot.record, slot.field)) or self.cells.get(("", slot.field))
                if found and len(found) == 1:
                    return next(iter(found))
            if evaluated.is_global and (not evaluated.fields or _is_any_element(evaluated)):
                found = self.cells.get(("@", evaluated.name))
                if found and len(found) == 1:
                    return next(iter(found))
        return evaluated

    def initial(self, operand: Operand) -> Operand:
        """A global variable as the text its declaration gives it, the default of an option; else the
        operand."""
        place = operand.place if isinstance(operand, Address) else operand
        if not isinstance(place, Place) or not place.is_global or place.fields:
            return operand
        found = self._initial(place)
        return found if isinstance(found, Text) else operand

    def element(self, array: Operand, step: str) -> Text | Const | None:
        """What the declaration of a global array gives an element (``[2]``), where that is a constant."""
        if not isinstance(array, Address) or not array.place.is_global or step[:1] != "[":
            return None
        place = array.place
        return self._initial(place.step(Field(step)))

    def _initial(self, place: Place) -> Text | Const | None:
        if place not in self._initials:
            program = self.graph.program
            paths = (place.unit,) if place.unit else program.lexicon.defined("variables", place.name)
            found = {
                instr.src
                for path in paths[:4]
                if (function := program.function(FunctionKey(path, FILE))) is not None
                for instr in function.instrs
                if isinstance(instr, Assign) and instr.dst == place and isinstance(instr.src, Text | Const)
            }
            self._initials[place] = found.pop() if len(found) == 1 else None
        return self._initials[place]

    def record_constants(self, function: Function) -> list[str]:
        """Notes interesting constants that a function stores in members and globals; returns the names to
        look for."""
        tokens: list[str] = []
        for block in function.blocks:
            for instr in block.instrs:
                if not isinstance(instr, Assign) or not self.is_followed(instr.src):
                    continue
                assert isinstance(instr.src, Text | Const)
                slot = slot_of(instr.dst) if instr.dst.fields else None
                interesting = self.is_interesting(instr.src)
                if slot is not None and not slot.record.startswith("@"):
                    if interesting:  # a member that holds "debugfs" is called name: too many read one
                        self.cells.setdefault((slot.record, slot.field), set()).add(instr.src)
                        tokens.append(slot.field)
                elif instr.dst.is_global:
                    if interesting or slot is None:
                        self.cells.setdefault(("@", instr.dst.name), set()).add(instr.src)
                    else:
                        self.lists.add(instr.dst.name)
                    tokens.append(instr.dst.name)
        return tokens

    def want(self, seeds: Seeds, flow: Flow, operands: Iterable[Operand]) -> None:
        """A call's meaning hangs on ``operands``: parameters among them are asked of the callers."""
        for operand in operands:
            base = operand.base if isinstance(operand, Flags) else operand
            if not isinstance(base, Place) or base.fields or base.name not in flow.params:
                continue
            self._want_parameter(seeds, flow, base.name, depth=0)

    def _want_parameter(self, seeds: Seeds, flow: Flow, name: str, depth: int) -> None:
        wanted = self.wanted.setdefault(flow.key, set())
        if name in wanted or depth > 5:
            return
        wanted.add(name)
        position = flow.params.index(name)
        for edge in self.graph.callers(flow.key):
            if edge.kind not in (EdgeKind.DIRECT, EdgeKind.SLOT) or position >= len(edge.args):
                continue
            self.relevance.edges[edge.site][(edge.callee, edge.kind)] = edge
            operand = edge.args[position]
            caller = self.behaviour.flow(edge.site.function)
            if caller is None:
                continue
            base = operand.base if isinstance(operand, Flags) else operand
            if isinstance(base, Place) and not base.fields and base.name in caller.params:
                self._want_parameter(seeds, caller, base.name, depth + 1)
            seeds.seed(edge.site.function)
            seeds.again(edge.site.function)

    def receives(self, effect: Create, key: FunctionKey) -> bool:
        """Whether a new reference is followed: one of another process only where it may become a holder."""
        return effect.kind not in FOREIGN or key in self.receivers

    # -- entry -----------------------------------------------------------------------------------------------

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
            if not any(operand_path(argument) in fact.places for argument in call.args):
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
        callee = self.behaviour.flow(edge.callee)
        if callee is None:
            return False
        if fact.is_zero:
            return self._zero_enters(fact, edge, callee)
        if fact.state.life is Life.LOST or (fact.object is not None and fact.object.creator):
            return False
        # What else a child's callee does (wait, end) its summary tells.
        direct_in_child = fact.in_child and edge.kind is EdgeKind.DIRECT
        if direct_in_child and (
            self.behaviour.below.closes_all(edge.callee) or self.behaviour.below.executes(edge.callee)
        ):
            return True
        if self._next_of_table(fact, edge, flow):
            return False
        if any(edge.callee in reached for reached in self._reached(fact, flow, edge, callee)):
            return True
        return self._by_argument(fact, edge) or _decides(fact, edge, callee)

    def _next_of_table(self, fact: Fact, edge: Edge, flow: Flow) -> bool:
        """Whether a loop over a table or list of functions, having called the entry that made the reference,
        would call it again, or one that ran before it: each entry runs once, in its order."""
        if edge.kind is not EdgeKind.SLOT or fact.object is None or edge.site.block not in flow.looping:
            return False
        loop = next(loop for loop in flow.loops if edge.site.block in loop)
        if any(flow.function.blocks[number].unbounded for number in loop):
            return False
        maker = fact.object.site.function
        making = self.relevance.reaches(f"make what {maker} makes", lambda: (maker,))
        return edge.callee in making or self.initcalls.precedes(edge, making)

    def touches(self, fact: Fact, flow: Flow, callee: FunctionKey) -> bool:
        """Whether a callee, or what it calls, changes a place of a fact."""
        return any(callee in reached for reached in self._reached(fact, flow))

    def _zero_enters(self, fact: Fact, edge: Edge, callee: Flow) -> bool:
        if any(self.is_followed(argument) for argument in edge.args):
            return True
        if any(
            isinstance(value, Text) and self.is_followed(value) and names_inside(path, edge.args, callee)
            for path, value in fact.env
        ):
            return True
        wanted = self.wanted.get(edge.callee, ())
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
                owner = fact.is_open and any(starts_with(held, path) for held in fact.places)
                if owner and self.behaviour.parameters.freed(edge.callee, position):
                    return True
                kept = owner and fact.object is not None and fact.object.channel
                if kept and self.behaviour.parameters.used(edge.callee, position):
                    return True
                continue
            if self.behaviour.parameters.changed(edge.callee, position) or self._decided(edge, position):
                return True
            if _use_matters(fact) and self.behaviour.parameters.used(edge.callee, position):
                return True
        return False

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
    ) -> list[frozenset[FunctionKey]]:
        """The functions that can matter, one set a topic; with ``edge`` only topics of places its callee can
        name."""
        found: list[frozenset[FunctionKey]] = []
        if fact.object is None or fact.object.creator or fact.state.life is Life.LOST:
            return found
        use = _use_matters(fact)
        for path in fact.places:
            if edge is None or callee is None or crosses(path) or names_inside(path, edge.args, callee):
                found.extend(self._for_place(path, flow, use))
        if fact.is_open and fact.object.holds_vm and not fact.in_child:
            found.append(self.forks(fact))
            found.append(self.unshares())
        if fact.is_open and fact.state.inherit and not (fact.object.is_mapping or fact.object.is_foreign):
            found.append(self.execs())
        return found

    def _for_place(self, path: Path, flow: Flow, use: bool) -> list[frozenset[FunctionKey]]:
        own = not is_cell(path)
        cell = path if is_cell(path) else flow.cells.get(path)
        if cell is None and len(path) > 1 and not is_global(path):
            named = [step for step in path[1:] if "[" not in step]
            cell = ("*?", "->" + named[-1].removeprefix("->").removeprefix(".")) if named else None
        if cell is not None:
            record = cell[0][1:]
            member = cell[-1].removeprefix("->").removeprefix(".")
            if member.startswith("["):
                member = cell[1].removeprefix("->")
            found = [self.relevance.changing_member(record, member, own)]
            if use:
                found.append(self.relevance.using_member(record, member))
            return found
        if is_global(path):
            found = [self.relevance.changing_global(path[0])]
            if use:
                found.append(self.relevance.using_global(path[0]))
            return found
        return []

    def forks(self, fact: Fact) -> frozenset[FunctionKey]:
        """Functions below which a fork's child outlives the forking function, or is a daemon.

        Only forks of programs that the reference can be in count: one tree holds many programs.
        """
        return self.relevance.reaches(*self._fork_topic(fact))

    def _fork_topic(self, fact: Fact) -> tuple[str, Callable[[], tuple[FunctionKey, ...]]]:
        assert fact.object is not None
        here = self._programs(fact.object)
        return f"fork {sorted(here)}", lambda: tuple(
            key
            for key in self.relevance.callers_of(self._forking)
            if self._together(here, self.relevance.mains(key)) and self.survives(key)
        )

    def survives(self, key: FunctionKey) -> bool:
        """Whether a function's own fork leaves a child behind, or it makes a daemon. Costs a solve of that
        function, so it is asked last."""
        known = self._surviving.get(key)
        if known is None:
            self._surviving[key] = False  # a fork below a fork is judged with the outer one
            known = self._surviving[key] = self._fork_matters(key)
        return known

    def deferred(self, fact: Fact) -> tuple[Edge, ...]:
        """Registered callbacks below which such a fork lies, of a program that the reference can be in."""
        self.forks(fact)
        edges = self.relevance.deferred.get(self._fork_topic(fact)[0], ())
        if not edges or fact.object is None:
            return ()
        here = self._programs(fact.object)
        known = self._deferred.get(here)
        if known is None:
            known = self._deferred[here] = tuple(
                edge
                for edge in edges
                if self._together(here, self.relevance.mains(edge.site.function))
                and not self._starts_a_child(edge)
            )
        return known

    def _starts_a_child(self, edge: Edge) -> bool:
        """Whether a function is what a new task runs (clone), at once and in a process of its own, and no
        callback."""
        flow = self.behaviour.flow(edge.site.function)
        call = flow.function.blocks[edge.site.block].instrs[edge.site.index] if flow is not None else None
        modelled = self.behaviour.modelled(edge.site.function, call) if isinstance(call, Call) else None
        return modelled is not None and any(
            isinstance(effect, Fork) and effect.entry is not None for effect in modelled.effects
        )

    def _programs(self, made: Object) -> frozenset[str]:
        """The programs of a reference: of the outermost function that it was handed to while fresh."""
        return self.relevance.mains(made.user)

    def _together(self, one: frozenset[str], other: frozenset[str]) -> bool:
        """Whether two functions can be in one program; where that is not known, only if there is but one."""
        if not one or not other:
            return len(self.graph.program.lexicon.defined("functions", "main")) < 2
        return bool(one & other)

    def unshares(self) -> frozenset[FunctionKey]:
        """Functions below which a task gets a descriptor table of its own."""
        return self.relevance.calling(
            "unshare", self._unsharing, lambda key: any(self.behaviour.calls_with(key, Unshare))
        )

    def execs(self) -> frozenset[FunctionKey]:
        """Functions below which a program is executed or spawned, or every descriptor sealed for one."""
        return self.relevance.calling(
            "exec",
            self._executing,
            lambda key: any(
                not isinstance(effect, SetCloexec) or effect.fd is None
                for _call, modelled in self.behaviour.calls_with(key, Exec | Spawn | PassOn | SetCloexec)
                for effect in modelled.effects
                if isinstance(effect, Exec | Spawn | PassOn | SetCloexec)
            ),
        )


def _use_matters(fact: Fact) -> bool:
    """Whether a mere use says something: in a child it fails, of a closed number it hits another file, of a
    copy it shows a move, of another process's descriptor it tells what it
    is, of a debugfs file that it does not wait, of a cgroup file it moves a process."""
    return (
        fact.in_child
        or fact.state.life is Life.CLOSED
        or (fact.object is not None and (fact.object.copy_of is not None or fact.object.is_foreign))
        or (fact.object is not None and fact.object.kind in (Kind.DEBUGFS, Kind.CGROUP))
    )


def _is_any_element(place: Place) -> bool:
    """Whether a place is an element of an array, which one is not known."""
    return len(place.fields) == 1 and place.fields[0].name == "[]" and not place.fields[0].deref


def _decides(fact: Fact, edge: Edge, callee: Flow) -> bool:
    """Whether a child knows a member that the callee tests: what the callee waits for may hang on it."""
    return fact.in_child and any(
        len(path) > 1 and inside in callee.tested
        for path, _value in fact.env
        for inside in given_names(path, edge.args, callee)
    )
