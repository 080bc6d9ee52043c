"""``rule``, ``why`` and ``show``: what the rules mean, who holds a VM, what the analysis sees."""

import sys
from pathlib import Path
from typing import Any

import click

from vmfdlint.cli.options import Selector, selecting
from vmfdlint.cli.output import give
from vmfdlint.cli.progress import Progress


@click.command()
@click.argument("rules", nargs=-1, metavar="[RULE]...", type=Selector())
@click.option("--all", "every", is_flag=True, help="Every rule: a table, or in a format the pages of all.")
@click.option("--output-format", type=click.Choice(["markdown", "json"]), help="How to tell it.")
def rule(rules: tuple[str, ...], every: bool, output_format: str | None) -> int:
    """Explain rules: what they flag, why it matters, what to write instead, what proves it."""
    from vmfdlint import app

    if not rules and not every:
        raise click.UsageError("Name a rule (VMFD101, VMFD1, fork-while-vm-live), or --all.")
    return give(app.rules(rules, every, output_format or ""))


@click.command()
@click.argument("place", metavar="FILE:LINE")
@click.argument("paths", nargs=-1, metavar="[PATHS]...", type=click.Path(readable=False))
@click.option("--output-format", type=click.Choice(["text", "json"]), default="text", help="How to tell it.")
@selecting
def why(place: str, paths: tuple[str, ...], output_format: str, **given: Any) -> int:
    """Who holds the VM while a line runs, how each got there, and what would let the VM die.

    PATHS hold the rest of the program (default: the current directory; for a file outside of it the work tree
    that the file is in).
    """
    from vmfdlint import app
    from vmfdlint.app.why import around
    from vmfdlint.app.why import why as holders

    with Progress(sys.stderr.isatty()) as progress:
        result = holders(app.options_for(paths or (around(place),), given), place, output_format, progress)
    return give(result)


@click.group()
def show() -> None:
    """Show what the analysis sees."""


@show.command("flow")
@click.argument("paths", nargs=-1, metavar="[PATHS]...", type=click.Path(readable=False))
@selecting
def show_flow(paths: tuple[str, ...], **given: Any) -> int:
    """Where each VM, vCPU and device descriptor is created, goes and rests."""
    from vmfdlint import app
    from vmfdlint.app.show import flow as shown

    return give(shown(app.options_for(paths or (".",), given)))


@show.command("ir")
@click.argument("target", metavar="FILE::FUNC")
@click.argument("paths", nargs=-1, metavar="[PATHS]...", type=click.Path(readable=False))
@selecting
def show_ir(target: str, paths: tuple[str, ...], **given: Any) -> int:
    """A function's intermediate form. PATHS hold the headers it needs (default: the directory of FILE)."""
    from vmfdlint import app
    from vmfdlint.app.show import ir as shown

    directory = str(Path(target.rpartition("::")[0]).parent)
    return give(shown(app.options_for(paths or (directory,), given), target))
