"""Incidents of debugfs: files that hold a VM and stay open, and access to them for others than root."""

from collections import defaultdict
from collections.abc import Iterator

from vmfdlint.check.incident import WORDS, Incident, best, created
from vmfdlint.ir import Call, FunctionKey, Named
from vmfdlint.link import Site
from vmfdlint.models import Kind
from vmfdlint.solve import Fact, Happening, Observation, Process, Solver
from vmfdlint.summary import operand_path

_GRANTS = (Happening.GRANT, Happening.GRANT_SEARCH)
_HANDED = {
    Happening.SHARE: "hands the descriptor of a debugfs directory on",
    Happening.PASS_ON: "hands the descriptor of a debugfs directory to the program that is started",
}


def kept(solver: Solver) -> Iterator[Incident]:
    """One incident an open of a VM's debugfs file that is still open where the process waits."""
    waits: dict[Site, list[Observation]] = defaultdict(list)
    for seen in solver.observations:
        fact = seen.fact
        if seen.what is not Happening.LINGER or fact.object is None or not fact.is_open:
            continue
        if fact.object.kind is not Kind.DEBUGFS or fact.object.copy_of or fact.object.alone_since:
            continue
        if fact.state.process is Process.OWN and not _of_debugfs(solver, seen):
            waits[fact.object.site].append(seen)
    for site, seen_list in sorted(waits.items()):
        evidence = best(seen_list, site)
        made = evidence.fact.object
        assert made is not None
        yield Incident(
            "kept open",
            site,
            made.at,
            evidence,
            (made,),
            {"kind": made.kind.value},
            {"api": made.api, "holders": WORDS[made.kind], "wait": evidence.detail},
            created((made,)),
        )


def _of_debugfs(solver: Solver, seen: Observation) -> bool:
    """Whether the call works on such a file itself: reading one is answered at once."""
    flow = solver.behaviour.flow(seen.site.function)
    if flow is None or seen.detail.startswith(("the return", "a loop")):
        return False
    call = flow.call_at(seen.site.block, seen.site.index)
    if _reads_debugfs(solver, seen.site, call):
        return True
    targets = solver.program.targets(seen.site.function, call)
    return bool(targets) and all(_waits_for_debugfs_alone(solver, target) for target in targets)


def _reads_debugfs(solver: Solver, site: Site, call: Call) -> bool:
    """Whether a call is given a debugfs file of a VM."""
    given = {operand_path(argument) for argument in call.args}
    here = solver.tabulation.at.get((site.function, site.block, site.index), {})
    return any(
        fact.object is not None and fact.object.kind is Kind.DEBUGFS and not given.isdisjoint(fact.places)
        for fact in here
    )


def _waits_for_debugfs_alone(solver: Solver, key: FunctionKey) -> bool:
    """Whether every call of a function that can wait reads such a file: one that reads another counter."""
    flow = solver.behaviour.flow(key)
    return flow is not None and all(
        _reads_debugfs(solver, site, call) or not solver.behaviour.below.waits(key, call)
        for site, call in flow.placed()
    )


def opened_to_others(solver: Solver) -> Iterator[Incident]:
    """One incident a call that lets others at the files of VMs; in trees that know KVM."""
    found: dict[Site, list[Observation]] = defaultdict(list)
    for seen in solver.observations:
        handed = seen.what in _HANDED and _is_directory(seen.fact)
        if handed or (seen.what in _GRANTS and solver.knows_kvm):
            found[seen.site].append(seen)
    for site, seen_list in sorted(found.items()):
        searched = [seen for seen in seen_list if seen.what is Happening.GRANT_SEARCH]
        evidence = best(searched or seen_list)
        flow = solver.behaviour.flow(site.function)
        assert flow is not None
        target = flow.call_at(site.block, site.index).target
        made = evidence.fact.object
        yield Incident(
            "opened to others",
            site,
            evidence.at,
            evidence,
            () if made is None else (made,),
            {"root": "open" if searched else "closed"},
            {
                "api": target.name if isinstance(target, Named) else "",
                "reason": _HANDED.get(evidence.what) or evidence.detail,
            },
            () if made is None else created((made,)),
        )


def _is_directory(fact: Fact) -> bool:
    return fact.object is not None and fact.object.kind is Kind.DEBUGFS_DIRECTORY
