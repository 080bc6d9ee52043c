"""What a program does only once: a reference that was made there does not meet it a second time.

In: a fact and an edge, or a call that says whether it is the first. Out: whether what makes the reference has
run.
"""

from collections.abc import Iterator

from vmfdlint.ir import FunctionKey
from vmfdlint.link import Edge, EdgeKind, Site
from vmfdlint.models import Once, Resolved
from vmfdlint.solve.facts import Fact, Object
from vmfdlint.solve.values import ZERO
from vmfdlint.summary import RESULT, Behaviour, Flow, Relevance


class OnceOnly:
    """Answers on what has run."""

    def __init__(self, behaviour: Behaviour, relevance: Relevance) -> None:
        self._behaviour = behaviour
        self._relevance = relevance

    def makers(self, made: Object) -> frozenset[FunctionKey]:
        """The functions below which a reference is made."""
        maker = made.site.function
        return self._relevance.reaches(f"make what {maker.name} in {maker.path} makes", lambda: (maker,))

    def has_run(self, fact: Fact, edge: Edge) -> bool:
        """Whether the function of an edge runs once, and has run."""
        return (
            edge.kind is EdgeKind.ONCE
            and fact.object is not None
            and not fact.in_child
            and edge.callee in self.makers(fact.object)
        )

    def told(self, fact: Fact, modelled: Resolved, flow: Flow, site: Site) -> Fact:
        """The fact behind a call that answers whether it is the first, where that is known."""
        asks = any(isinstance(effect, Once) for effect in modelled.effects)
        if not asks or fact.object is None or not self._is_behind(fact.object, flow, site):
            return fact
        return fact.knowing(RESULT, ZERO)

    def _is_behind(self, made: Object, flow: Flow, site: Site) -> bool:
        """Whether a function makes a reference behind the call at ``site`` alone."""
        blocks = set(self._making(made, flow))
        behind = (number for number in blocks if number != site.block and site.block in flow.above(number))
        return bool(blocks) and blocks == set(behind)

    def _making(self, made: Object, flow: Flow) -> Iterator[int]:
        """The blocks of a function in which a reference is made, or called what makes it."""
        if made.site.function == flow.key:
            yield made.site.block
            return
        makers = self.makers(made)
        for site, call in flow.placed():
            if not makers.isdisjoint(self._behaviour.program.targets(flow.key, call)):
                yield site.block
