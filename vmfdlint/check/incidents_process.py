"""Incidents of processes: children that survive, ioctls in them, descriptors that pass an exec."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from vmfdlint.check.incident import UNSURE, WORDS, Incident, best, created, named, objects_of
from vmfdlint.finding import Related
from vmfdlint.link import Site
from vmfdlint.models import Kind
from vmfdlint.solve import Happening, Life, Observation


def grouped(observations: Sequence[Observation], what: Happening) -> dict[Site, list[Observation]]:
    """Observations of one kind by the site they happened at."""
    found: dict[Site, list[Observation]] = defaultdict(list)
    for seen in observations:
        if seen.what is what and seen.fact.object is not None and seen.fact.object.alone_since is None:
            found[seen.site].append(seen)
    return found


def survivals(observations: Sequence[Observation]) -> dict[Site, list[Observation]]:
    """For each fork the waits of its child with a holder in place (rules.md, "Survives"), also one whose
    number it has lost; where there is none, the calls of which it is not known whether they wait."""
    survivors: dict[Site, list[Observation]] = defaultdict(list)
    unsure: dict[Site, list[Observation]] = defaultdict(list)
    for seen in observations:
        fact = seen.fact
        if not fact.in_child or fact.fork is None or fact.state.life is Life.CLOSED:
            continue
        if fact.object is None or not fact.object.holds_vm or fact.object.creator:
            continue
        if seen.what is Happening.LINGER:
            survivors[fact.fork].append(seen)
        elif seen.what is Happening.UNSURE:
            unsure[fact.fork].append(seen)
    return dict(unsure) | survivors


def surviving_children(observations: Sequence[Observation]) -> Iterator[Incident]:
    """One incident a fork whose child reaches a linger point with a holder."""
    forks = dict(grouped(observations, Happening.FORK))
    daemons = grouped(observations, Happening.DAEMON)
    parents_alive = {
        seen.fact.fork for seen in observations if seen.what is Happening.LINGER and seen.fact.is_parent
    }
    for site, seen_list in sorted(survivals(observations).items()):
        origin = forks.get(site) or daemons.get(site)
        if not origin:
            continue
        evidence = best(seen_list, site)
        held = objects_of([seen.fact for seen in seen_list])
        mapping_only = all(made.is_mapping for made in held)
        dies = site in daemons or site not in parents_alive
        yield Incident(
            "surviving child",
            site,
            origin[0].at,
            evidence,
            held,
            {
                "parent": "dies" if dies else "lives",
                "held": "mapping" if mapping_only else "descriptor",
                "survival": "sure" if evidence.what is Happening.LINGER else "unsure",
            },
            {
                "api": _api(origin[0]),
                "holders": named(held),
                "wait": evidence.detail if evidence.what is Happening.LINGER else UNSURE + evidence.detail,
            },
            related=created(held),
        )


def _api(seen: Observation) -> str:
    return seen.detail or "fork"


def child_ioctls(observations: Sequence[Observation]) -> Iterator[Incident]:
    """One incident a child that issues a checked ioctl; its further ioctls are related places."""
    by_fork: dict[Site, list[Observation]] = defaultdict(list)
    for seen in observations:
        if seen.what is Happening.CHILD_USE and seen.fact.object is not None:
            # A child that shares the table names no fork; the reference it fails on stands for it.
            by_fork[seen.fact.fork or seen.fact.object.site].append(seen)
    for _fork, seen_list in sorted(by_fork.items()):
        first = min(seen_list, key=lambda seen: (len(seen.fact.via), seen.at, repr(seen.fact)))
        others = {seen.at: seen for seen in seen_list if seen.at != first.at}
        assert first.fact.object is not None
        yield Incident(
            "ioctl in child",
            first.site,
            first.at,
            first,
            objects_of([seen.fact for seen in seen_list]),
            {"kind": first.fact.object.kind.value},
            {"api": first.detail, "holders": WORDS[first.fact.object.kind]},
            tuple(Related(at, "a further ioctl that gives EIO") for at in sorted(others)),
        )


def inheritance(observations: Sequence[Observation]) -> Iterator[Incident]:
    """Incidents of close-on-exec: born without it, cleared, or a copy made without it."""
    passed: dict[Site, list[Observation]] = defaultdict(list)
    mended: set[Site] = set()
    for seen in observations:
        if seen.what in (Happening.EXEC, Happening.SPAWN) and seen.fact.cause is not None:
            passed[seen.fact.cause].append(seen)
        elif (seen.what is Happening.SET and seen.fact.cause is not None) or (
            seen.what is Happening.CLOSE
            and seen.fact.cause is not None
            and seen.fact.object is not None
            and seen.fact.object.copy_of is not None
        ):
            mended.add(seen.fact.cause)
    yield from _inheritable(observations, Happening.CREATE, "born inheritable", passed, mended)
    yield from _inheritable(observations, Happening.CLEARED, "close-on-exec cleared", passed, mended)
    yield from _inheritable(observations, Happening.DUPLICATE, "inheritable copy", passed, mended)


def _inheritable(
    observations: Sequence[Observation],
    cause: Happening,
    what: str,
    passed: dict[Site, list[Observation]],
    mended: set[Site],
) -> Iterator[Incident]:
    for site, seen_list in sorted(grouped(observations, cause).items()):
        seen = best(seen_list)
        fact = seen.made if cause is Happening.DUPLICATE else seen.fact
        if fact is None or fact.object is None or fact.object.is_mapping:
            continue
        if cause is not Happening.CLEARED and not fact.state.inherit:
            continue
        if cause is not Happening.CREATE and not fact.object.holds_vm:
            continue
        execs = passed.get(site, [])
        if not execs and site in mended:
            continue
        evidence = best(execs) if execs else seen
        yield Incident(
            what,
            site,
            seen.at,
            evidence,
            (fact.object,),
            {"kind": fact.object.kind.value, "exec": "reached" if execs else "none"},
            {
                "api": fact.object.api if cause is Happening.CREATE else seen.detail,
                "holders": WORDS[fact.object.kind],
                "wait": evidence.detail if execs else "",
            },
            tuple(Related(at, "a program is executed here") for at in sorted({e.at for e in execs})),
        )


def passed_on(observations: Sequence[Observation]) -> Iterator[Incident]:
    """One incident a spawn set-up that hands a holder to the child."""
    for site, seen_list in sorted(grouped(observations, Happening.PASS_ON).items()):
        seen = best(seen_list)
        if seen.fact.object is None or seen.fact.object.kind in (Kind.SYSTEM, Kind.DEBUGFS_DIRECTORY):
            continue
        yield Incident(
            "passed to spawn",
            site,
            seen.at,
            seen,
            objects_of([one.fact for one in seen_list]),
            {"kind": seen.fact.object.kind.value},
            {"api": seen.detail, "holders": WORDS[seen.fact.object.kind]},
        )
