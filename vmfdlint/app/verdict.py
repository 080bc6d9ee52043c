"""Sources to the findings that count: discover -> analyze -> gate."""

from collections.abc import Callable, Sequence

import msgspec

from vmfdlint.app.analysis import analyze, rule_docs
from vmfdlint.app.run import crashed, silent
from vmfdlint.base import Problem, ProblemKind
from vmfdlint.baseline import Entry, entries
from vmfdlint.config import Options
from vmfdlint.discover import Discovery
from vmfdlint.finding import Outcome, Statistics
from vmfdlint.frontends.languages import language_of
from vmfdlint.gate import Given, narrowed, only
from vmfdlint.history import changed
from vmfdlint.intake import asked_about, is_whole, take, why_nothing
from vmfdlint.run import Crash, run_one
from vmfdlint.suppress import Sources, silenced_somewhere


def judged(
    found: Discovery,
    options: Options,
    tell: Callable[[str], None],
    enough: Callable[[Outcome], bool] | None = None,
) -> Outcome:
    """The engine's outcome with what discovery knows put in; a crash of the engine is a Problem. ``enough``:
    see :func:`vmfdlint.app.analysis.analyze`."""
    result = run_one(
        lambda sources: analyze(sources, options, found.targets, tell, enough), found.files, "the analysis"
    )
    if isinstance(result, Crash):
        problem = Problem(ProblemKind.CRASH, crashed(result, options))
        outcome = Outcome((), rule_docs(), (problem,), statistics=Statistics(files=len(found.files)))
    else:
        outcome = result.value
    notices = outcome.notices
    if not found.files:
        notices = () if found.problems else (why_nothing(found, options),)
    outcome = only(outcome, lambda finding: finding.rule in options.rules, "of rules that are off")
    return msgspec.structs.replace(
        outcome,
        problems=(*found.problems, *outcome.problems),
        notices=notices,
        statistics=msgspec.structs.replace(outcome.statistics, cpp_files=found.cpp_files),
    )


def gated(outcome: Outcome, found: Discovery, options: Options, before: Sequence[Entry] | None) -> Outcome:
    """The outcome without the findings that do not count. Raises ConfigError."""
    sources = sources_of(found)
    if outcome.early and not options.ignore_suppressions:
        silenced = silenced_somewhere(outcome, sources)
        outcome = only(
            outcome, lambda finding: finding.rule not in silenced, "of rules that comments silence"
        )
    given = Given(
        root=found.root.as_posix(),
        sources=sources,
        whole=is_whole(options) and not outcome.early,
        focus=asked_about(found, options),
        lines=changed(found.root, options),
        before=before,
    )
    return narrowed(outcome, options, given)


def look(options: Options, tell: Callable[[str], None] = silent) -> tuple[Discovery, Outcome]:
    """The sources and what is found in them, without a word about what was before."""
    found = take(options)
    return found, gated(judged(found, options, tell), found, options, None)


def known_entries(found: Discovery, outcome: Outcome) -> tuple[Entry, ...]:
    """What a baseline keeps of the findings."""
    return entries(outcome.findings, {source.path: source for source in found.files})


def sources_of(found: Discovery) -> Sources:
    """The files and their languages, as the comments in them are read."""
    texts = {source.path: source for source in found.files}
    return Sources(texts, {path: language_of(source) for path, source in texts.items()})
