"""One tree of a fleet: what a worker is given, what it makes of it, and what that depends on.

The worker needs no disk but its own: sources, known findings and model files travel with the task.
"""

import gc
import hashlib
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import msgspec

from vmfdlint.app.check import decided, exit_code
from vmfdlint.baseline import Entry
from vmfdlint.cache import identity
from vmfdlint.config import Options
from vmfdlint.discover import Discovery
from vmfdlint.frontends.languages import language_of
from vmfdlint.report import FATAL, PEOPLE, Context, formats, problem_lines


class Task(msgspec.Struct, frozen=True):
    """A tree to check. ``context`` is without the sources. ``models`` are the bytes of the model files that
    ``options`` name. ``short``: reports for people hold findings only, for they stand among others."""

    found: Discovery
    options: Options
    before: tuple[Entry, ...] | None
    context: Context
    models: tuple[tuple[str, bytes], ...]
    short: bool

    @property
    def size(self) -> int:
        """The bytes of the sources."""
        return sum(len(source.data) for source in self.found.files)


class Made(msgspec.Struct, frozen=True):
    """What became of a tree. ``levels`` counts the findings by level, ``wrong`` what could not be done;
    ``reports`` are by format."""

    files: int
    levels: dict[str, int]
    wrong: int
    exit_code: int
    messages: tuple[str, ...]
    reports: dict[str, bytes]
    seconds: float


def made_of(task: Task) -> Made:
    """Checks one tree: what a worker does."""
    started = perf_counter()
    with ExitStack() as stack:
        options = _with_models(task, stack)
        outcome = decided(task.found, options, task.before)
    context = msgspec.structs.replace(
        task.context,
        sources={source.path: source for source in task.found.files},
        languages={source.path: language_of(source) for source in task.found.files},
        exit_code=exit_code(outcome, options),
    )
    reports = {}
    for name in sorted(_format_names(options)):
        quiet = context.quiet or (task.short and name in PEOPLE)
        reports[name] = formats()[name](outcome, msgspec.structs.replace(context, quiet=quiet))
    levels: dict[str, int] = {}
    for finding in outcome.findings:
        levels[finding.level] = levels.get(finding.level, 0) + 1
    # A line for each file that is read roughly is for who asks about one tree.
    messages = problem_lines(outcome.problems, msgspec.structs.replace(context, quiet=True))
    made = Made(
        files=len(task.found.files),
        levels=levels,
        wrong=sum(problem.kind in FATAL for problem in outcome.problems),
        exit_code=context.exit_code,
        messages=tuple(messages),
        reports=reports,
        seconds=perf_counter() - started,
    )
    # The next tree may need the memory, and what the engine builds hangs together in circles.
    del outcome, context
    gc.collect()
    return made


def made_from(task: Task) -> str:
    """A digest of all that decides what a tree comes to: sources, settings, the tool itself."""
    names = tuple(sorted(_format_names(task.options)))
    options = msgspec.structs.replace(
        task.options, jobs=0, executor="", output_format=names, no_cache=False, cache_dir=None
    )
    about = (
        identity(),
        options,
        task.before,
        task.context,
        task.models,
        task.short,
        task.found.root.as_posix(),
        task.found.targets,
        task.found.problems,
        task.found.cpp_files,
        [(source.path, source.content_hash) for source in task.found.files],
    )
    return hashlib.sha256(msgspec.msgpack.encode(about, order="deterministic")).hexdigest()


def _format_names(options: Options) -> set[str]:
    return {wanted.partition(":")[0] for wanted in options.output_format}


def model_bytes(paths: Sequence[str]) -> tuple[tuple[str, bytes], ...]:
    """Model files with their bytes; one that cannot be read is left to who reads it in earnest."""
    found = []
    for path in paths:
        try:
            found.append((path, Path(path).read_bytes()))
        except OSError:
            continue
    return tuple(found)


def _with_models(task: Task, stack: ExitStack) -> Options:
    """The options with model files that are there: on another machine their bytes are written first."""
    if all(Path(path).is_file() for path, _ in task.models):
        return task.options
    folder = Path(stack.enter_context(TemporaryDirectory(prefix="vmfdlint-")))
    there: Mapping[str, str] = {
        path: (folder / f"{number}-{Path(path).name}").as_posix()
        for number, (path, _) in enumerate(task.models)
    }
    for path, data in task.models:
        Path(there[path]).write_bytes(data)
    models = tuple(there.get(path, path) for path in task.options.models)
    return msgspec.structs.replace(task.options, models=models)
