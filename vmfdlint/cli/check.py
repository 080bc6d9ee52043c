"""``check``: sources to findings."""

import os
import shlex
import sys
from typing import Any

import click

from vmfdlint.cli.check_options import choosing, colored, ending, reporting
from vmfdlint.cli.options import applied, selecting
from vmfdlint.cli.output import give, writable
from vmfdlint.cli.progress import Progress


def _against(command: Any) -> Any:
    """What was before, and does not count."""
    options = (
        click.option("--baseline", metavar="FILE", type=click.Path(),
                     help="Leave out the findings in FILE, made by `vmfdlint baseline create`."),
        click.option("--baseline-commit", metavar="REV", help="Leave out what is found in commit REV too."),
        click.option("--diff-base", metavar="REV",
                     help="Only findings whose path touches lines changed since REV."),
    )  # fmt: skip
    return applied(command, options)


def _fixing(command: Any) -> Any:
    """What is done with fixes."""
    options = (
        click.option("--fix/--no-fix", is_flag=True, default=None,
                     help="Write the fixes that are safe into the files."),
        click.option("--unsafe-fixes/--no-unsafe-fixes", is_flag=True, default=None,
                     help="Take fixes too that may change what the program does besides."),
        click.option("--diff", is_flag=True, default=None,
                     help="Print what --fix would change, and change nothing; 1 if there is something."),
        click.option("--format-patch", is_flag=True, default=None,
                     help="The same as patches for `git am`, a commit a rule, which say why."),
    )  # fmt: skip
    return applied(command, options)


@click.command()
@click.argument("paths", nargs=-1, metavar="[PATHS]...", type=click.Path(allow_dash=True, readable=False))
@choosing
@_against
@reporting
@_fixing
@ending
@click.option(
    "--fail-fast/--no-fail-fast",
    is_flag=True,
    default=None,
    help="End with what is new since the last run, where that fails; else look for everything.",
)
@click.option("--project", metavar="DIR", type=click.Path(exists=True, file_okay=False),
              help="Read the sources of DIR too: what is reported touches PATHS.")  # fmt: skip
@click.option("--stdin-filename", metavar="FILE", help="What the standard input is, where PATHS holds -.")
@selecting
@click.option("--exhaustive", is_flag=True, default=None,
              help="Read every function of every file, to the same answers; slow.")  # fmt: skip
@click.option("--add-ignore", metavar="REASON", help="Write a comment with the reason for each finding.")
@click.option("--show-files", is_flag=True, help="List the files that would be checked.")
@click.option("--show-settings", is_flag=True, help="Print the settings in force.")
def check(
    paths: tuple[str, ...], show_files: bool, show_settings: bool, add_ignore: str | None, **asked: Any
) -> int:
    """Check the C and Python sources in PATHS (default: the current directory; - is the standard input).

    Exit codes: 0 clean, 1 findings, 2 could not do it all.
    """
    from vmfdlint import app

    if add_ignore is not None and (asked["fix"] or asked["diff"] or asked["format_patch"]):
        raise click.UsageError("--add-ignore keeps findings that fixes take away: one after the other")
    options = app.options_for(paths or (asked["project"] or ".",), asked)
    if show_settings:
        return give(app.settings(options))
    if options.output_file is not None:
        writable(options.output_file, "--output-file")
    for wanted in options.output_format:
        if ":" in wanted:
            writable(wanted.partition(":")[2], "--output-format")
    stdin = sys.stdin.buffer.read() if "-" in options.paths else None
    if show_files:
        return give(app.files(options, stdin))
    seen = app.Surroundings(
        command=shlex.join(["vmfdlint", *sys.argv[1:]]),
        color=colored(options.color),
        stdin=stdin,
        step_summary=os.environ.get("GITHUB_STEP_SUMMARY", ""),
    )
    progress = Progress(sys.stderr.isatty() and not options.quiet)
    try:
        if add_ignore is not None:
            result = app.add_ignore(options, add_ignore, progress)
        else:
            result = app.check(options, seen, progress)
            # Of two fixes for the same bytes one is written: the other is for the next round.
            while result.fixed:
                progress.clear()
                if give(result):
                    return 2  # they could not be written
                seen = app.again(seen, result)
                result = app.check(options, seen, progress)
    finally:
        progress.clear()
    return give(result)
