"""Incidents of release: lost references, copies that stay, handles that outlive their VM, double close."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from vmfdlint.base import LIMITS, Span
from vmfdlint.check.incident import WORDS, Incident, best, created, objects_of
from vmfdlint.check.incidents_process import grouped
from vmfdlint.finding import Related
from vmfdlint.link import Site
from vmfdlint.models import Kind
from vmfdlint.solve import (
    Cut,
    Fact,
    Happening,
    Life,
    Name,
    Object,
    Observation,
    Process,
    Solver,
    crosses,
    is_number,
    witness,
)
from vmfdlint.summary import ESCAPED, is_cell, is_global


def lost(solver: Solver, told: frozenset[Name]) -> Iterator[Incident]:
    """One incident an exit (or overwrite) where the last place of a holder goes and the process lives on.

    ``told`` are the names of references already reported: those that remain after the close of their VM, and
    mappings of which a part was unmapped. A call that KVM refuses in a child makes none.
    """
    lingering: dict[Site, list[Observation]] = defaultdict(list)
    refused = {seen.site for seen in solver.observations if seen.what is Happening.CHILD_USE}
    for seen in solver.observations:
        fact = seen.fact
        if seen.what is not Happening.LINGER or fact.state.life is not Life.LOST or fact.mark is None:
            continue
        if fact.object is None or fact.state.process is not Process.OWN or fact.object.alone_since:
            continue
        if fact.object.copy_of is None and fact.object.name not in told and fact.object.site not in refused:
            lingering[fact.mark].append(seen)
    losses = grouped(solver.observations, Happening.LOST)
    for site, seen_list in sorted(lingering.items()):
        evidence = best(seen_list, site)
        where = losses.get(site)
        if not where:
            continue
        held = objects_of([seen.fact for seen in seen_list])
        for at in _exits(solver, site, where[0].at, held):
            yield Incident(
                "lost",
                site,
                at,
                evidence,
                held,
                {"kind": held[0].kind.value},
                {
                    "api": held[0].api,
                    "holders": _kinds(held),
                    "wait": evidence.detail,
                },
                created(held),
            )


def _kinds(held: tuple[Object, ...]) -> str:
    return " and ".join(dict.fromkeys(WORDS[made.kind] for made in held))


def _exits(solver: Solver, site: Site, at: Span, held: Sequence[Object]) -> tuple[Span, ...]:
    """The gotos by which open references reach the return at ``site``; the return itself where none does."""
    flow = solver.behaviour.flow(site.function)
    if flow is None:
        return (at,)
    blocks = flow.function.blocks
    found: set[Span] = set()
    seen = {site.block}
    stack = [site.block]
    while stack:
        for source in flow.graph.predecessor_indices(stack.pop()):
            jump = blocks[source].jump
            if not _open_at(solver, site, source, held):
                continue
            if jump is not None:
                found.add(jump)
            elif source not in seen and not _creates(solver, site, source):
                seen.add(source)
                stack.append(source)
    return tuple(sorted(found)) or (at,)


def _creates(solver: Solver, site: Site, block: int) -> bool:
    """Whether a reference begins in a block of the function that ``site`` lies in."""
    return any(
        seen.what is Happening.CREATE and seen.site.function == site.function and seen.site.block == block
        for seen in solver.observations
    )


def _open_at(solver: Solver, site: Site, block: int, held: Sequence[Object]) -> bool:
    """Whether one of the references is still held at the end of a block."""
    flow = solver.behaviour.flow(site.function)
    assert flow is not None
    facts = solver.tabulation.at.get((site.function, block, len(flow.function.blocks[block].instrs)), {})
    return any(
        fact.object is not None
        and fact.is_open
        and not any(crosses(path) for path in fact.places)
        and any(fact.object.site == made.site for made in held)
        for fact in facts
    )


def copies(solver: Solver) -> Iterator[Incident]:
    """One incident a duplicate, or a registration, that outlives its original, is lost, or rests where
    nothing closes it."""
    observations = solver.observations
    by_site: dict[Site, list[Observation]] = defaultdict(list)
    released: set[Site] = set()
    alone: dict[Site, list[Observation]] = defaultdict(list)
    for seen in observations:
        made = seen.fact.object
        if made is None or made.copy_of is None or seen.fact.state.process is not Process.OWN:
            continue
        if seen.what is Happening.CLOSE:
            released.add(made.site)
        elif seen.what is Happening.LINGER and seen.fact.state.life is not Life.CLOSED:
            (alone if made.alone_since is not None else by_site)[made.site].append(seen)
    moved = _moves(solver)
    made_by = grouped(observations, Happening.DUPLICATE) | grouped(observations, Happening.REGISTER)
    for site, origin in sorted(made_by.items()):
        first = best(origin)
        if (
            first.made is None
            or first.made.object is None
            or not first.made.object.holds_vm
            or first.fact.in_child
        ):
            continue
        forgotten = [seen for seen in alone[site] if seen.fact.state.life is Life.LOST]
        if forgotten and site in moved:
            evidence, reason = best(forgotten, site), "no variable holds the copy any more"
        elif alone[site]:
            if site in moved:
                continue
            evidence, reason = best(alone[site], site), "the copy is still open after the original was closed"
        elif any(seen.fact.state.life is Life.LOST for seen in by_site[site]):
            lost = [seen for seen in by_site[site] if seen.fact.state.life is Life.LOST]
            evidence = best(lost, site)
            reason = "no variable holds the copy any more"
        elif by_site[site] and site not in released and site not in moved:
            evidence, reason = best(by_site[site], site), "nothing closes the copy"
        else:
            continue
        registered = first.what is Happening.REGISTER
        yield Incident(
            "shared" if registered else "copy outlives",
            site,
            first.at,
            evidence,
            (first.made.object,),
            {"kind": first.made.object.kind.value} | ({"channel": first.detail} if registered else {}),
            {
                "api": first.made.object.api,
                "holders": WORDS[first.made.object.kind],
                "wait": evidence.detail,
                "reason": reason,
            },
            (Related(first.made.object.copy_of.at, "original created here"),)
            if first.made.object.copy_of
            else (),
        )


def _moves(solver: Solver) -> frozenset[Site]:
    """Duplicates that only take the original's place (rules.md, "Move")."""
    used = {
        seen.fact.object.site
        for seen in solver.observations
        if seen.what is Happening.USE and seen.fact.object is not None
    }
    lingers_before = {
        seen.fact.object.site
        for seen in solver.observations
        if seen.what is Happening.LINGER
        and seen.fact.object is not None
        and seen.fact.object.copy_of is not None
        and seen.fact.object.alone_since is None
        and not _original_gone(solver, seen)
    }
    found = set()
    for seen in solver.observations:
        if seen.what is not Happening.DUPLICATE or seen.made is None or seen.made.object is None:
            continue
        site = seen.site
        closes = [
            other
            for other in solver.observations
            if other.what is Happening.CLOSE
            and other.fact.object == seen.made.object.copy_of
            and other.site.function == site.function
        ]
        if not closes or site in lingers_before:
            continue
        if any(_kept_elsewhere(solver, seen, close) for close in closes):
            continue
        if site in used or _takes_place(solver, seen):
            found.add(site)
    return frozenset(found)


