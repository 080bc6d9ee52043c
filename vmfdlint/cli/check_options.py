"""Options of ``check`` and ``fleet``: which findings, how they are reported, what the exit code says."""

import os
import sys
from typing import Any

import click

from vmfdlint.cli.options import Format, Selector, applied, given, per_file, split


def reporting(command: Any) -> Any:
    """How findings are reported."""
    options = (
        click.option("--output-format", multiple=True, type=Format(), callback=given,
                     help="How to report, and in which file (default: full, to the standard output). "
                          "May repeat."),
        click.option("-o", "--output-file", metavar="FILE", type=click.Path(),
                     help="Write the report there."),
        click.option("--color", type=click.Choice(["auto", "always", "never"]),
                     help="Colours in text (auto, the default: on a terminal)."),
        click.option("-q", "--quiet", is_flag=True, default=None, help="Findings and errors only."),
        click.option("-v", "--verbose", is_flag=True, default=None,
                     help="Also say what could not be read in full."),
        click.option("--show-safe", is_flag=True, default=None,
                     help="Also list forks, execs, spawns and copies that were judged safe, with the reason "
                          "(full, concise, json, sarif)."),
        click.option("--show-suppressed", is_flag=True, default=None,
                     help="Put what comments silence into sarif and json, with the reason."),
        click.option("--statistics", is_flag=True, default=None,
                     help="Also count findings by rule, and time."),
    )  # fmt: skip
    return applied(command, options)


def choosing(command: Any) -> Any:
    """Which findings there are."""
    options = (
        click.option("--select", multiple=True, metavar="RULE", type=Selector(), callback=split,
                     help="Only these rules: ids, prefixes, names or ALL, with commas."),
        click.option("--extend-select", multiple=True, metavar="RULE", type=Selector(), callback=split,
                     help="These rules too."),
        click.option("--ignore", multiple=True, metavar="RULE", type=Selector(), callback=split,
                     help="All but these rules."),
        click.option("--per-file-ignores", multiple=True, metavar="PATTERN:RULE", callback=per_file,
                     help="Not this rule in files that match, as in tests/:VMFD101. May repeat."),
        click.option("--min-certainty", type=click.Choice(["may", "must"]),
                     help="must: leave out findings that hang on something unknown."),
        click.option("--ignore-suppressions", is_flag=True, default=None,
                     help="Report what comments silence too."),
    )  # fmt: skip
    return applied(command, options)


def ending(command: Any) -> Any:
    """What the exit code says."""
    options = (
        click.option("--fail-level", type=click.Choice(["error", "warning", "note"]),
                     help="Exit with 1 for findings of this level and above (default: note)."),
        click.option("-e", "--exit-zero", is_flag=True, default=None,
                     help="Exit with 0 in spite of findings."),
    )  # fmt: skip
    return applied(command, options)


def colored(wish: str) -> bool:
    """Whether text gets colours: as asked, else on a terminal, if the user says nothing against it."""
    if wish != "auto":
        return wish == "always"
    if os.environ.get("FORCE_COLOR"):
        return True
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
