"""argv -> Options -> app -> output and exit code: 0 clean, 1 findings, 2 could not do it all.

Imports the app inside the commands: ``vmfdlint --version`` has no use for an engine.
"""

import gc
import os
import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar

import click

from vmfdlint import __version__

if TYPE_CHECKING:
    from vmfdlint.app import Run

Command = TypeVar("Command", bound=Callable[..., Any])
_INTERRUPTED = 130
_EVERY = 0.2
"""Seconds between two lines of progress."""


class _Format(click.ParamType[str]):
    """The output formats there are, looked up only when one is asked for."""

    name = "format"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        from vmfdlint.report import formats

        if value not in formats():
            self.fail(f"{value!r} is none of {', '.join(formats())}", param, ctx)
        return value

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        from vmfdlint.report import formats

        return f"[{'|'.join(formats())}]"


def _split(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...] | None:
    """``--select A,B --select C`` -> A, B, C; None where the option was not given."""
    parts = tuple(part.strip() for text in value for part in text.split(",") if part.strip())
    if value and not parts:
        raise click.BadParameter("is empty: name something, or leave the option out", ctx, param)
    return parts or None


def _given(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...] | None:
    """None where the option was not given: then the configuration file decides."""
    return value or None


def _selecting(command: Command) -> Command:
    """The options of every command that reads sources."""
    options = (
        click.option("--exclude", multiple=True, metavar="PATTERN", callback=_split,
                     help="Leave out what matches; written as in .gitignore. May repeat."),
        click.option("--force-exclude", is_flag=True, default=None, help="Leave out named files too."),
        click.option("--respect-gitignore/--no-respect-gitignore", default=None,
                     help="Leave out what .gitignore does (the default)."),
        click.option("--models", multiple=True, metavar="FILE", type=click.Path(), callback=_given,
                     help="A TOML file with more API models. May repeat."),
        click.option("-j", "--jobs", type=click.IntRange(min=0), metavar="N",
                     help="Processes; 0, the default: one per CPU."),
        click.option("--no-cache", is_flag=True, default=None, help="Neither read nor write the cache."),
    )  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="vmfdlint", message="%(prog)s %(version)s")
def cli() -> None:
    """Finds what keeps a KVM virtual machine alive beyond its creator, in C and Python, without a build."""


@cli.command()
@click.argument("paths", nargs=-1, metavar="[PATHS]...")
@click.option("--output-format", type=_Format(), help="How to report; full is the default.")
@click.option("-o", "--output-file", metavar="FILE", help="Write the report there.")
@click.option(
    "--select",
    multiple=True,
    metavar="RULE",
    callback=_split,
    help="Only these rules: ids, prefixes, names or ALL, with commas.",
)
@click.option("--ignore", multiple=True, metavar="RULE", callback=_split, help="All but these rules.")
@_selecting
@click.option(
    "--min-certainty",
    type=click.Choice(["may", "must"]),
    help="must: leave out findings that hang on something unknown.",
)
@click.option("--target-python", metavar="VERSION", help="Version that Python sources run on (default 3.13).")
@click.option("-q", "--quiet", is_flag=True, default=None, help="Findings and errors only.")
@click.option(
    "-v",
    "--verbose",
    is_flag=True,
    default=None,
    help="Also say why forks were judged safe, and what could not be read in full.",
)
@click.option("-e", "--exit-zero", is_flag=True, default=None, help="Exit with 0 in spite of findings.")
@click.option("--statistics", is_flag=True, default=None, help="Also count findings by rule, and time.")
def check(paths: tuple[str, ...], **given: Any) -> int:
    """Check the C and Python sources in PATHS (default: the current directory).

    Exit codes: 0 clean, 1 findings, 2 could not do it all.
    """
    from vmfdlint import app

    target = given["output_file"]
    if target is not None:
        _writable(target)
    options = app.options_for(paths or (".",), given)
    color = options.output_file is None and sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    command = shlex.join(["vmfdlint", *sys.argv[1:]])
    progress = _Progress(sys.stderr.isatty() and not options.quiet)
    try:
        result = app.check(options, command, color, progress)
    finally:
        progress.clear()
    return _print(result, options.output_file)


@cli.command()
@click.argument("rules", nargs=-1, metavar="[RULE]...")
@click.option("--all", "every", is_flag=True, help="List every rule.")
def rule(rules: tuple[str, ...], every: bool) -> int:
    """Explain rules: what they flag, why it matters, what to do."""
    from vmfdlint import app

    if not rules and not every:
        raise click.UsageError("Name a rule (VMFD101, VMFD1, fork-while-vm-live), or --all.")
    return _print(app.rules(rules, every))