def _original_gone(solver: Solver, seen: Observation) -> bool:
    """Whether the original is no longer open where a copy lingers."""
    made = seen.fact.object
    assert made is not None
    here = solver.tabulation.at.get((seen.site.function, seen.site.block, seen.site.index), {})
    places = set(seen.fact.places)
    # One that is in the copy's own place is there on another path: where no copy was made.
    return not any(
        fact.object == made.copy_of and fact.is_open and places.isdisjoint(fact.places) for fact in here
    )


def _kept_elsewhere(solver: Solver, duplicate: Observation, close: Observation) -> bool:
    """Whether the copy is, when the original is closed, in a place that outlives the function and is new."""
    here = solver.tabulation.at.get((close.site.function, close.site.block, close.site.index), {})
    return any(
        (is_global(path) or is_cell(path) or path == ESCAPED)
        and path not in duplicate.fact.places
        and not is_number(path)
        for fact in here
        if fact.object is not None and fact.object.copy_of is not None and fact.object.site == duplicate.site
        for path in fact.places
    )


def _takes_place(solver: Solver, seen: Observation) -> bool:
    """Whether the copy is returned or put where the original was."""
    assert seen.made is not None and seen.made.object is not None
    original = set(seen.fact.places)
    for (function, _block, _index), facts in solver.tabulation.at.items():
        if function != seen.site.function:
            continue
        for fact in facts:
            if fact.object == seen.made.object and (original & set(fact.places)):
                return True
    return any(
        fact.object == seen.made.object and any(path[0] == "%result" for path in fact.places)
        for number, context in enumerate(solver.tabulation.contexts)
        if context.key == seen.site.function
        for fact in solver.tabulation.exits(number)
    )


