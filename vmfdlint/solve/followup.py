"""A second look after the solve: what is still open when a VM, or the original of a copy, has been closed.

Facts do not see each other while they flow. Here, at every instruction over which one reference goes from
open to closed, the references that depend on it and pass the same instruction are sent on once more, marked
with that close; where such a fact meets a linger point, the reference outlived the close on a real path.
"""

from collections.abc import Collection
from typing import NamedTuple

import msgspec

from vmfdlint.base import LIMITS
from vmfdlint.link import EdgeKind, Site
from vmfdlint.models import Kind
from vmfdlint.solve.facts import Fact, Object
from vmfdlint.solve.observe import Happening, Node
from vmfdlint.solve.tables import Step, Tables
from vmfdlint.solve.typestate import Life, Process
from vmfdlint.solve.values import RETURNED
from vmfdlint.solve.witness import witness
from vmfdlint.summary import EXCEPTION, Path, is_global, operand_path

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
    # A handle that went into the call meets the close there, or a path on which nothing is closed.
    entered = {incoming.node for sent in tabulation.incoming.values() for incoming in sent}
    for node, closed, site, numbers in _closings(tabulation):
        key = tabulation.contexts[node.context].key
        here = tabulation.at.get((key, node.block, node.index), {})
        for fact, other in list(here.items()):
            if fact.object is None or not fact.is_open or fact.state.process is not Process.OWN:
                continue
            if fact.object.alone_since is not None or not _depends(fact.object, closed):
                continue
            if fact.object.copy_of is None and not all(_goes_with(fact, number) for number in numbers):
                continue
            passed = _passed(tabulation, other)
            if other in entered or not passed or _of_another(tabulation, other, node, closed):
                continue
            if fact.object.copy_of is None and _stands_in(tabulation, node, closed, entered):
                continue
            alone = msgspec.structs.replace(fact.object, alone_since=site)
            for onward in passed:
                onward = msgspec.structs.replace(onward, object=alone)
                index = other.index + (not _is_head(tabulation, other))
                tabulation.push(Node(other.context, other.block, index, onward), Step(other))


def _goes_with(handle: Fact, number: Path) -> bool:
    """Whether a handle is released together with the object whose last user closed the VM: that has it, or
    it is global as the number is. One that another object has was a user, and went before that."""
    if len(number) == 2:
        return any(is_global(held) for held in handle.places)
    return any(held[0] == number[1] for held in handle.places)


class _Closing(NamedTuple):
    """A node over which a reference goes from open to closed, where it is closed, and the numbers of users
    that decide that."""

    node: Node
    closed: Object
    site: Site
    numbers: frozenset[Path] = frozenset()


def _closings(tabulation: Tables) -> list[_Closing]:
    """The first at each instruction of a context, for each reference."""
    found: dict[tuple[int, int, int, Object], _Closing] = {}

    def add(one: _Closing) -> None:
        found.setdefault((one.node.context, one.node.block, one.node.index, one.closed), one)

    for seen in list(tabulation.observations.values()):
        if (
            seen.what is Happening.CLOSE
            and seen.fact.object is not None
            and seen.fact.state.process is Process.OWN
        ):
            way = (seen.node, *_calls_to(tabulation, seen.node, seen.fact.object))
            numbers = frozenset(filter(None, (_decides(tabulation, node) for node in way)))
            for node in way:
                add(_Closing(node, seen.fact.object, seen.site, numbers))
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
            add(_Closing(step.call, fact.object, fact.mark))
    return list(found.values())


def _decides(tabulation: Tables, node: Node) -> Path | None:
    """The number of users by which the instruction of a node is one of the last user; None where it is that
    of any."""
    return tabulation.behaviour.users.last(tabulation.contexts[node.context].key).get(node.block)


def _calls_to(tabulation: Tables, node: Node, closed: Object) -> list[Node]:
    """The calls that led an open reference to where it is closed: it is closed behind them too, also where
    nothing remembers its number."""
    found: dict[Node, None] = {}
    contexts = [node.context]
    for number in contexts:
        for call in _calls_of(tabulation, number, closed):
            if call not in found:
                found[call] = None
                contexts.append(call.context)
    return list(found)


def _depends(dependent: Object, closed: Object) -> bool:
    if dependent.copy_of is not None:
        return dependent.copy_of == closed
    return closed.kind is Kind.VM and dependent.kind in _HANDLES


