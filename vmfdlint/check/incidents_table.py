"""Incidents of descriptor tables: a task of a threaded process takes its own copy of all descriptors."""

from collections import defaultdict
from collections.abc import Iterator

from vmfdlint.base import LIMITS
from vmfdlint.check.incident import Incident, best, created, named, objects_of
from vmfdlint.check.incidents_process import grouped
from vmfdlint.ir import Call, FunctionKey
from vmfdlint.link import EdgeKind, Site
from vmfdlint.models import Callback
from vmfdlint.solve import Crumb, Happening, Life, Observation, Solver, witness


def unshared(solver: Solver) -> Iterator[Incident]:
    """One incident a call that copies the table of a thread, where the thread waits with a holder in its
    copy."""
    waiting: dict[Site, list[Observation]] = defaultdict(list)
    for seen in solver.observations:
        made = seen.fact.object
        if seen.what is not Happening.LINGER or made is None or made.copy_of is None or seen.fact.in_child:
            continue
        # A return into code outside the tree ends a thread, and with it its table.
        if seen.fact.state.life is not Life.CLOSED and not seen.detail.startswith("the return"):
            waiting[made.site].append(seen)
    for site, origin in sorted(grouped(solver.observations, Happening.UNSHARE).items()):
        if not waiting[site] or not any(_threaded(solver, seen) for seen in origin):
            continue
        evidence = best(waiting[site], site)
        held = objects_of([seen.fact for seen in origin])
        yield Incident(
            "table unshared",
            site,
            origin[0].at,
            evidence,
            held,
            {"kind": held[0].kind.value},
            {"api": origin[0].detail, "holders": named(held), "wait": evidence.detail},
            created(held),
        )


def _threaded(solver: Solver, seen: Observation) -> bool:
    """Whether other threads are there: the path runs in a thread's function, or starts a thread before."""
    crumbs = witness(solver.tabulation, seen.node)
    outermost = {crumb.function for crumb in crumbs if crumb.depth == 0}
    return any(_in_thread(solver, key) for key in sorted({crumb.function for crumb in crumbs})) or (
        any(_in_thread(solver, key) for key in _callers(solver, outermost))
        or any(_started_before(solver, crumb) for crumb in crumbs)
    )


def _in_thread(solver: Solver, key: FunctionKey) -> bool:
    return any(edge.kind is EdgeKind.THREAD for edge in solver.graph.value_edges(key))


def _callers(solver: Solver, keys: set[FunctionKey]) -> list[FunctionKey]:
    """The functions above some others, a few steps up."""
    found = set(keys)
    frontier = keys
    for _step in range(LIMITS.receiving_callers):
        frontier = {caller for key in frontier for caller in solver.graph.named_by(key)[0]} - found
        found |= frontier
    return sorted(found - keys)


def _started_before(solver: Solver, crumb: Crumb) -> bool:
    """Whether the function of a step starts a thread, itself or in a callee, above that step."""
    flow = solver.behaviour.flow(crumb.function)
    assert flow is not None
    starting = solver.relevance.calling(
        "start a thread", solver.models.thread_names(), lambda key: any(_starts(solver, key))
    )
    return any(
        call.at < crumb.at
        and (
            any(call is started for started in _starts(solver, crumb.function))
            or any(target in starting for target in solver.program.targets(crumb.function, call))
        )
        for call in flow.calls
    )


def _starts(solver: Solver, key: FunctionKey) -> Iterator[Call]:
    """The calls of a function that start a thread."""
    for call, modelled in solver.behaviour.calls_with(key, Callback):
        if any(isinstance(effect, Callback) and effect.when == "thread" for effect in modelled.effects):
            yield call
