"""``check``: discover -> analyze -> gate -> report."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from vmfdlint import __version__
from vmfdlint.app.analysis import analyze
from vmfdlint.app.run import (
    EXIT_CLEAN,
    EXIT_FINDINGS,
    EXIT_INCOMPLETE,
    Run,
    Surroundings,
    Written,
    silent,
    text_run,
)
from vmfdlint.app.verdict import gated, judged, known_entries, look
from vmfdlint.base import LIMITS, ProblemKind, SourceText
from vmfdlint.baseline import Entry
from vmfdlint.config import Options
from vmfdlint.discover import Discovery
from vmfdlint.finding import Level, Outcome
from vmfdlint.frontends.languages import language_of
from vmfdlint.history import known
from vmfdlint.intake import prefix, take
from vmfdlint.repair import fixed, shown, told, wants_fixes, with_fixes
from vmfdlint.report import FATAL, PEOPLE, Checkout, Context, closing, formats, problem_lines
from vmfdlint.vcs import origin, within


def check(options: Options, seen: Surroundings | None = None, tell: Callable[[str], None] = silent) -> Run:
    """discover -> analyze -> gate -> report. ``tell`` hears what is being done."""
    started = _now()
    tell("looking for sources")
    seen = seen or Surroundings()
    found = take(options, seen.stdin)
    before = known(options, lambda then: known_entries(*look(then, tell)))
    outcome = decided(found, options, before, tell)
    if options.diff or options.format_patch:
        return _shown_fixes(outcome, found, options)
    if options.fix and len(seen.fixed) < LIMITS.fix_rounds:
        changed, number = fixed(outcome, found, options)
        if number:
            return Run(b"", files=tuple(Written(path, data) for path, data in changed.items()), fixed=number)
    outcome = told(outcome, options, sum(seen.fixed))
    context = Context(
        version=__version__,
        root=found.root.as_posix(),
        prefix=prefix(found.root),
        within=within(found.root),
        checkout=checkout_of(found.root) if wants(options, "sarif") else None,
        sources={source.path: source for source in found.files},
        languages={source.path: language_of(source) for source in found.files},
        command=seen.command if options.statistics else "",
        started=started if options.statistics else "",
        ended=_now() if options.statistics else "",
        exit_code=exit_code(outcome, options),
        verbose=options.verbose,
        quiet=options.quiet,
        statistics=options.statistics,
        show_suppressed=options.show_suppressed,
        show_safe=options.show_safe,
        compared=before is not None,
        color=seen.color,
    )
    return _reported(outcome, context, options, seen.step_summary)


def decided(
    found: Discovery, options: Options, before: Sequence[Entry] | None, tell: Callable[[str], None] = silent
) -> Outcome:
    """analyze -> gate, with fixes where they are wanted. ``before`` is what was known. Raises ConfigError."""

    def fails(early: Outcome) -> bool:
        return exit_code(gated(early, found, options, before), options) == EXIT_FINDINGS

    first = judged(found, options, tell, fails if _may_end_early(options) else None)
    outcome = gated(first, found, options, before)
    if not wants_fixes(options):
        return outcome
    tell("trying fixes")

    def analysis(sources: tuple[SourceText, ...]) -> Outcome:
        return analyze(sources, options, found.targets)

    return with_fixes(outcome, first, found, options, analysis)


def _may_end_early(options: Options) -> bool:
    """Whether people read what comes out, and only that: what programs read is all, or looks mended."""
    for_people = all(wanted.partition(":")[0] in PEOPLE for wanted in options.output_format)
    return options.fail_fast and for_people and not (wants_fixes(options) or options.show_safe)


def _shown_fixes(outcome: Outcome, found: Discovery, options: Options) -> Run:
    """``check --diff`` and ``--format-patch``: what the fixes would change; exit code 1 where they would."""
    data, said = shown(outcome, found, options)
    context = Context(version=__version__, prefix=prefix(found.root), quiet=options.quiet)
    messages = problem_lines(outcome.problems, context)
    messages += [] if options.quiet else [said]
    failed = any(problem.kind in FATAL for problem in outcome.problems)
    code = EXIT_FINDINGS if data and not options.exit_zero else EXIT_CLEAN
    return Run(data, tuple(messages), EXIT_INCOMPLETE if failed else code)


def files(options: Options, stdin: bytes | None = None) -> Run:
    """``check --show-files``: the paths that would be checked, one a line."""
    found = take(options, stdin)
    before = prefix(found.root)
    return text_run("".join(f"{before}{source.path}\n" for source in found.files), found)


def wants(options: Options, name: str) -> bool:
    """Whether a format was asked for."""
    return any(wanted.partition(":")[0] == name for wanted in options.output_format)


def checkout_of(root: Path) -> Checkout | None:
    """What is checked out in a directory."""
    found = origin(root)
    return None if found is None else Checkout(found.repository, found.revision, found.branch)


def _reported(outcome: Outcome, context: Context, options: Options, step_summary: str) -> Run:
    """The reports that were asked for, each for its place, and what is said beside them; what went wrong with
    the cache is said there alone, for it changes no report."""
    problems = outcome.problems
    others = tuple(problem for problem in problems if problem.kind is not ProblemKind.CACHE)
    outcome = msgspec.structs.replace(outcome, problems=others)
    report, for_people = b"", False
    written = []
    for wanted in options.output_format:
        name, _, path = wanted.partition(":")
        path = path or options.output_file or ""
        data = formats()[name](outcome, msgspec.structs.replace(context, color=context.color and not path))
        if path:
            written.append(Written(path, data))
        else:
            report, for_people = data, name in PEOPLE
        if name == "github" and step_summary:
            written.append(Written(step_summary, formats()["markdown"](outcome, context), append=True))
    messages = problem_lines(problems, context)
    if not for_people:
        messages += closing(outcome, context)
    return Run(report, tuple(messages), context.exit_code, tuple(written))


def exit_code(outcome: Outcome, options: Options) -> int:
    """What the run ends with: problems weigh more than findings."""
    if any(problem.kind in FATAL for problem in outcome.problems):
        return EXIT_INCOMPLETE
    levels = list(Level)
    failing = levels[: levels.index(Level(options.fail_level)) + 1]
    failed = any(finding.level in failing for finding in outcome.findings)
    return EXIT_FINDINGS if failed and not options.exit_zero else EXIT_CLEAN


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
