"""Sources in, what is made of them out: from the cache, or by the engine."""

from collections.abc import Callable, Mapping
from time import perf_counter

import msgspec

from vmfdlint.app.recall import Kept, asked_key, key_of, recalled, rows_for
from vmfdlint.app.run import silent
from vmfdlint.base import Problem, ProblemKind, SourceText
from vmfdlint.cache import NOTHING, Rows
from vmfdlint.config import Options
from vmfdlint.finding import Outcome, RuleDoc
from vmfdlint.rulebook import load_rules
from vmfdlint.run import Workers


def analyze(
    sources: tuple[SourceText, ...],
    options: Options,
    built: Mapping[str, tuple[str, ...]] | None = None,
    tell: Callable[[str], None] = silent,
) -> Outcome:
    """Sources, and what they are built into -> everything found by the rules in ``options.rules``."""
    broken: list[str] = []
    with rows_for(options, broken.append) as rows:
        outcome = _analyzed(sources, options, built, tell, rows)
    problems = (Problem(ProblemKind.CACHE, text) for text in broken)
    return msgspec.structs.replace(outcome, problems=(*outcome.problems, *problems)) if broken else outcome


def _analyzed(
    sources: tuple[SourceText, ...],
    options: Options,
    built: Mapping[str, tuple[str, ...]] | None,
    tell: Callable[[str], None],
    rows: Rows,
) -> Outcome:
    started = perf_counter()
    asked = key = b""
    if rows is not NOTHING:
        asked = asked_key(options, built)
        key = key_of(asked, sources)
        outcome = recalled(rows, key)
        if outcome is not None:
            seconds = (("cache", perf_counter() - started),)
            statistics = msgspec.structs.replace(outcome.statistics, seconds=seconds)
            return msgspec.structs.replace(outcome, statistics=statistics)
    from vmfdlint.app.afresh import analyze_afresh  # the engine is not loaded for what is kept

    return analyze_afresh(sources, options, built, tell, Kept(rows, asked, key))


def workers_of(options: Options) -> Workers:
    """Who does the work."""
    return Workers(options.jobs, options.executor)


def rule_docs() -> tuple[RuleDoc, ...]:
    """Every rule's documentation, by id."""
    return tuple(rule.doc for rule in load_rules())
