"""``fleet``: many trees in one run."""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vmfdlint.cli.check_options import choosing, colored, ending, reporting
from vmfdlint.cli.options import selecting
from vmfdlint.cli.output import give, out, say, writable
from vmfdlint.cli.progress import Progress, duration

if TYPE_CHECKING:
    from vmfdlint.app import Standing


@click.command()
@click.argument("trees", metavar="LIST", type=click.File("rb"))
@click.option("--one-per-tree", "folder", metavar="DIR", type=click.Path(file_okay=False),
              help="Write a report for each tree into DIR, as TREE.FORMAT.")  # fmt: skip
@click.option("--state", metavar="FILE", type=click.Path(dir_okay=False),
              help="Keep in FILE what is done: a run that was ended goes on there.")  # fmt: skip
@choosing
@reporting
@ending
@selecting
def fleet(trees: Any, folder: str | None, state: str | None, **asked: Any) -> int:
    """Check many trees, each with its own settings, and put their reports together.

    LIST is a file with a line a tree (- is the standard input): PATH, or URL PATH where it was cloned to.
    Several are checked at once (-j). A tree that fails stops no other.

    Exit codes: 0 clean, 1 findings, 2 could not do it all.
    """
    from vmfdlint import app

    output_format = asked.pop("output_format") or ("full",)
    output_file = asked.pop("output_file")
    color = asked.pop("color") or "auto"
    jobs, executor = asked.pop("jobs") or 0, asked.pop("executor") or ""
    _targets(output_format, output_file, folder)
    request = app.Asked(
        given=asked,
        output_format=output_format,
        output_file=output_file or "",
        folder=folder or "",
        state=state or "",
        jobs=jobs,
        executor=executor,
        quiet=bool(asked["quiet"]),
        verbose=bool(asked["verbose"]),
        color=colored(color) and not output_file and not folder,
    )
    delivery = _Delivery()
    progress = Progress(sys.stderr.isatty() and not request.quiet)
    lines = not sys.stderr.isatty() and not request.quiet

    def watch(standing: "Standing") -> None:
        progress(_words(standing))
        if lines and standing.last:
            say([f"{standing.done:,} of {standing.total:,}: {standing.last}"])

    try:
        result = app.fleet(app.trees_in(trees.read(), trees.name), request, delivery, watch)
    except KeyboardInterrupt:
        progress.clear()
        if state:
            say([f"{state} holds the trees that are done: the same command goes on from there"])
        raise
    finally:
        progress.clear()
    return max(give(result), delivery.failed)


class _Delivery:
    """Reports to where they go, part by part."""

    def __init__(self) -> None:
        self.failed = 0

    def __call__(self, path: str, parts: Iterable[bytes]) -> None:
        if not path:
            for part in parts:
                self.failed = out(part) or self.failed
            return
        try:
            with Path(path).open("wb") as stream:
                stream.writelines(parts)
        except OSError as error:
            say([f"error: {path}: cannot be written ({error.strerror}): choose another place"])
            self.failed = 2


def _targets(output_format: tuple[str, ...], output_file: str | None, folder: str | None) -> None:
    """Finds out before the work whether the reports can be written."""
    if folder:
        if output_file or any(":" in wanted for wanted in output_format):
            raise click.UsageError("--one-per-tree says where the reports go: name no other file.")
        try:
            Path(folder).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise click.UsageError(f"--one-per-tree: {folder} cannot be made ({error.strerror}).") from error
    if output_file:
        writable(output_file, "--output-file")
    for wanted in output_format:
        if ":" in wanted:
            writable(wanted.partition(":")[2], "--output-format")


def _words(standing: "Standing") -> str:
    words = f"{standing.done:,} of {standing.total:,} trees"
    if standing.failed:
        words += f", {standing.failed:,} failed"
    left = standing.seconds_left
    return words if left is None else f"{words}, about {duration(left)} left"