@cli.group()
def show() -> None:
    """Show what the analysis sees."""


@show.command("flow")
@click.argument("paths", nargs=-1, metavar="[PATHS]...")
@_selecting
def show_flow(paths: tuple[str, ...], **given: Any) -> int:
    """Where each VM, vCPU and device descriptor is created, goes and rests."""
    from vmfdlint import app

    return _print(app.flow(app.options_for(paths or (".",), given)))


@show.command("ir")
@click.argument("target", metavar="FILE::FUNC")
@click.argument("paths", nargs=-1, metavar="[PATHS]...")
@_selecting
def show_ir(target: str, paths: tuple[str, ...], **given: Any) -> int:
    """A function's intermediate form. PATHS hold the headers it needs (default: the directory of FILE)."""
    from vmfdlint import app

    directory = str(Path(target.rpartition("::")[0]).parent)
    return _print(app.ir(app.options_for(paths or (directory,), given), target))


@cli.group()
def models() -> None:
    """API models: what a call does to descriptors, as data."""


@models.command("check")
@click.argument("files", nargs=-1, metavar="[FILES]...")
def models_check(files: tuple[str, ...]) -> int:
    """Check model files (default: the ones that come with vmfdlint)."""
    from vmfdlint import app

    return _print(app.models_check(files))


@models.command("suggest")
@click.argument("paths", nargs=-1, metavar="[PATHS]...")
@_selecting
def models_suggest(paths: tuple[str, ...], **given: Any) -> int:
    """Propose rows for unknown functions that are given a KVM descriptor."""
    from vmfdlint import app

    return _print(app.models_suggest(app.options_for(paths or (".",), given)))


@cli.command()
def version() -> int:
    """Print the version."""
    return _out(f"vmfdlint {__version__}\n".encode())


def run(arguments: Sequence[str]) -> int:
    """Runs one command line; returns the exit code. Errors of use and settings go to the error stream."""
    try:
        result = cli.main(list(arguments), prog_name="vmfdlint", standalone_mode=False)
        return result if isinstance(result, int) else 0
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        _say(["Interrupted: nothing was reported"])
        return _INTERRUPTED
    except ValueError as error:
        from vmfdlint.config import ConfigError

        if not isinstance(error, ConfigError):
            raise
        _say([f"error: {error}"])
        return 2


def main() -> None:
    """The console script."""
    gc.disable()  # what a run builds lives until it ends: the collector would walk it over and over
    sys.exit(run(sys.argv[1:]))


class _Progress:
    """What is being done, on one line of the error stream that is written over; nothing where none looks."""

    def __init__(self, shown: bool) -> None:
        self._shown = shown
        self._next = 0.0

    def __call__(self, text: str) -> None:
        if self._shown and monotonic() >= self._next:
            self._next = monotonic() + _EVERY
            self._write(text)

    @staticmethod
    def _write(text: str) -> None:
        sys.stderr.write(f"\r\x1b[K{text}")
        sys.stderr.flush()

    def clear(self) -> None:
        if self._shown and self._next:
            self._write("")


def _writable(target: str) -> None:
    """Finds out before the work that a report could not be written after it."""
    folder = Path(target).parent
    if Path(target).is_dir():
        raise click.UsageError(f"--output-file: {target} is a directory: name a file in it.")
    if not folder.is_dir():
        raise click.UsageError(f"--output-file: {folder} does not exist: make it first.")


def _print(result: "Run", target: str | None = None) -> int:
    """Report and messages to where they go; returns the exit code."""
    if target is None:
        failed = _out(result.report)
        _say(result.messages)
        return failed or result.exit_code
    _say(result.messages)
    try:
        Path(target).write_bytes(result.report)
    except OSError as error:
        _say([f"error: {target}: cannot be written ({error.strerror}): choose another file"])
        return 2
    return result.exit_code


def _out(data: bytes) -> int:
    """Bytes to the standard output. Whoever reads it may leave early (``| head``): no reason to complain."""
    try:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        # The interpreter flushes once more when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        _say([f"error: the output cannot be written ({error.strerror}): make room, or use --output-file"])
        return 2
    return 0


def _say(lines: Sequence[str]) -> None:
    for line in lines:
        click.echo(line, err=True)
