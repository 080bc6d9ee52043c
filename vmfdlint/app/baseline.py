"""``baseline``: what is found now as a file, brought up to date, shown."""

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from vmfdlint import __version__
from vmfdlint.app.run import EXIT_CLEAN, EXIT_INCOMPLETE, Run, Written, silent
from vmfdlint.app.verdict import known_entries, look
from vmfdlint.baseline import Entry, encoded, match_known, surely_gone
from vmfdlint.config import ConfigError, Options
from vmfdlint.discover import Discovery
from vmfdlint.finding import Outcome
from vmfdlint.history import read_baseline
from vmfdlint.intake import prefix
from vmfdlint.report import FATAL, Context, count, printable, problem_lines


def baseline_create(options: Options, path: str, tell: Callable[[str], None] = silent) -> Run:
    """``baseline create``: what is found now, as a new file. Raises ConfigError where there is one."""
    if Path(path).exists():
        raise ConfigError(f"{path} is there already: `vmfdlint baseline update` brings it up to date")
    found, outcome = look(options, tell)
    now = known_entries(found, outcome)
    return _baseline(path, now, f"{path}: {count(len(now), 'finding')}", found, outcome)


def baseline_update(options: Options, path: str, prune: bool, tell: Callable[[str], None] = silent) -> Run:
    """``baseline update``: what is found now in the place of what was known of the same files; ``prune`` adds
    nothing."""
    before = read_baseline(path)
    found, outcome = look(options, tell)
    now = known_entries(found, outcome)
    matched = match_known(now, before)
    gone = surely_gone(matched.gone, {source.path for source in found.files}, path, found.root.as_posix())
    kept = [entry for entry, known in zip(now, matched.known, strict=True) if known or not prune]
    left = set(gone)
    kept += [entry for entry in matched.gone if entry not in left]
    new = count(matched.known.count(False), "new finding")
    done = f"{new}{' not' if prune else ''} added, {len(gone):,} gone"
    told = f"{path}: {count(len(kept), 'finding')} ({done})"
    return _baseline(path, kept, told, found, outcome)


def _baseline(path: str, known: Sequence[Entry], told: str, found: Discovery, outcome: Outcome) -> Run:
    """The file and what is said of it; no file where not all could be done."""
    context = Context(version=__version__, prefix=prefix(found.root))
    messages = problem_lines(outcome.problems, context)
    if any(problem.kind in FATAL for problem in outcome.problems):
        messages.append("error: no baseline is made of a tree that was not read in full")
        return Run(b"", tuple(messages), EXIT_INCOMPLETE)
    return Run(f"{told}\n".encode(), tuple(messages), EXIT_CLEAN, (Written(path, encoded(known)),))


def baseline_show(path: str) -> Run:
    """``baseline show``: what is known, a line each, and the count by rule."""
    known = read_baseline(path)
    lines = [f"{one.path}: {one.rule} in {one.function or 'the file'}: {one.text}" for one in known]
    rules = Counter(one.rule for one in known)
    by_rule = ", ".join(f"{number:,} {rule}" for rule, number in sorted(rules.items()))
    lines.append(by_rule or "Nothing is known")
    return Run("".join(printable(line) + "\n" for line in lines).encode("utf-8", "replace"))
