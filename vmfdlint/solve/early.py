"""A run over a part of the descriptors, before the one over all: what a change may have done to them.

In: a solver of the program, which functions changed, and which a descriptor that meets one comes out of.
Out: a Solver that observed what becomes of these.
"""

from collections import deque
from collections.abc import Callable, Collection

from vmfdlint.base import LIMITS
from vmfdlint.ir import FunctionKey
from vmfdlint.link import Site
from vmfdlint.models import Close
from vmfdlint.solve.facts import Fact
from vmfdlint.solve.observe import Happening, Node, Observation
from vmfdlint.solve.solver import Solver
from vmfdlint.solve.tables import Step
from vmfdlint.solve.tabulate import Tabulation
from vmfdlint.solve.typestate import Life


class _Ending(Tabulation):
    """Ends where one thing more that happens in a function that ``changed`` is proven, or with too much work.
    What is proven hangs on no other path: a child surely stays, and its parent lives on; or a copy that is
    lost in the function that made it is there where the process waits. What such a call leads to goes first,
    then what is on the ``way`` to such functions."""

    def __init__(self, run: "Early") -> None:
        super().__init__(run.graph, run.behaviour, run.relevance, run.models, run.interest)
        self._changed = run.changed
        self._way = run.way
        self._ahead: deque[Node] = deque()
        self._nearer: deque[Node] = deque()
        self._parents: set[Site] = set()
        self._children: set[Site] = set()
        self._copies: set[Site] = set()
        self.ended = False

    @property
    def proven(self) -> frozenset[Site]:
        """The calls of which that was seen."""
        return frozenset(self._parents & self._children | self._copies)

    def push(self, node: Node, step: Step) -> None:
        """See :meth:`Tables.push`."""
        super().push(node, step)
        if not self._work or self._work[-1] is not node:
            return
        if self._origin(node.fact) is not None:
            self._ahead.append(self._work.pop())
        elif self.contexts[node.context].key in self._way:
            self._nearer.append(self._work.pop())

    def _next(self) -> Node | None:
        self.ended = self.ended or len(self.steps) > LIMITS.early_nodes
        if self.ended:
            return None
        return next((work.popleft() for work in (self._ahead, self._nearer) if work), None) or super()._next()

    def _origin(self, fact: Fact) -> Site | None:
        """The call in a function that changed by which this is a child's copy, the parent's stand-in, or a
        duplicate."""
        copied = fact.object is not None and fact.object.copy_of is not None
        site = fact.fork or (fact.object.site if copied and fact.object is not None else None)
        return site if site is not None and self._changed(site.function) else None

    def _is_no_move(self, site: Site, lost: Site | None) -> bool:
        """Whether a copy that was lost could not take its original's place before."""
        if lost is None or lost == site:
            return lost is not None
        closing = any(self.behaviour.calls_with(site.function, Close))
        return lost.function == site.function and not closing

    def _record(self, seen: Observation) -> None:
        super()._record(seen)
        fact, made = seen.fact, seen.fact.object
        if seen.what is not Happening.LINGER or fact.via or made is None:
            return
        site = self._origin(fact)
        if site is None:
            return
        if fact.fork is None:
            if fact.state.life is Life.LOST and made.holds_vm and self._is_no_move(site, fact.mark):
                self._copies.add(site)
        elif made.creator:
            self._parents.add(site)
        elif fact.in_child and fact.is_open and made.holds_vm and not made.is_mapping:
            self._children.add(site)
        self.ended = self.ended or bool(self.proven)


class Early(Solver):
    """Follows what comes out of some functions. Where it ``ended`` before all was followed, it says something
    of what is ``proven`` alone."""

    tabulation: _Ending

    def __init__(
        self,
        solver: Solver,
        changed: Callable[[FunctionKey], bool],
        meets: Callable[[FunctionKey], bool],
        way: Collection[FunctionKey] = (),
    ) -> None:
        """``meets`` says which of the functions to start from to take; ``way`` are those over which
        references come to what changed."""
        self.changed = changed
        self.way = way
        self._meets = meets
        super().__init__(solver.program, solver.models, solver.aliases_of, solver)
        self.interest.forks_in = changed

    @property
    def starts(self) -> tuple[FunctionKey, ...]:
        """See :attr:`Solver.starts`."""
        return tuple(key for key in self.seeds if self._meets(key))

    def trial(self) -> _Ending:
        """See :meth:`Solver.trial`."""
        return _Ending(self)

    @property
    def ended(self) -> bool:
        """Whether not all was followed."""
        return self.tabulation.ended

    @property
    def proven(self) -> frozenset[Site]:
        """The calls in functions that changed of which enough is known."""
        return self.tabulation.proven
