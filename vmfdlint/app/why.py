"""``why FILE:LINE``: who holds the VM while a line runs."""

import os
import re
from collections.abc import Callable
from pathlib import Path

import msgspec

from vmfdlint import __version__
from vmfdlint.app.afresh import models_for, target_of
from vmfdlint.app.analysis import workers_of
from vmfdlint.app.run import EXIT_CLEAN, EXIT_INCOMPLETE, Run, crashed, silent
from vmfdlint.base import SourceText
from vmfdlint.check import ledger
from vmfdlint.config import ConfigError, Options
from vmfdlint.discover import Discovery
from vmfdlint.engine import solve
from vmfdlint.frontends.languages import language_of
from vmfdlint.held import Ledger
from vmfdlint.intake import prefix, take
from vmfdlint.report import FATAL, Context, problem_lines, why_json, why_text
from vmfdlint.run import Crash, run_one
from vmfdlint.vcs import top_of

_PLACE = re.compile(r"(?P<path>.+?):(?P<line>\d+)(?::\d+)?:?")


def why(
    options: Options, place: str, output_format: str = "text", tell: Callable[[str], None] = silent
) -> Run:
    """``place`` is FILE:LINE, with a column behind it or not. Raises ConfigError where there is no such."""
    named = _PLACE.fullmatch(place)
    if named is None:
        raise ConfigError(f"{place!r} is not FILE:LINE, as in accel/kvm/kvm-all.c:2400")
    if not os.path.isfile(named["path"]):  # noqa: PTH113 - Path raises where it may not look
        raise ConfigError(f"{named['path']}: no such file")
    found = take(msgspec.structs.replace(options, paths=(named["path"], *options.paths)))
    source = _source(found, named["path"])
    line = int(named["line"])
    if not 1 <= line <= _lines(source):
        raise ConfigError(f"{named['path']} has {_lines(source):,} lines, and no line {line:,}")

    def told(sources: tuple[SourceText, ...]) -> Ledger:
        models, _problems = models_for(options)
        target = target_of(options, found.targets)
        solver = solve(sources, models, workers_of(options), target, tell).solver
        return ledger(solver, source.path, line)

    result = run_one(told, found.files, "why")
    context = Context(
        version=__version__,
        root=found.root.as_posix(),
        prefix=prefix(found.root),
        sources={one.path: one for one in found.files},
        languages={one.path: language_of(one) for one in found.files},
    )
    messages = problem_lines(found.problems, context)
    if isinstance(result, Crash):
        return Run(b"", (*messages, f"error: {crashed(result, options)}"), EXIT_INCOMPLETE)
    failed = any(problem.kind in FATAL for problem in found.problems)
    report = (why_json if output_format == "json" else why_text)(result.value, context)
    return Run(report, tuple(messages), EXIT_INCOMPLETE if failed else EXIT_CLEAN)


def around(place: str) -> str:
    """The directory of the program that a FILE:LINE belongs to, where none is named: the current one if the
    file is below it, else the work tree that the file is in, else the file's own directory."""
    named = _PLACE.fullmatch(place)
    file = _absolute(named["path"] if named is not None else "")
    if file.is_relative_to(Path.cwd()):
        return "."
    return (top_of(file.parent) or file.parent).as_posix()


def _source(found: Discovery, path: str) -> SourceText:
    absolute = _absolute(path)
    inside = absolute.is_relative_to(found.root)
    shown = absolute.relative_to(found.root).as_posix() if inside else absolute.as_posix()
    for source in found.files:
        if source.path == shown:
            return source
    raise ConfigError(f"{path}: is not read: it is no C or Python source, or left out by --exclude")


def _absolute(path: str) -> Path:
    return Path(os.path.normpath(Path.cwd() / path))


def _lines(source: SourceText) -> int:
    """How many lines a file has; what follows the last line end is one if there is anything."""
    return len(source.line_starts) - (source.line_starts[-1] == len(source.data))
