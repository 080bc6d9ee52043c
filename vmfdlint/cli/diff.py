"""``diff``: what a change means for the life of a VM."""

import sys
from typing import Any

import click

from vmfdlint.cli.options import selecting
from vmfdlint.cli.output import give
from vmfdlint.cli.progress import Progress


@click.command()
@click.argument("revision", metavar="REV")
@click.argument("paths", nargs=-1, metavar="[PATHS]...", type=click.Path(readable=False))
@click.option("--output-format", type=click.Choice(["markdown", "json"]), default="markdown",
              help="How to tell it (default: markdown, for a review comment).")  # fmt: skip
@selecting
def diff(revision: str, paths: tuple[str, ...], output_format: str, **given: Any) -> int:
    """What the tree has more and less than REV: creations, copies, forks, releases, findings.

    It is compared with the commit in which HEAD left the line of REV. Exit codes: 0, 2 could not do it all.
    """
    from vmfdlint import app

    options = app.options_for(paths or (".",), given)
    with Progress(sys.stderr.isatty()) as progress:
        result = app.diff(options, revision, output_format, progress)
    return give(result)
