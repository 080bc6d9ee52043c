"""Sources in, what is made of them out: from the cache, or by the engine."""

from collections.abc import Callable, Mapping
from time import perf_counter

import msgspec

from vmfdlint.app.recall import Kept, asked_key, key_of, recalled, rows_for
from vmfdlint.app.run import silent
from vmfdlint.base import SourceText
from vmfdlint.cache import NOTHING
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
    started = perf_counter()
    with rows_for(options) as rows:
        if rows is not NOTHING:
            asked = asked_key(options, built)
            key = key_of(asked, sources)
            outcome = recalled(rows, key)
            if outcome is not None:
                seconds = (("cache", perf_counter() - started),)
                statistics = msgspec.structs.replace(outcome.statistics, seconds=seconds)
                return msgspec.structs.replace(outcome, statistics=statistics)
        else:
            asked = key = b""
        from vmfdlint.app.afresh import analyze_afresh  # the engine is not loaded for what is kept

        return analyze_afresh(sources, options, built, tell, Kept(rows, asked, key))


def workers_of(options: Options) -> Workers:
    """Who does the work."""
    return Workers(options.jobs, options.executor)


def rule_docs() -> tuple[RuleDoc, ...]:
    """Every rule's documentation, by id."""
    return tuple(rule.doc for rule in load_rules())
