"""``fleet``: many trees in one run, each as ``check`` checks it in its own directory."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import chdir
from pathlib import Path
from time import monotonic, perf_counter
from typing import Any

import msgspec

from vmfdlint import __version__
from vmfdlint.app.check import checkout_of, wants
from vmfdlint.app.fleet_list import Tree
from vmfdlint.app.fleet_table import Row, table
from vmfdlint.app.fleet_tree import Made, Task, made_from, made_of, model_bytes
from vmfdlint.app.run import EXIT_INCOMPLETE, Run
from vmfdlint.app.settings import options_for
from vmfdlint.base import LIMITS
from vmfdlint.config import ConfigError, Options
from vmfdlint.history import known
from vmfdlint.intake import take
from vmfdlint.journal import Journal, JournalError
from vmfdlint.report import Checkout, Context, count, merges
from vmfdlint.run import Crash, ExecutorError, Pool, Workers, usable_cpus
from vmfdlint.vcs import repository_uri, within

Deliver = Callable[[str, Iterable[bytes]], None]
"""Takes the parts of a report for a file; for the standard output where the path is empty."""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a fleet is asked for: ``given`` are the settings of the command line, which go before those of a
    tree. ``state`` is the journal's file, ``folder`` takes the reports where each tree has its own."""

    given: Mapping[str, Any]
    output_format: tuple[str, ...]
    output_file: str = ""
    folder: str = ""
    state: str = ""
    jobs: int = 0
    executor: str = ""
    quiet: bool = False
    verbose: bool = False
    color: bool = False


class Standing(msgspec.Struct, frozen=True):
    """How far a fleet is. ``seconds_left`` is None where nothing tells; ``last`` is what was done last."""

    done: int
    total: int
    failed: int
    seconds_left: float | None
    last: str = ""


def fleet(
    trees: Sequence[Tree], asked: Asked, deliver: Deliver, watch: Callable[[Standing], None]
) -> Run:
    """Checks the trees, as many at once as there are workers, and delivers the reports. Raises ConfigError.

    A tree that fails makes the exit code 2, and stops no other.
    """
    if not asked.folder:
        for wanted in asked.output_format:
            if wanted.partition(":")[0] not in merges():
                names = ", ".join(merges())
                raise ConfigError(
                    f"{wanted} cannot say of which tree a finding is: use --one-per-tree, or one of {names}"
                )
    # Each tree is checked in its own directory.
    given = {**asked.given, "models": [os.path.abspath(path) for path in asked.given.get("models") or ()]}  # noqa: PTH100
    for name in ("config_file", "cache_dir"):
        if given.get(name):
            given[name] = os.path.abspath(given[name])  # noqa: PTH100
    asked = msgspec.structs.replace(asked, given=given | {"models": given["models"] or None})
    # What is wrong on the command line is wrong for every tree.
    options_for((".",), {**asked.given, "executor": asked.executor, "isolated": True, "config_file": None})
    try:
        with Journal(asked.state) as journal, Journal() as kept:
            return _Fleet(trees, asked, deliver, watch, journal, kept).run()
    except (JournalError, ExecutorError) as error:
        raise ConfigError(str(error)) from error


