"""Functions below which something happens that concerns a reference wherever it is held: a fork, another
program, a step of the number of its users.

In: a fact. Out: sets of functions, climbed on demand.
"""

from collections.abc import Callable, Container

from vmfdlint.ir import Call, FunctionKey
from vmfdlint.link import CallGraph, Edge, EdgeKind
from vmfdlint.models import Daemon, Exec, Fork, Linger, Models, PassOn, SetCloexec, Spawn, Unshare, Worker
from vmfdlint.solve.facts import Fact
from vmfdlint.summary import Behaviour, Flow, Path, Reach, Relevance


class Topics:
    """Memoised sets. ``fork_matters`` says whether a forking function's child outlives its call; ``staying``
    are those, once that was asked, that leave it in themselves."""

    def __init__(
        self,
        graph: CallGraph,
        behaviour: Behaviour,
        relevance: Relevance,
        models: Models,
        fork_matters: Callable[[FunctionKey], bool],
        staying: Container[FunctionKey],
    ) -> None:
        self.graph = graph
        self.behaviour = behaviour
        self.relevance = relevance
        self.models = models
        self._fork_matters = fork_matters
        self.forks_in: Callable[[FunctionKey], bool] = lambda _key: True
        """Whether what a function forks itself is asked after at all."""
        self._staying = staying
        self._forking = models.names_with(Fork, Daemon)
        self._executing = models.names_with(Exec, Spawn, PassOn) | models.sealing_names()
        self._unsharing = models.names_with(Unshare)
        self._working = models.names_with(Worker)
        self.joining = models.joining_names()
        """The APIs that wait for a thread."""
        self._surviving: dict[FunctionKey, bool] = {}
        self._waiting: dict[FunctionKey, bool] = {}
        self._counts: dict[Path, bool] = {}
        self._counted: dict[FunctionKey, tuple[tuple[Path, Path], ...]] = {}
        self._forks: dict[FunctionKey, Reach] = {}
        self._fork_topics: dict[frozenset[str], dict[tuple[FunctionKey, ...], str]] = {}
        self._deferred: dict[str, tuple[Edge, ...]] = {}
        self._strays: dict[str, tuple[FunctionKey, ...]] = {}

    def forks(self, fact: Fact) -> Reach:
        """Functions below which a fork's child outlives the forking function, or is a daemon.

        Only forks of programs that the reference can be in count: one tree holds many programs.
        """
        assert fact.object is not None
        user = fact.object.user
        known = self._forks.get(user)
        if known is None:
            here = self.relevance.mains(user)
            seeds = tuple(
                key
                for key in self.relevance.callers_of(self._forking)
                if self.forks_in(key)
                and any(self.behaviour.calls_with(key, Fork | Daemon))
                and self._shares(here, key, user)
                and self.survives(key)
            )
            topics = self._fork_topics.setdefault(here, {})
            programs = ", ".join(sorted(here)) or "any program"
            topic = topics.setdefault(seeds, f"fork in {programs}" + (f" beside {user}" if topics else ""))
            known = self._forks[user] = self.relevance.reaches(topic, lambda: seeds, self._forks_itself)
        return known

    def _forks_itself(self, caller: FunctionKey, call: Call) -> bool:
        """Whether a call makes a process."""
        modelled = self.behaviour.modelled(caller, call)
        return modelled is not None and any(isinstance(one, Fork | Daemon) for one in modelled.effects)

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
        assert fact.object is not None
        topic = self.forks(fact).topic
        known = self._deferred.get(topic)
        if known is None:
            here = self.relevance.mains(fact.object.user)
            known = self._deferred[topic] = tuple(
                edge
                for edge in self.relevance.deferred.get(topic, ())
                if self._together(here, self.relevance.mains(edge.site.function))
                and not self._starts_a_child(edge)
            )
        return known

    def strays(self, fact: Fact) -> tuple[FunctionKey, ...]:
        """Functions that leave a forked child in themselves, of a program that the reference can be in, to
        which no calls lead from any main(): what a build generates may, or a table."""
        assert fact.object is not None
        forks = self.forks(fact)
        known = self._strays.get(forks.topic)
        if known is None:
            here = self.relevance.mains(fact.object.user)
            known = self._strays[forks.topic] = tuple(
                key
                for key in forks.seeds
                if here and key in self._staying and not self.relevance.mains(key)
                if not self.relevance.is_linked(key)
            )
        return known

    def _starts_a_child(self, edge: Edge) -> bool:
        """Whether a function is what a new process runs (clone), and no callback."""
        if edge.kind in (EdgeKind.PROCESS, EdgeKind.FORK):
            return True
        flow = self.behaviour.flow(edge.site.function)
        call = flow.function.blocks[edge.site.block].instrs[edge.site.index] if flow is not None else None
        modelled = self.behaviour.modelled(edge.site.function, call) if isinstance(call, Call) else None
        return modelled is not None and any(
            isinstance(effect, Fork) and effect.entry is not None for effect in modelled.effects
        )

    def _shares(self, here: frozenset[str], key: FunctionKey, user: FunctionKey) -> bool:
        """Whether a function can be in one of some programs, those of ``user``. What says so for sure costs
        more to ask."""
        if self._together(here, self.relevance.mains(key)):
            return True
        return self._together(here, self.relevance.may_belong(key)) or self.relevance.meets(key, user)

    def _together(self, one: frozenset[str], other: frozenset[str]) -> bool:
        """Whether two functions can be in one program; where that is not known, only if there is but one."""
        if not one or not other:
            return len(self.graph.program.entries) < 2
        return bool(one & other)

    def unshares(self) -> Reach:
        """Functions below which a task gets a descriptor table of its own."""
        return self.relevance.calling(
            "unshare their descriptors",
            self._unsharing,
            lambda key: any(self.behaviour.calls_with(key, Unshare)),
        )

    def workers(self) -> Reach:
        """Functions below which a worker process is forked."""
        return self.relevance.calling(
            "fork a worker", self._working, lambda key: any(self.behaviour.calls_with(key, Worker))
        )

    def counts(self, flow: Flow) -> tuple[tuple[Path, Path], ...]:
        """The numbers of users that a function sets: paths and names."""
        known = self._counted.get(flow.key)
        if known is None:
            found = (pair for pair in sorted(flow.numbered) if self._is_count(pair[1]))
            known = self._counted[flow.key] = tuple(found)
        return known

    def _is_count(self, number: Path) -> bool:
        """Whether a number decides somewhere who releases something."""
        if number not in self._counts:
            last = map(self.behaviour.users.last, self.relevance.steppers(number))
            self._counts[number] = any(number in blocks.values() for blocks in last)
        return self._counts[number]

    def joins(self) -> Reach:
        """Functions below which the end of a thread is waited for."""
        return self.relevance.calling("wait for a thread", self.joining, self._waits)

    def execs(self) -> Reach:
        """Functions below which a program is executed or spawned, or every descriptor sealed for one."""
        return self.relevance.calling(
            "execute another program",
            self._executing,
            lambda key: any(
                not isinstance(effect, SetCloexec) or effect.fd is None
                for _call, modelled in self.behaviour.calls_with(key, Exec | Spawn | PassOn | SetCloexec)
                for effect in modelled.effects
                if isinstance(effect, Exec | Spawn | PassOn | SetCloexec)
            ),
        )

    def _waits(self, callee: FunctionKey) -> bool:
        """Whether a callee waits for a thread, which may have done more to an object than it does itself."""
        known = self._waiting.get(callee)
        if known is None:
            known = self._waiting[callee] = any(
                modelled.threads for _call, modelled in self.behaviour.calls_with(callee, Linger)
            )
        return known
