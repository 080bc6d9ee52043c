"""An analysis that no cache holds: sources through the engine. Slow to import: who needs no engine waits for
none."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from time import perf_counter

import msgspec

from vmfdlint.app.analysis import workers_of
from vmfdlint.app.early import NOTICE, new_findings
from vmfdlint.app.moved import moved
from vmfdlint.app.recall import Kept, keep, recalled, speaks_of
from vmfdlint.base import Problem, ProblemKind, SourceText
from vmfdlint.base.location import rules_directory
from vmfdlint.cache import NOTHING
from vmfdlint.check import inventory, judged_claims, match, safe_sites, subjects
from vmfdlint.config import Options
from vmfdlint.engine import Again, Solved, Target, solve
from vmfdlint.finding import Claim, Finding, Outcome, Statistics
from vmfdlint.frontends.languages import language_of
from vmfdlint.models import Models, default_models, load_models
from vmfdlint.repair import wants_fixes
from vmfdlint.rulebook import load_rules
from vmfdlint.solve import Early, Solver
from vmfdlint.suppress import claims


def analyze_afresh(
    sources: tuple[SourceText, ...],
    options: Options,
    built: Mapping[str, tuple[str, ...]] | None,
    tell: Callable[[str], None],
    kept: Kept,
    enough: Callable[[Outcome], bool] | None = None,
) -> Outcome:
    """See :func:`vmfdlint.app.analysis.analyze`; what is found is put into the cache, if it is all."""
    models, problems = models_for(options)
    workers, target = workers_of(options), target_of(options, built)
    if kept.rows is NOTHING:
        return _judged(sources, options, solve(sources, models, workers, target, tell), problems, tell)
    again = Again(kept.rows, kept.asked, sources, models, workers, target, tell)
    if not options.statistics:
        before = again.outcome(lambda key, path: speaks_of(kept.rows, key, path), kept.key)
        same = None if before is None else recalled(kept.rows, before.outcome)
        if same is not None and before is not None and before.shifts:
            same = moved(same, before.shifts)
        if same is not None:
            keep(kept.rows, kept.key, same)
            return same
    known = None if options.statistics else again
    early: list[Outcome] = []

    def ends(solved: Solved) -> bool:
        last = recalled(kept.rows, again.before)
        if last is None or enough is None or not isinstance(solved.solver, Early):
            return False
        found = new_findings(solved.solver, load_rules(), options.rules, last)
        early[:] = [_told(sources, options, solved, problems, found)] if found else []
        return bool(early) and enough(early[0])

    solved = solve(sources, models, workers, target, tell, kept.rows, known, ends if enough else None)
    if isinstance(solved.solver, Early):
        return early[0]
    outcome = _judged(sources, options, solved, problems, tell)
    if any(problem.kind is ProblemKind.CRASH for problem in outcome.problems):
        return outcome  # what failed may do so for want of memory, and not the next time
    keep(kept.rows, kept.key, outcome)
    again.remember(kept.key, solved)
    return outcome


def _judged(
    sources: tuple[SourceText, ...],
    options: Options,
    solved: Solved,
    problems: tuple[Problem, ...],
    tell: Callable[[str], None],
) -> Outcome:
    started = perf_counter()
    tell("applying the rules")
    findings = match(solved.solver, load_rules(), options.rules)
    outcome = _told(sources, options, solved, problems, findings)
    seconds = (*solved.seconds, ("check", perf_counter() - started))
    return msgspec.structs.replace(
        outcome, statistics=msgspec.structs.replace(outcome.statistics, seconds=seconds)
    )


def _told(
    sources: tuple[SourceText, ...],
    options: Options,
    solved: Solved,
    problems: tuple[Problem, ...],
    findings: tuple[Finding, ...],
) -> Outcome:
    """What was found, with all that is said beside it."""
    rules, solver = load_rules(), solved.solver
    safe = safe_sites(solver, rules) if options.show_safe else ()
    # Where a file claims anything, the gate lets nothing end early.
    claimed = not options.ignore_suppressions and not isinstance(solver, Early)
    stated = _claims(sources) if claimed else ()
    lowered = solver.program.lowered
    partly = {function.key.path for function in lowered if function.damaged}
    partly |= {problem.path for problem in solved.problems if problem.rough}
    damage = solver.program.damage(sorted(solver.descriptor_functions) if options.statistics else ())
    statistics = Statistics(
        files=len(sources),
        parsed=len({function.key.path for function in lowered}),
        partly_parsed=len(partly),
        functions=len(lowered),
        descriptor_functions=len(solver.descriptor_functions),
        objects=solver.object_count,
        programs=len({*solver.programs, *(path for one in findings for path in one.programs)}),
        descriptor_bytes=damage.size,
        unread_raw=damage.raw,
        unread_left=damage.left,
        seconds=solved.seconds,
    )
    return Outcome(
        findings,
        tuple(rule.doc for rule in rules),
        (*problems, *solved.problems),
        safe,
        notices(solver, findings) if not isinstance(solver, Early) else (NOTICE,),
        statistics,
        inventory=inventory(solver) if options.inventory else (),
        subjects=subjects(solver, findings) if wants_fixes(options) else {},
        claims=judged_claims(solver, stated, findings),
        early=isinstance(solver, Early),
    )


def _claims(sources: tuple[SourceText, ...]) -> tuple[Claim, ...]:
    texts = {source.path: source for source in sources}
    return claims(texts, {path: language_of(source) for path, source in texts.items()})


def target_of(options: Options, built: Mapping[str, tuple[str, ...]] | None) -> Target:
    """What the sources are for, of the options and of what they are built into."""
    major, _, minor = options.target_python.partition(".")
    return Target(built or {}, (int(major), int(minor)), options.exhaustive)


def models_for(options: Options) -> tuple[Models, tuple[Problem, ...]]:
    """The models that come with vmfdlint and those the options name."""
    if not options.models:
        return default_models(), ()
    shipped = sorted((rules_directory() / "models").glob("*.toml"))
    return load_models([*shipped, *map(Path, options.models)])


def notices(solver: Solver, findings: Sequence[Finding]) -> tuple[str, ...]:
    """Lines that explain silence: no creation at all, or creations that no program reaches.

    Kernel code creates nothing through ioctls, and may have findings without.
    """
    if not solver.seeds and not findings:
        return ("No source of a KVM descriptor (KVM_CREATE_VM and its kin) was found in these files.",)
    found: list[str] = []
    if solver.object_count and not solver.interest.has_main:
        found.append(
            "These files hold no main(): what callers elsewhere do with the descriptors is not seen. "
            "Name the directory of the whole program to have them followed."
        )
    elif solver.object_count and not solver.programs:
        found.append(
            "KVM descriptors are created, but from no main() could a call chain to them be found; "
            "callers in files that were not given, or calls through unread pointers, may be the reason."
        )
    limits = sum(problem.kind is ProblemKind.LIMIT for problem in solver.program.problems)
    if limits:
        places = "1 place" if limits == 1 else f"{limits} places"
        found.append(
            f"The search ended early at {places}, where there are more callers than it follows: a finding "
            "may be missing (-v says where). It goes further in the directory of one program alone."
        )
    return tuple(found)
