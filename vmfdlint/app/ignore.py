"""``check --add-ignore``: comments for the findings that are to stay."""

import os
from collections.abc import Callable

from vmfdlint import __version__
from vmfdlint.app.run import EXIT_CLEAN, EXIT_INCOMPLETE, Run, Written, silent
from vmfdlint.app.verdict import gated, judged, known_entries, look, sources_of
from vmfdlint.config import ConfigError, Options
from vmfdlint.history import known
from vmfdlint.intake import prefix, take
from vmfdlint.report import FATAL, Context, count, problem_lines
from vmfdlint.suppress import UNUSED, WITHOUT_REASON, add_comments


def add_ignore(options: Options, reason: str, tell: Callable[[str], None] = silent) -> Run:
    """``check --add-ignore``: a comment with the reason for each finding, written into the files."""
    if not reason.strip() or "*/" in reason or len(reason.splitlines()) != 1:
        raise ConfigError("--add-ignore needs a reason on one line, without */")
    found = take(options)
    outcome = gated(
        judged(found, options, tell),
        found,
        options,
        known(options, lambda then: known_entries(*look(then, tell))),
    )
    sources = sources_of(found)
    wanted = [finding for finding in outcome.findings if finding.rule not in (UNUSED, WITHOUT_REASON)]
    added = add_comments(wanted, sources, reason.strip())
    context = Context(version=__version__, prefix=prefix(found.root))
    messages = problem_lines(outcome.problems, context)
    messages += [
        f"error: {prefix(found.root)}{one.at}: no place for a comment on {one.rule}" for one in added.failed
    ]
    told = f"Added {count(added.count, 'comment')} in {count(len(added.files), 'file')}\n"
    changed = tuple(Written(os.path.normpath(found.root / path), data) for path, data in added.files)
    failed = added.failed or any(problem.kind in FATAL for problem in outcome.problems)
    return Run(told.encode(), tuple(messages), EXIT_INCOMPLETE if failed else EXIT_CLEAN, changed)
