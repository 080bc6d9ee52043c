"""Everything in a program that makes, copies, hands over or releases a holder of a VM, or makes a process.

In: a solved program. Out: items, by place: what a change adds and takes away is told by comparing.
"""

from collections import defaultdict
from collections.abc import Iterator

from vmfdlint.base import Span
from vmfdlint.check.incident import called, noun
from vmfdlint.finding import Item, Matter
from vmfdlint.link import Site
from vmfdlint.models import Daemon, Exec, Fork, Resolved, Spawn, Worker
from vmfdlint.solve import Happening, Object, Solver

_PROCESSES: tuple[tuple[type, Matter], ...] = (
    (Fork, Matter.FORK),
    (Worker, Matter.FORK),
    (Daemon, Matter.FORK),
    (Spawn, Matter.PROGRAM),
    (Exec, Matter.PROGRAM),
)
_HANDED = (Happening.SHARE, Happening.REGISTER, Happening.PASS_ON)


def inventory(solver: Solver) -> tuple[Item, ...]:
    """The items, each once."""
    found = dict.fromkeys((*_made(solver), *_processes(solver), *_observed(solver)))
    return tuple(sorted(found, key=lambda item: (item.at, item.matter, item.text)))


def _made(solver: Solver) -> Iterator[Item]:
    """A creation or a copy for each user of a creating wrapper, at the user's call."""
    by_site: dict[tuple[object, ...], set[tuple[Site, ...]]] = defaultdict(set)
    one_of: dict[tuple[object, ...], Object] = {}
    for facts in solver.tabulation.at.values():
        for fact in facts:
            made = fact.object
            if made is not None and made.holds_vm and not made.creator and not made.channel:
                key = (made.kind, made.site, made.copy_of is not None)
                by_site[key].add(made.chain)
                one_of.setdefault(key, made)
    for name, chains in by_site.items():
        made = one_of[name]
        for chain in chains:
            # What is on its way out of the wrapper is not yet what its user has.
            if any(len(other) > len(chain) and other[: len(chain)] == chain for other in chains):
                continue
            matter = Matter.COPY if made.copy_of is not None else Matter.CREATION
            site = chain[-1] if chain else made.site
            at = _span(solver, site) if chain else made.at
            yield Item(matter, f"{noun(made)} by {called(made.api)}", at, site.function.name)


def _span(solver: Solver, site: Site) -> Span:
    flow = solver.behaviour.flow(site.function)
    assert flow is not None  # a site always lies in a lowered function
    return flow.function.blocks[site.block].instrs[site.index].at


def _processes(solver: Solver) -> Iterator[Item]:
    kinds = tuple(kind for kind, _ in _PROCESSES)
    for key in solver.relevance.callers_of(solver.models.names_with(*kinds)):
        for kind, matter in _PROCESSES:
            for call, modelled in solver.behaviour.calls_with(key, kind):
                if _first(modelled) is kind:
                    yield Item(matter, called(modelled.api), call.at, key.name)


def _first(modelled: Resolved) -> type | None:
    """What a call does to processes, told once: Popen with a preexec_fn forks and executes."""
    kinds = [kind for kind, _ in _PROCESSES if any(isinstance(one, kind) for one in modelled.effects)]
    return kinds[0] if kinds else None


def _observed(solver: Solver) -> Iterator[Item]:
    for seen in solver.observations:
        made = seen.fact.object
        if made is None or not made.holds_vm or made.creator:
            continue
        if seen.what is Happening.CLOSE:
            yield Item(Matter.RELEASE, f"release of the {noun(made)}", seen.at, seen.site.function.name)
        elif seen.what in _HANDED:
            text = f"{noun(made)} handed to {called(seen.detail)}"
            yield Item(Matter.TRANSFER, text, seen.at, seen.site.function.name)