class _Fleet:
    """One run. ``journal`` outlives it, ``kept`` holds its results until they are put together."""

    def __init__(
        self,
        trees: Sequence[Tree],
        asked: Asked,
        deliver: Deliver,
        watch: Callable[[Standing], None],
        journal: Journal,
        kept: Journal,
    ) -> None:
        self.trees = trees
        self.asked = asked
        self.deliver = deliver
        self.watch = watch
        self.journal = journal
        self.kept = kept
        self.paths = {tree.name: tree.path for tree in trees}
        self.rows: dict[str, Row] = {}
        self.messages: dict[str, tuple[str, ...]] = {}
        self.reading: dict[str, float] = {}
        self.keys: dict[str, str] = {}
        self.codes: set[int] = set()
        self.started = monotonic()
        self.worked = 0
        cores = asked.jobs or usable_cpus()
        # Few trees share the cores, one has them all.
        self.outer = 1 if len(trees) == 1 else min(cores, len(trees))
        self.inner = max(1, cores // self.outer)

    def run(self) -> Run:
        """All trees, then the reports in the order of the list."""
        self.watch(Standing(0, len(self.trees), 0, None))
        executor = self.asked.executor if len(self.trees) > 1 else ""
        with Pool(Workers(self.outer, executor)) as pool:
            results = pool.stream(
                made_of, self.tasks(), lambda task: task.context.tree, lambda task: task.size,
                LIMITS.fleet_bytes,
            )  # fmt: skip
            for task, result in results:
                name = task.context.tree
                if isinstance(result, Crash):
                    trace = f"\n{result.trace}" if self.asked.verbose and result.trace else ""
                    self.failed(name, f"vmfdlint crashed: {result.text}{trace}")
                else:
                    seconds = result.value.seconds + self.reading[name]
                    self.done(name, msgspec.structs.replace(result.value, seconds=seconds))
        if not self.asked.folder:
            for wanted in self.asked.output_format:
                kind, _, path = wanted.partition(":")
                self.deliver(path or self.asked.output_file, merges()[kind](self.reports(kind)))
        return Run(b"", tuple(self.said()), max(self.codes))

    def tasks(self) -> Iterator[Task]:
        """The trees that are still to be checked, read when their turn comes."""
        for tree in self.trees:
            started = perf_counter()
            try:
                task = self.task(tree)
            except ConfigError as error:
                self.failed(tree.name, str(error))
                continue
            self.reading[tree.name] = perf_counter() - started
            self.keys[tree.name] = made_from(task)
            before = self.before(tree.name)
            if before is None:
                yield task
            else:
                self.done(tree.name, before, again=True)

    def before(self, name: str) -> Made | None:
        """What the run before made of a tree that is still the same."""
        value = self.journal.value(self.key(name), self.keys[name]) if self.asked.state else None
        return None if value is None else msgspec.msgpack.decode(value, type=Made)

    def task(self, tree: Tree) -> Task:
        """Everything about a tree that a worker has to know. Raises ConfigError."""
        place = Path(tree.path)
        if not os.path.exists(place):  # noqa: PTH110 - Path raises where it may not look
            raise ConfigError("does not exist: check the path")
        whole = os.path.isdir(place)  # noqa: PTH112
        given = {
            **self.asked.given,
            "fix": False,
            "output_format": self.asked.output_format,
            "jobs": self.inner,
            "executor": self.asked.executor if len(self.trees) == 1 else "",
        }
        if "://" in self.asked.executor:
            given["no_cache"] = True  # the tree's directory is not on the workers' disks, or is another's
        try:
            with chdir(place if whole else place.parent):
                options = options_for((".",) if whole else (place.name,), given)
                found = take(options)
                before = known(options, lambda _then: ())
                context = self.context(tree, options, found.root, place if whole else place.parent)
        except OSError as error:
            raise ConfigError(f"cannot be read ({error.strerror}): check its permissions") from error
        models = model_bytes(options.models)
        known_before = None if before is None else tuple(before)
        return Task(found, options, known_before, context, models, short=not self.asked.folder)

    def context(self, tree: Tree, options: Options, root: Path, shown: Path) -> Context:
        """The surroundings of a tree's reports, without sources. Paths for people begin with ``shown``."""
        checkout = checkout_of(root) if wants(options, "sarif") else None
        address = repository_uri(tree.url)
        if address:  # what the list says counts, also where git knows a copy of it
            checkout = msgspec.structs.replace(checkout or Checkout("", ""), repository=address)
        return Context(
            version=__version__,
            root=root.as_posix(),
            prefix=prefix_of(shown),
            within=within(root),
            tree=tree.name,
            checkout=checkout,
            verbose=options.verbose,
            quiet=options.quiet,
            statistics=options.statistics,
            show_suppressed=options.show_suppressed,
            show_safe=options.show_safe,
            compared=options.baseline is not None,
            color=self.asked.color,
        )

    def done(self, name: str, made: Made, again: bool = False) -> None:
        """A tree was checked, now or (``again``) by the run before."""
        value = msgspec.msgpack.encode(made)
        if self.asked.state and not again and made.exit_code != EXIT_INCOMPLETE:
            # What could not be done may be possible the next time.
            self.journal.keep(self.key(name), self.keys[name], value)
        if self.asked.folder:
            for kind, report in made.reports.items():
                self.deliver(f"{self.asked.folder}/{name}.{kind}", (report,))
        else:
            self.kept.keep(name, "", value)
            if self.kept.failed:
                raise ConfigError(f"no room for the results ({self.kept.failed}): set SQLITE_TMPDIR")
        self.messages[name] = tuple(f"{name}: {line}" for line in made.messages)
        note = "as before" if again else ""
        if made.wrong:
            note = f"incomplete: {count(made.wrong, 'error')}"
        self.end(name, Row(made.files, made.levels, None if again else made.seconds, note), made.exit_code)

    def failed(self, name: str, why: str) -> None:
        """Nothing came of a tree."""
        self.messages[name] = (f"{name}: error: {self.paths[name]}: {why}",)
        self.end(name, Row(0, {}, None, "failed"), EXIT_INCOMPLETE)

    def end(self, name: str, row: Row, code: int) -> None:
        """Counts a tree, and says how far all is."""
        self.rows[name] = row
        self.codes.add(code)
        self.worked += row.seconds is not None
        done, total = len(self.rows), len(self.trees)
        left = (monotonic() - self.started) / self.worked * (total - done) if self.worked else None
        found = sum(row.levels.values())
        last = f"{name}: {row.note or count(found, 'finding')}"
        failed = sum(row.note == "failed" for row in self.rows.values())
        self.watch(Standing(done, total, failed, left, last))

    def reports(self, kind: str) -> Iterator[tuple[str, bytes]]:
        """The reports of the trees that have one, in the order of the list."""
        for tree in self.trees:
            value = self.kept.value(tree.name, "")
            if value is not None:
                yield tree.name, msgspec.msgpack.decode(value, type=Made).reports[kind]

    def said(self) -> Iterator[str]:
        """What went wrong, then the table."""
        for tree in self.trees:
            yield from self.messages[tree.name]
        if self.journal.moved:
            yield f"note: {self.asked.state} was damaged, and is {self.journal.moved} now: all was done again"
        if self.journal.failed:
            yield f"note: {self.asked.state} does not hold all ({self.journal.failed}): some is done again"
        if not self.asked.quiet:
            yield from table([(tree.name, self.rows[tree.name]) for tree in self.trees])

    def key(self, name: str) -> str:
        """A tree in the journal: its place."""
        return os.path.realpath(self.paths[name])


def prefix_of(shown: Path) -> str:
    """What stands before the paths of a tree, in text for people."""
    return "" if shown == Path() else shown.as_posix().rstrip("/") + "/"
