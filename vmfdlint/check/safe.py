"""The forks, workers, programs started and duplicates that were judged and are no finding, with the reason.

In: a solved program and all rules. Out: sites. A site that a rule would report is none, whether that rule was
selected or not, and neither is one whose descriptor is reported elsewhere.
"""

from collections.abc import Iterator, Sequence

from vmfdlint.base import Span
from vmfdlint.check.incident import called, noun
from vmfdlint.check.match import incidents
from vmfdlint.check.spoken import spoken
from vmfdlint.finding import Act, SafeSite
from vmfdlint.ir import FunctionKey
from vmfdlint.models import Daemon, Exec, Fork, Resolved, Spawn, Truth, Worker
from vmfdlint.rulebook import Rule
from vmfdlint.solve import Happening, Solver

_PASSED_ON = (Happening.EXEC, Happening.SPAWN, Happening.PASS_ON)
_OUTSIDE = Fork | Daemon | Spawn | Exec | Worker


def safe_sites(solver: Solver, rules: Sequence[Rule]) -> tuple[SafeSite, ...]:
    """By place; each with the rule it passes."""
    judge = {act: rule.doc.id for rule in rules for act in rule.judges}
    blamed = set(_blamed(solver, rules))
    found: dict[tuple[Span, Act], SafeSite] = {}
    for act, at, function, text in (*_observed(solver), *_unobserved(solver)):
        if at not in blamed:
            found.setdefault((at, act), SafeSite(at, function, text, act, judge.get(act, "")))
    return tuple(sorted(found.values(), key=lambda site: (site.at, site.act)))


_Site = tuple[Act, Span, str, str]


def _blamed(solver: Solver, rules: Sequence[Rule]) -> Iterator[Span]:
    """The places that a finding would stand at, or of whose copy it would speak; and those through which a
    holder goes on, of which a finding where it was made inheritable tells."""
    for incident in incidents(solver):
        if any(rule.accepts(incident.what, incident.attributes) for rule in rules):
            yield incident.at
            yield from (made.at for made in incident.objects if made.copy_of is not None)
    passing = {seen.fact.fork for seen in solver.observations if seen.what is Happening.EXEC}
    for seen in solver.observations:
        if seen.what in _PASSED_ON or (seen.what is Happening.FORK and seen.site in passing):
            yield seen.at


def _observed(solver: Solver) -> Iterator[_Site]:
    """Forks and duplicates that an open holder reaches."""
    for seen in solver.observations:
        made = seen.fact.object
        if made is None or not made.holds_vm:
            continue
        if seen.what is Happening.FORK:
            text = (
                f"the child of this {spoken(seen.detail) or 'fork'} ends, executes a program or gives up "
                f"every {noun(made)} before it waits"
            )
            yield Act.FORK, seen.at, seen.site.function.name, text
        elif seen.what is Happening.DAEMON:
            text = f"the process that goes on gives up every {noun(made)} before it waits"
            yield Act.DAEMON, seen.at, seen.site.function.name, text
        elif seen.what is Happening.DUPLICATE:
            text = f"the copy of the {noun(made)} is closed, or only takes the original's place"
            yield Act.DUP, seen.at, seen.site.function.name, text


def _unobserved(solver: Solver) -> Iterator[_Site]:
    """Calls that no open holder reaches, or whose child does nothing of interest."""
    for key in solver.relevance.callers_of(solver.models.names_with(Fork, Daemon, Spawn, Exec, Worker)):
        for call, modelled in solver.behaviour.calls_with(key, _OUTSIDE):
            act, text = _reason(solver, key, modelled)
            yield act, call.at, key.name, f"{called(modelled.api)}: {text}"


def _reason(solver: Solver, key: FunctionKey, modelled: Resolved) -> tuple[Act, str]:
    forks = [effect for effect in modelled.effects if isinstance(effect, Fork)]
    spawns = [effect for effect in modelled.effects if isinstance(effect, Spawn)]
    if spawns and all(spawn.inherits is Truth.NO for spawn in spawns):
        return Act.SPAWN, "every descriptor is closed in the program it starts"
    if spawns:
        return Act.SPAWN, "the program it starts gets no descriptor that is close-on-exec"
    if any(isinstance(effect, Exec) for effect in modelled.effects):
        return Act.EXEC, "no descriptor of a VM without close-on-exec is open when this runs"
    if any(fork.shares_files is Truth.YES and fork.shares_memory is Truth.YES for fork in forks):
        return Act.FORK, "the new task shares memory and descriptors with its creator, as a thread does"
    if not forks:
        worker = any(isinstance(effect, Worker) for effect in modelled.effects)
        return Act.WORKER if worker else Act.DAEMON, _none_open(solver)
    if solver.interest.survives(key):
        return Act.FORK, _none_open(solver)
    return Act.FORK, "the child executes a program or ends, and closes what it holds before it waits"


def _none_open(solver: Solver) -> str:
    """That nothing is open; where a bound on the work was reached, that this is all that is known."""
    bounded = " as far as it was followed" if solver.program.problems else ""
    return f"no VM descriptor is open when this runs{bounded}"
