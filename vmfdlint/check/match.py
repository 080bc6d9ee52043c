"""Rules against incidents: findings with message, level, trace and fingerprint."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence

from vmfdlint.check.incident import Incident, called, waiting
from vmfdlint.check.incidents_cgroup import migrations
from vmfdlint.check.incidents_debugfs import kept, opened_to_others
from vmfdlint.check.incidents_kernel import kernel_files
from vmfdlint.check.incidents_process import child_ioctls, inheritance, passed_on, surviving_children
from vmfdlint.check.incidents_release import copies, lost, misuse, partly_unmapped, remains
from vmfdlint.check.incidents_table import unshared
from vmfdlint.check.incidents_transfer import received, shared
from vmfdlint.check.incidents_worker import workers
from vmfdlint.check.review import questions
from vmfdlint.check.spoken import spoken
from vmfdlint.check.trace import trace
from vmfdlint.finding import Certainty, Finding, Level
from vmfdlint.rulebook import Rule
from vmfdlint.solve import Early, Name, Solver

_LOWER = {Level.ERROR: Level.WARNING, Level.WARNING: Level.NOTE, Level.NOTE: Level.NOTE}


def incidents(solver: Solver) -> Iterator[Incident]:
    """Everything the observations add up to, one cause one incident; of an early run, what holds whatever the
    rest would say."""
    if isinstance(solver, Early):
        yield from _settled(solver)
    else:
        yield from _all(solver)


def _settled(solver: Early) -> Iterator[Incident]:
    """What an early run is sure of: not that a child has nothing but a mapping, for what it did not follow
    may be a descriptor; and where it ended, only what it ended with."""
    found = _all(solver)
    if solver.ended:
        known = (*surviving_children(solver.observations), *copies(solver))
        found = (incident for incident in known if incident.site in solver.proven)
    yield from (incident for incident in found if incident.attributes.get("held") != "mapping")


def _all(solver: Solver) -> Iterator[Incident]:
    yield from surviving_children(solver.observations)
    yield from workers(solver.observations)
    yield from child_ioctls(solver.observations)
    yield from migrations(solver)
    yield from inheritance(solver.observations)
    yield from passed_on(solver.observations)
    yield from copies(solver)
    parts = tuple(partly_unmapped(solver.observations))
    yield from parts
    remaining = tuple(remains(solver, _names(parts)))
    yield from remaining
    yield from lost(solver, _names(parts + remaining))
    yield from misuse(solver)
    yield from shared(solver)
    yield from received(solver.observations)
    yield from unshared(solver)
    yield from kept(solver)
    yield from opened_to_others(solver)
    yield from kernel_files(solver)


def _names(told: Sequence[Incident]) -> frozenset[Name]:
    """The references that incidents are about."""
    return frozenset(made.name for incident in told for made in incident.objects)


def match(solver: Solver, rules: Sequence[Rule], selected: frozenset[str]) -> tuple[Finding, ...]:
    """The findings of the selected rules, by place, then rule."""
    programs = _programs(solver)
    found: dict[tuple[object, ...], Finding] = {}
    for incident in incidents(solver):
        for rule in rules:
            if rule.doc.id in selected and rule.accepts(incident.what, incident.attributes):
                finding = _finding(solver, incident, rule, programs)
                found.setdefault((finding.at, finding.rule), finding)
                break
    return tuple(sorted(found.values(), key=lambda finding: (finding.at, finding.rule)))


def _finding(solver: Solver, incident: Incident, rule: Rule, programs: Mapping[Name, set[str]]) -> Finding:
    level = rule.level(incident.attributes)
    certainty = Certainty.MAY if incident.via else Certainty.MUST
    if certainty is Certainty.MAY:
        level = _LOWER[level]
    steps = trace(solver, incident)
    fields = {"api": "", "holders": "", "wait": "", "reason": ""} | incident.fields
    fields |= {"api": called(fields["api"]), "wait": waiting(fields["wait"])}
    story = [rule.doc.id, incident.site.function.name, *(f"{s.function}:{s.role.value}" for s in steps)]
    if incident.mark:
        story.append(incident.mark)
    return Finding(
        rule=rule.doc.id,
        level=level,
        at=incident.at,
        function=incident.site.function.name,
        message=spoken(rule.message.format(**fields)),
        trace=steps,
        related=incident.related,
        certainty=certainty,
        via=incident.via,
        programs=_holds_for(solver, incident, programs),
        questions=questions(incident.via),
        fingerprint=hashlib.sha256("\n".join(story).encode()).hexdigest()[:32],
    )


def _holds_for(solver: Solver, incident: Incident, programs: Mapping[Name, set[str]]) -> tuple[str, ...]:
    """The programs an incident happens in: where its references get to, of those its file is linked into."""
    found: set[str] = set()
    site = incident.site
    here = solver.tabulation.at.get((site.function, site.block, site.index), {})
    made_at = {(made.kind, made.site) for made in incident.objects}
    # One creating wrapper makes a reference for each program; an incident names one of them.
    users = [fact.object for fact in here if fact.object and (fact.object.kind, fact.object.site) in made_at]
    for made in (*incident.objects, *users):
        found |= programs.get(made.name, set())
    lexicon = solver.program.lexicon
    return tuple(sorted(lexicon.build.programs(incident.at.path, found) or found))


def _programs(solver: Solver) -> dict[Name, set[str]]:
    """For each reference the files with a ``main`` that it climbs to."""
    found: dict[Name, set[str]] = {}
    for (function, _block, _index), facts in solver.tabulation.at.items():
        if not solver.program.is_entry(function):
            continue
        for fact in facts:
            if fact.object is not None:
                found.setdefault(fact.object.name, set()).add(function.path)
    return found
