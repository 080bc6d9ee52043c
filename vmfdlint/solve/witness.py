"""The path by which a node was reached, call and return matched."""

from vmfdlint.ir import FunctionKey
from vmfdlint.link import Site
from vmfdlint.solve.observe import Crumb, Node
from vmfdlint.solve.tables import Tables


def witness(tabulation: Tables, node: Node) -> tuple[Crumb, ...]:
    """The nodes from where the reference began (or its caller's zero fact) to ``node``, one an instruction.

    A return leads back through the callee to the call that belongs to it; at a context's entry the walk goes
    on in the call remembered, else in the first call that sent the fact.
    """
    crumbs: list[Crumb] = []
    pending: list[Node] = []
    current: Node | None = node
    seen: set[tuple[Node, int]] = set()
    depth = 0
    while current is not None and (current, len(pending)) not in seen:
        seen.add((current, len(pending)))
        crumbs.append(_crumb(tabulation, current, depth))
        step = tabulation.steps.get(current)
        if step is None:
            break
        if step.call is not None and step.previous is not None:
            pending.append(step.call)
            current = step.previous
            depth += 1
        elif step.previous is not None:
            if step.previous.context != current.context:
                depth -= 1
            current = step.previous
        elif current.fact.is_zero:
            # The path starts here; a contextual entry continues in its caller for the reader's sake.
            current = _sender(tabulation, current, pending)
            depth -= 1
        else:
            current = _sender(tabulation, current, pending)
            depth -= 1
    lowest = min((crumb.depth for crumb in crumbs), default=0)
    return tuple(
        Crumb(crumb.function, crumb.site, crumb.at, crumb.fact, crumb.depth - lowest)
        for crumb in reversed(crumbs)
    )


def _sender(tabulation: Tables, entry: Node, pending: list[Node]) -> Node | None:
    if pending:
        return pending.pop()
    for incoming in tabulation.incoming.get(entry.context, ()):
        return incoming.node
    return None


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
