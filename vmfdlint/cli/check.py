"""``check``: sources to findings."""

import os
import shlex
import sys
from typing import Any

import click

from vmfdlint.cli.options import Format, Selector, applied, given, per_file, selecting, split
from vmfdlint.cli.output import Progress, give, writable


def _reporting(command: Any) -> Any:
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


def _choosing(command: Any) -> Any:
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
        click.option("--baseline", metavar="FILE", type=click.Path(),
                     help="Leave out the findings in FILE, made by `vmfdlint baseline create`."),
        click.option("--baseline-commit", metavar="REV", help="Leave out what is found in commit REV too."),
        click.option("--diff-base", metavar="REV",
                     help="Only findings whose path touches lines changed since REV."),
        click.option("--ignore-suppressions", is_flag=True, default=None,
                     help="Report what comments silence too."),
    )  # fmt: skip
    return applied(command, options)


def _fixing(command: Any) -> Any:
    """What is done with fixes."""
    options = (
        click.option("--fix", is_flag=True, default=None,
                     help="Write the fixes that are safe into the files."),
        click.option("--unsafe-fixes", is_flag=True, default=None,
                     help="Take fixes too that may change what the program does besides."),
        click.option("--diff", is_flag=True, default=None,
                     help="Print what --fix would change, and change nothing; 1 if there is something."),
        click.option("--format-patch", is_flag=True, default=None,
                     help="The same as patches for `git am`, a commit a rule, which say why."),
    )  # fmt: skip
    return applied(command, options)


def _ending(command: Any) -> Any:
    """What the exit code says."""
    options = (
        click.option("--fail-level", type=click.Choice(["error", "warning", "note"]),
                     help="Exit with 1 for findings of this level and above (default: note)."),
        click.option("-e", "--exit-zero", is_flag=True, default=None,
                     help="Exit with 0 in spite of findings."),
    )  # fmt: skip
    return applied(command, options)


@click.command()
@click.argument("paths", nargs=-1, metavar="[PATHS]...", type=click.Path(allow_dash=True, readable=False))
@_choosing
@_reporting
@_fixing
@_ending
@click.option("--project", metavar="DIR", type=click.Path(exists=True, file_okay=False),
              help="Read the sources of DIR too: what is reported touches PATHS.")  # fmt: skip
@click.option("--stdin-filename", metavar="FILE", help="What the standard input is, where PATHS holds -.")
@selecting
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
        color=_colored(options.color),
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
            while result.fixed and give(result) == 0:
                seen = app.again(seen, result)
                result = app.check(options, seen, progress)
            if result.fixed:
                return 2  # they could not be written
    finally:
        progress.clear()
    return give(result)


def _colored(wish: str) -> bool:
    """Whether text gets colours: as asked, else on a terminal, if the user says nothing against it."""
    if wish != "auto":
        return wish == "always"
    if os.environ.get("FORCE_COLOR"):
        return True
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
