"""Sources in, what is made of them out: from the cache, or by the engine."""

from collections.abc import Callable, Mapping
from time import perf_counter

import msgspec

from vmfdlint.app.recall import kept_for, recalled, rows_for
from vmfdlint.app.run import silent
from vmfdlint.base import Problem, ProblemKind, SourceText
from vmfdlint.config import Options
from vmfdlint.finding import Outcome, RuleDoc
from vmfdlint.rulebook import load_rules
from vmfdlint.run import Workers


def analyze(
    sources: tuple[SourceText, ...],
    options: Options,
    built: Mapping[str, tuple[str, ...]] | None = None,
    tell: Callable[[str], None] = silent,
    enough: Callable[[Outcome], bool] | None = None,
) -> Outcome:
    """Sources, and what they are built into -> everything found by the rules in ``options.rules``. ``enough``
    is asked, where files changed since the last run, whether what is new in them is all that is wanted."""
    started = perf_counter()
    broken: list[str] = []
    with rows_for(options, broken.append) as rows:
        kept = kept_for(rows, options, built, sources)
        outcome = recalled(rows, kept.key)
        if outcome is not None:
            seconds = (("cache", perf_counter() - started),)
            statistics = msgspec.structs.replace(outcome.statistics, seconds=seconds)
            outcome = msgspec.structs.replace(outcome, statistics=statistics)
        else:
            from vmfdlint.app.afresh import analyze_afresh  # the engine is not loaded for what is kept

            outcome = analyze_afresh(sources, options, built, tell, kept, enough)
    problems = (Problem(ProblemKind.CACHE, text) for text in broken)
    return msgspec.structs.replace(outcome, problems=(*outcome.problems, *problems)) if broken else outcome


def workers_of(options: Options) -> Workers:
    """Who does the work."""
    return Workers(options.jobs, options.executor)


def rule_docs() -> tuple[RuleDoc, ...]:
    """Every rule's documentation, by id."""
    return tuple(rule.doc for rule in load_rules())