def _stands_in(
    tabulation: Tables, node: Node, closed: Object, entered: Collection[Node], depth: int = 0
) -> bool:
    """Whether another descriptor of the same VM is open where one is closed: its original, or a copy, also
    one that was made in the call that closes, or that every caller has and keeps to itself. What is in the
    same variable is there on another path."""
    key = tabulation.contexts[node.context].key
    here = tabulation.at.get((key, node.block, node.index), {})
    after = tabulation.at.get((key, node.block, node.index + 1), {})
    places = set(node.fact.places)
    if any(
        _is_another(fact, closed) and places.isdisjoint(fact.places) and not (depth and other in entered)
        for fact, other in here.items()
    ):
        return True
    if any(_is_another(fact, closed) and fact.object and fact.object.copy_of == closed for fact in after):
        return True
    calls = _calls_of(tabulation, node.context, closed) if depth < LIMITS.teardown_depth else []
    return bool(calls) and all(_stands_in(tabulation, call, closed, entered, depth + 1) for call in calls)


def _calls_of(tabulation: Tables, context: int, closed: Object) -> list[Node]:
    """The calls that gave an open reference to a context."""
    return [
        incoming.node
        for incoming in tabulation.incoming.get(context, ())
        if incoming.edge.kind in (EdgeKind.DIRECT, EdgeKind.SLOT)
        and incoming.node.fact.object == closed
        and incoming.node.fact.is_open
    ]


def _is_another(fact: Fact, closed: Object) -> bool:
    return (
        fact.object is not None
        and fact.is_open
        and fact.state.process is Process.OWN
        and fact.object.kind is Kind.VM
        and not fact.object.channel
        and fact.object != closed
        and fact.object.first == closed.first
    )


def _of_another(tabulation: Tables, handle: Node, vm: Node, closed: Object) -> bool:
    """Whether a handle belongs to another VM than the one closed: its creating call names another one, or it
    was there before this one was made."""
    assert handle.fact.object is not None
    if closed.kind is not Kind.VM or handle.fact.object.copy_of is not None:
        return False
    parents = _parents(tabulation, handle.fact.object)
    if parents and not any(_same(parent.first, closed.first) for parent in parents):
        return True
    if closed.copy_of is not None:
        return False
    made_at = (*_handed_out(tabulation, vm), closed.site)
    maker = Site(made_at[0].function, 0, 0)
    return any(
        crumb.site in made_at or crumb.site == maker
        for crumb in witness(tabulation, handle)
        if crumb.fact.object is not None
    )


def _parents(tabulation: Tables, handle: Object) -> list[Object]:
    """The VMs that the call which made a handle surely names."""
    site = handle.site
    flow = tabulation.behaviour.flow(site.function)
    assert flow is not None
    subject = operand_path(flow.call_at(site.block, site.index).args[0])
    here = tabulation.at.get((site.function, site.block, site.index), {})
    return [
        fact.object
        for fact in here
        if fact.object is not None and fact.object.kind is Kind.VM and subject in fact.places
    ]


def _same(one: Object, other: Object) -> bool:
    """Whether two abstract VMs may be one, also where only one of them is told apart by its user."""
    return one.site == other.site and (not one.chain or not other.chain or one.chain == other.chain)


def _handed_out(tabulation: Tables, node: Node) -> tuple[Site, ...]:
    """The calls out of which the reference at ``node`` came while it was fresh, the outermost first."""
    found: list[Site] = []
    seen: set[Node] = set()
    current: Node | None = node
    while current is not None and current not in seen:
        seen.add(current)
        step = tabulation.steps.get(current)
        if step is None:
            break
        call = step.call
        if call is not None and call.fact.is_zero:
            found.append(Site(tabulation.contexts[call.context].key, call.block, call.index))
        current = call if call is not None and not call.fact.is_zero else step.previous
    return tuple(found)


def _passed(tabulation: Tables, node: Node) -> list[Fact]:
    """The fact behind the instruction where it passes unchanged (the close is not its own), save for what it
    knows of variables: a call says whether it raised, and may have changed what it was given. At the empty
    head of a loop that closes it is what the loop is entered with."""
    if _is_head(tabulation, node):
        return [node.fact]
    behind = (node.fact, *(node.fact.knowing(EXCEPTION, value) for value in (None, RETURNED)))
    found = [fact for fact in behind if _after(tabulation, node, fact) is not None]
    if node.fact.env:
        key = tabulation.contexts[node.context].key
        for fact in tabulation.at.get((key, node.block, node.index + 1), {}):
            if fact.bare == node.fact.bare and _after(tabulation, node, fact) == Step(node):
                found.append(fact)
    return list(dict.fromkeys(found))


def _is_head(tabulation: Tables, node: Node) -> bool:
    """Whether a node is the empty head of a loop whose own calls close what it runs over."""
    flow = tabulation.behaviour.flow(tabulation.contexts[node.context].key)
    return flow is not None and not flow.function.blocks[node.block].instrs and node.block in flow.sweeps


def _after(tabulation: Tables, node: Node, fact: Fact) -> Step | None:
    """How a fact came behind the instruction of a node; None where it did not."""
    return tabulation.steps.get(Node(node.context, node.block, node.index + 1, fact))
