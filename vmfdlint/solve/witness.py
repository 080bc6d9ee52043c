"""The path by which a node was reached, call and return matched."""

from collections.abc import Collection

from vmfdlint.ir import FunctionKey
from vmfdlint.link import Site
from vmfdlint.solve.observe import Crumb, Node
from vmfdlint.solve.tables import Tables


def witness(tabulation: Tables, node: Node) -> tuple[Crumb, ...]:
    """The nodes from where the reference began (or its caller's zero fact) to ``node``, one an instruction.

    A return leads back through the callee to the call that belongs to it; at a context's entry the walk goes
    on in the call remembered, else in a call that sent the fact. Of several it takes the one that shares most
    directory names with the way so far: what is built for one architecture calls nothing of another.
    """
    crumbs: list[Crumb] = []
    pending: list[Node] = []
    current: Node | None = node
    seen: set[tuple[Node, int]] = set()
    chosen: set[Node] = set()
    near: set[str] = set()
    depth = 0
    while current is not None and (current, len(pending)) not in seen:
        seen.add((current, len(pending)))
        near.update(_directories(tabulation, current))
        crumbs.append(_crumb(tabulation, current, depth))
        step = tabulation.steps.get(current)
        if step is None:
            break
        if step.call is not None and step.previous is not None:
            exits = {step.previous: step.call}
            if current not in chosen:
                # Only the way by which a node was first found leads back for sure; another one may go round.
                chosen.add(current)
                exits |= tabulation.others.get(current, {})
            current = _nearest(tabulation, exits, near)
            pending.append(exits[current])
            depth += 1
        elif step.previous is not None:
            if step.previous.context != current.context:
                depth -= 1
            current = step.previous
        else:
            # Where the path starts here, a contextual entry continues in its caller for the reader's sake.
            senders = [incoming.node for incoming in tabulation.incoming.get(current.context, ())]
            if pending:
                current = pending.pop()
            else:
                current = _nearest(tabulation, senders, near) if senders else None
            depth -= 1
    lowest = min((crumb.depth for crumb in crumbs), default=0)
    return tuple(
        Crumb(crumb.function, crumb.site, crumb.at, crumb.fact, crumb.depth - lowest)
        for crumb in reversed(crumbs)
    )


def _nearest(tabulation: Tables, nodes: Collection[Node], near: set[str]) -> Node:
    """The first of those whose files share most directory names with what was passed."""
    return max(nodes, key=lambda node: len(near.intersection(_directories(tabulation, node))))


def _directories(tabulation: Tables, node: Node) -> list[str]:
    """The names of the directories that the function of a node is in."""
    return tabulation.contexts[node.context].key.path.split("/")[:-1]


def _crumb(tabulation: Tables, node: Node, depth: int) -> Crumb:
    key: FunctionKey = tabulation.contexts[node.context].key
    flow = tabulation.behaviour.flow(key)
    assert flow is not None
    instrs = flow.function.blocks[node.block].instrs
    if node.index < len(instrs):
        at = instrs[node.index].at
    elif instrs:
        at = instrs[-1].at
    else:
        at = flow.function.at
    return Crumb(key, Site(key, node.block, node.index), at, node.fact, depth)
