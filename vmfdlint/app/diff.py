"""``diff REV``: what a change adds and takes away in holders, forks and findings."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import TypeVar

import msgspec

from vmfdlint import __version__
from vmfdlint.app.run import EXIT_CLEAN, EXIT_INCOMPLETE, Run, silent
from vmfdlint.app.verdict import known_entries, look
from vmfdlint.baseline import Entry, code_at, match_known
from vmfdlint.config import ConfigError, Options
from vmfdlint.discover import Discovery
from vmfdlint.finding import Outcome
from vmfdlint.held import Change
from vmfdlint.history import at_commit, base_of
from vmfdlint.intake import prefix
from vmfdlint.report import FATAL, Context, change_json, change_markdown, problem_lines
from vmfdlint.vcs import VcsError, within

One = TypeVar("One")


def diff(
    options: Options,
    revision: str,
    output_format: str = "markdown",
    tell: Callable[[str], None] = silent,
) -> Run:
    """The sources as they are now against the commit in which HEAD left the line of ``revision``."""
    options = msgspec.structs.replace(
        options, inventory=True, baseline=None, baseline_commit=None, diff_base=None
    )
    base = base_of(revision)
    found, now = look(options, tell)
    try:
        before = at_commit(options, base, lambda then: look(then, tell))
    except VcsError as error:
        raise ConfigError(str(error)) from error
    was = before[1] if before is not None else Outcome((), now.rules)
    context = Context(version=__version__, prefix=prefix(found.root), within=within(found.root))
    messages = problem_lines(now.problems, context)
    messages += [f"in {revision}: {line}" for line in problem_lines(was.problems, context)]
    if any(problem.kind in FATAL for problem in (*now.problems, *was.problems)):
        messages.append("error: what was not read in full cannot be compared")
        return Run(b"", tuple(messages), EXIT_INCOMPLETE)
    added, removed = _told_apart(now.inventory, was.inventory, _items(found, now), _items_of(before))
    new, gone = _told_apart(now.findings, was.findings, known_entries(found, now), _entries_of(before))
    change = Change(revision, added, removed, new, gone)
    render = change_json if output_format == "json" else change_markdown
    return Run(render(change, context), tuple(messages), EXIT_CLEAN)


def _told_apart(
    now: Sequence[One], before: Sequence[One], now_as: Sequence[Entry], before_as: Sequence[Entry]
) -> tuple[tuple[One, ...], tuple[One, ...]]:
    """What is new and what is gone; ``..._as`` are the same as entries of a baseline, which knows a thing
    again where its line moved or its file or function was renamed."""
    matched = match_known(now_as, before_as)
    new = tuple(one for one, known in zip(now, matched.known, strict=True) if not known)
    by_entry: dict[Entry, list[One]] = defaultdict(list)
    for one, entry in zip(before, before_as, strict=True):
        by_entry[entry].append(one)
    return new, tuple(by_entry[entry].pop(0) for entry in matched.gone)


def _items(found: Discovery, outcome: Outcome) -> tuple[Entry, ...]:
    """Items as entries: what one does stands for the rule."""
    texts = {source.path: source for source in found.files}
    return tuple(
        Entry(item.at.path, f"{item.matter}: {item.text}", item.function, code_at(item.at, texts), "")
        for item in outcome.inventory
    )


def _items_of(before: tuple[Discovery, Outcome] | None) -> tuple[Entry, ...]:
    return _items(*before) if before is not None else ()


def _entries_of(before: tuple[Discovery, Outcome] | None) -> tuple[Entry, ...]:
    return known_entries(*before) if before is not None else ()
