"""argv -> Options -> app -> output and exit code: 0 clean, 1 findings, 2 could not do it all.

Imports the app inside the commands: ``vmfdlint --version`` has no use for an engine. A file a group of
commands.
"""

import gc
import os
import sys
import threading
from collections.abc import Sequence

import click

from vmfdlint import __version__
from vmfdlint.cli.baseline import baseline
from vmfdlint.cli.cache import clean
from vmfdlint.cli.check import check
from vmfdlint.cli.diff import diff
from vmfdlint.cli.explain import rule, show, why
from vmfdlint.cli.fleet import fleet
from vmfdlint.cli.models import models
from vmfdlint.cli.output import say
from vmfdlint.cli.server import server
from vmfdlint.cli.settings import completion, config, version

_INTERRUPTED = 130


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="vmfdlint", message="%(prog)s %(version)s")
def cli() -> None:
    """Finds what keeps a KVM virtual machine alive beyond its creator, in C and Python, without a build."""


for command in (
    check, fleet, rule, why, diff, show, models, baseline, clean, server, config, completion, version
):  # fmt: skip
    cli.add_command(command)


def run(arguments: Sequence[str]) -> int:
    """Runs one command line; returns the exit code. Errors of use and settings go to the error stream."""
    try:
        result = cli.main(list(arguments), prog_name="vmfdlint", standalone_mode=False)
        return result if isinstance(result, int) else 0
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        say(["Interrupted: nothing was reported"])
        return _INTERRUPTED
    except ValueError as error:
        from vmfdlint.config import ConfigError

        if not isinstance(error, ConfigError):
            raise
        say([f"error: {error}"])
        return 2


def main() -> None:
    """The console script."""
    gc.disable()  # what a run builds lives until it ends: the collector would walk it over and over
    code = run(sys.argv[1:])
    if threading.active_count() == 1:
        _leave(code)
    sys.exit(code)


def _leave(code: int) -> None:
    """Ends the process without taking down what the run built, object by object. Returns where the output
    cannot be written: the interpreter has words for that."""
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        return
    os._exit(code)
