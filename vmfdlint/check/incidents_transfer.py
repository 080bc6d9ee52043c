"""Incidents of transfer: a reference handed to another process, to a ring, to another VM."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from vmfdlint.check.incident import WORDS, Incident, best, created, named, objects_of
from vmfdlint.check.incidents_process import grouped
from vmfdlint.finding import Related
from vmfdlint.ir import Call
from vmfdlint.link import Site
from vmfdlint.models import Kind
from vmfdlint.solve import Happening, Node, Observation, Process, Solver


def shared(solver: Solver) -> Iterator[Incident]:
    """One incident a call that hands holders to a channel, whatever number of them."""
    onward: dict[Node, list[Node]] = {}
    for site, at_site in sorted(grouped(solver.observations, Happening.SHARE).items()):
        seen_list = [seen for seen in at_site if seen.fact.object is not None and seen.fact.object.holds_vm]
        if not seen_list:
            continue
        onward = onward or _onward(solver)
        seen = best(seen_list)
        held = objects_of([one.fact for one in seen_list])
        given_up = all(_closed_next(solver, one, onward) for one in seen_list)
        yield Incident(
            "shared",
            site,
            seen.at,
            seen,
            held,
            {
                "kind": held[0].kind.value,
                "channel": seen.detail,
                "own": "closed" if given_up else "kept",
            },
            {
                "api": _api(solver, seen),
                "holders": named(held),
                "reason": "the sender's own is closed next" if given_up else "the sender keeps its own",
            },
            created(held),
        )


def _api(solver: Solver, seen: Observation) -> str:
    """The name of the call at an observation, for people."""
    flow = solver.behaviour.flow(seen.site.function)
    assert flow is not None
    call = flow.call_at(seen.site.block, seen.site.index)
    modelled = solver.behaviour.modelled(seen.site.function, call)
    return modelled.api if modelled is not None else ""


def _onward(solver: Solver) -> dict[Node, list[Node]]:
    """From each node those that come next, into callees and out of them."""
    found: dict[Node, list[Node]] = defaultdict(list)
    for node, step in solver.tabulation.steps.items():
        if step.previous is not None:
            found[step.previous].append(node)
    for number, sent in solver.tabulation.incoming.items():
        entry = Node(number, 0, 0, solver.tabulation.contexts[number].entry)
        for incoming in sent:
            found[incoming.node].append(entry)
    return found


def _closed_next(solver: Solver, seen: Observation, onward: dict[Node, list[Node]]) -> bool:
    """Whether a process that handed a reference on closes its own before it waits."""
    made = seen.fact.object
    assert made is not None
    closes = {
        other.node
        for other in solver.observations
        if other.what is Happening.CLOSE
        and other.fact.object is not None
        and other.fact.object.site == made.site
        and other.fact.state.process is Process.OWN
    }
    reached = {seen.node}
    pending = [seen.node]
    while pending:
        node = pending.pop()
        if node in closes:
            return True
        if _waits(solver, node, onward):
            continue
        for following in onward.get(node, ()):
            if following not in reached and following.fact.object is not None:
                reached.add(following)
                pending.append(following)
    return False


def _waits(solver: Solver, node: Node, onward: dict[Node, list[Node]]) -> bool:
    """Whether the process can wait at a node; a call that is followed inside is judged there."""
    key = solver.tabulation.contexts[node.context].key
    flow = solver.behaviour.flow(key)
    assert flow is not None
    instrs = flow.function.blocks[node.block].instrs
    call = instrs[node.index] if node.index < len(instrs) else None
    if not isinstance(call, Call):
        return False
    followed = any(following.context != node.context for following in onward.get(node, ()))
    if followed and solver.behaviour.modelled(key, call) is None:
        return False
    return bool(solver.behaviour.below.waits(key, call))


def received(observations: Sequence[Observation]) -> Iterator[Incident]:
    """Incidents of descriptors of another process that are used as holders later: inheritable from the start,
    or taken while the other one keeps its own."""
    found: dict[Site, list[Observation]] = defaultdict(list)
    for seen in observations:
        if seen.what is Happening.KNOWN and seen.fact.object is not None:
            found[seen.fact.object.site].append(seen)
    mended = {seen.fact.cause for seen in observations if seen.what is Happening.SET}
    for site, seen_list in sorted(found.items()):
        seen = min(seen_list, key=lambda one: (len(one.fact.via), one.at, repr(one.fact)))
        if seen.made is None or seen.made.object is None or seen.fact.object is None:
            continue
        origin, holder = seen.fact.object, seen.made.object
        fields = {"api": origin.api, "holders": WORDS[holder.kind], "reason": seen.detail}
        used = (Related(seen.at, f"its use shows the {WORDS[holder.kind]}"),)
        kind = {"kind": holder.kind.value}
        if origin.kind is Kind.TAKEN:
            attributes = kind | {"channel": "taken"}
            yield Incident("shared", site, origin.at, seen, (origin,), attributes, fields, used)
        if any(one.fact.state.inherit for one in seen_list) and site not in mended:
            yield Incident("received inheritable", site, origin.at, seen, (origin,), kind, fields, used)