def remains(solver: Solver, told: frozenset[Name]) -> Iterator[Incident]:
    """One incident a close of a VM after which a handle of the same VM meets a linger point. ``told`` are the
    names of mappings of which a part was unmapped."""
    found: dict[Site, list[Observation]] = defaultdict(list)
    for seen in solver.observations:
        made = seen.fact.object
        if seen.what is not Happening.LINGER or made is None or made.alone_since is None:
            continue
        if made.name in told:
            continue
        if made.copy_of is None and seen.fact.state.life is not Life.CLOSED and not seen.fact.in_child:
            found[made.alone_since].append(seen)
    closes = grouped(solver.observations, Happening.CLOSE)
    for site, seen_list in sorted(found.items()):
        evidence = best(seen_list, site)
        where = closes.get(site)
        at = where[0].at if where else evidence.at
        held = objects_of([seen.fact for seen in seen_list])
        yield Incident(
            "remains after close",
            site,
            at,
            evidence,
            held,
            {"kind": held[0].kind.value},
            {
                "api": "close",
                "holders": _kinds(held),
                "wait": evidence.detail,
            },
            created(held),
        )


def misuse(solver: Solver) -> Iterator[Incident]:
    """Double close and use after close of a number that is surely the same."""
    observations = solver.observations
    for happening, what in (
        (Happening.DOUBLE_CLOSE, "closed twice"),
        (Happening.USE_CLOSED, "used after close"),
    ):
        for site, seen_list in sorted(grouped(observations, happening).items()):
            seen = best(seen_list)
            if (
                seen.fact.object is None
                or seen.fact.object.kind is Kind.SYSTEM
                or not seen.fact.object.holds_vm
            ):
                continue
            mark = seen.fact.mark
            closed_at = [
                other.at for other in observations if other.what is Happening.CLOSE and other.site == mark
            ]
            yield Incident(
                what,
                site,
                seen.at,
                seen,
                objects_of([seen.fact]),
                {"kind": seen.fact.object.kind.value},
                {"api": seen.detail, "holders": WORDS[seen.fact.object.kind]},
                tuple(Related(at, "first closed here") for at in sorted(set(closed_at))[:1]),
                doubts=_far_from_the_close(solver, seen),
            )


def _far_from_the_close(solver: Solver, seen: Observation) -> tuple[str, ...]:
    """A doubt where a use lies many calls below the function to which the close had returned: what the
    program notes down elsewhere about a machine that is gone is then likely to keep it away."""
    depths = [crumb.depth for crumb in witness(solver.tabulation, seen.node) if _is_closed(crumb.fact)]
    calls = depths[-1] - min(depths) if depths else 0
    return (f"{calls} calls away from the close",) if calls > LIMITS.near_calls else ()


def _is_closed(fact: Fact) -> bool:
    return fact.object is not None and fact.state.life is Life.CLOSED


def partly_unmapped(observations: Sequence[Observation]) -> Iterator[Incident]:
    """One incident a call that ended a part of a mapping, or nothing for a view of it, where the rest is
    never unmapped and the process lives on. A child that does so survives by its fork, and is told there."""
    waiting: dict[Cut, list[Observation]] = defaultdict(list)
    for seen in observations:
        if seen.what is Happening.LINGER and seen.fact.cut is not None and not seen.fact.in_child:
            waiting[seen.fact.cut].append(seen)
    whole = {seen.fact.cut.site for seen in observations if seen.what is Happening.CLOSE and seen.fact.cut}
    for cut, seen_list in sorted(waiting.items(), key=lambda item: (item[0].site, item[0].left or 0)):
        if cut.site in whole:
            continue
        evidence = best(seen_list, cut.site)
        held = objects_of([seen.fact for seen in seen_list])
        kinds = _kinds(held)
        part = f"ends only a part of the {kinds}: the rest"
        reason = f"fails while a view of the {kinds} is alive, which" if cut.viewed else part
        yield Incident(
            "partly unmapped",
            cut.site,
            cut.at,
            evidence,
            held,
            {"kind": held[0].kind.value},
            {"api": cut.api, "holders": kinds, "wait": evidence.detail, "reason": reason},
            created(held),
        )
