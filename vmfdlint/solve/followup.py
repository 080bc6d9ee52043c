"""A second look after the solve: what is still open when a VM, or the original of a copy, has been closed.

Facts do not see each other while they flow. Here, at every instruction over which one reference goes from
open to closed, the references that depend on it and pass the same instruction are sent on once more, marked
with that close; where such a fact meets a linger point, the reference outlived the close on a real path.
"""

import msgspec

from vmfdlint.link import Site
from vmfdlint.models import Kind
from vmfdlint.solve.facts import Fact, Object
from vmfdlint.solve.observe import Happening, Node
from vmfdlint.solve.tables import Step, Tables
from vmfdlint.solve.typestate import Life, Process

_HANDLES = frozenset(
    {
        Kind.VCPU,
        Kind.DEVICE,
        Kind.STATS,
        Kind.GUEST_MEMFD,
        Kind.TABLE,
        Kind.RUN_MAPPING,
        Kind.MEMFD_MAPPING,
    }
)


def follow_up(tabulation: Tables) -> None:
    """Sends dependents on from every close of what they depend on."""
    for node, closed, site in _closes(tabulation):
        key = tabulation.contexts[node.context].key
        here = tabulation.at.get((key, node.block, node.index), {})
        for fact, other in list(here.items()):
            if fact.object is None or not fact.is_open or fact.state.process is not Process.OWN:
                continue
            if fact.object.alone_since is not None or not _depends(fact.object, closed):
                continue
            if not _goes_on(tabulation, other):
                continue
            alone = msgspec.structs.replace(fact.object, alone_since=site)
            onward = msgspec.structs.replace(fact, object=alone)
            tabulation.push(Node(other.context, other.block, other.index + 1, onward), Step(other))


def _closes(tabulation: Tables) -> list[tuple[Node, Object, Site]]:
    """Nodes over which a reference goes from open to closed, with the reference and where it is closed."""
    found: dict[tuple[int, int, int, Object], tuple[Node, Object, Site]] = {}
    for seen in list(tabulation.observations.values()):
        if (
            seen.what is Happening.CLOSE
            and seen.fact.object is not None
            and seen.fact.state.process is Process.OWN
        ):
            node = seen.node
            found.setdefault(
                (node.context, node.block, node.index, seen.fact.object), (node, seen.fact.object, seen.site)
            )
    for node, step in list(tabulation.steps.items()):
        fact = node.fact
        if (
            step.call is None
            or fact.object is None
            or fact.state.life is not Life.CLOSED
            or fact.mark is None
        ):
            continue
        if step.call.fact.is_open and step.call.fact.object == fact.object:
            call = step.call
            found.setdefault(
                (call.context, call.block, call.index, fact.object), (call, fact.object, fact.mark)
            )
    return list(found.values())


def _depends(dependent: Object, closed: Object) -> bool:
    if dependent.copy_of is not None:
        return dependent.copy_of == closed
    return closed.kind is Kind.VM and closed.copy_of is None and dependent.kind in _HANDLES


def _goes_on(tabulation: Tables, node: Node) -> bool:
    """Whether the fact passes the instruction unchanged (the close is not its own)."""
    onward = Node(node.context, node.block, node.index + 1, node.fact)
    return onward in tabulation.steps or Fact() == node.fact
