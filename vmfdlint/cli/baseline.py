"""``baseline``: the findings of an old tree, so that only new ones count."""

import sys
from typing import Any

import click

from vmfdlint.cli.options import selecting
from vmfdlint.cli.output import give, writable
from vmfdlint.cli.progress import Progress

_FILE = "vmfdlint-baseline.json"


@click.group()
def baseline() -> None:
    """Known findings of an old tree: check --baseline FILE reports the others."""


@baseline.command("create")
@click.argument("paths", nargs=-1, metavar="[PATHS]...", type=click.Path(readable=False))
@click.option("-o", "--output-file", default=_FILE, metavar="FILE", help=f"The file (default: {_FILE}).")
@selecting
def create(paths: tuple[str, ...], output_file: str, **given: Any) -> int:
    """Make FILE of what is found in PATHS (default: the current directory)."""
    from vmfdlint import app

    writable(output_file, "--output-file")
    with Progress(sys.stderr.isatty()) as progress:
        result = app.baseline_create(app.options_for(paths or (".",), given), output_file, progress)
    return give(result)


@baseline.command("update")
@click.argument("paths", nargs=-1, metavar="[PATHS]...", type=click.Path(readable=False))
@click.option("-o", "--output-file", default=_FILE, metavar="FILE", help=f"The file (default: {_FILE}).")
@click.option("--prune", is_flag=True, help="Take out what is gone, and add nothing.")
@selecting
def update(paths: tuple[str, ...], output_file: str, prune: bool, **given: Any) -> int:
    """Bring FILE up to date with what is found in PATHS."""
    from vmfdlint import app

    with Progress(sys.stderr.isatty()) as progress:
        result = app.baseline_update(app.options_for(paths or (".",), given), output_file, prune, progress)
    return give(result)


@baseline.command("show")
@click.argument("file", default=_FILE, type=click.Path())
def show(file: str) -> int:
    """List what is in FILE."""
    from vmfdlint import app

    return give(app.baseline_show(file))
