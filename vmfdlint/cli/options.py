"""Options that several commands take, and how their values are read."""

from collections.abc import Callable
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem

Command = TypeVar("Command", bound=Callable[..., Any])


class Format(click.ParamType[str]):
    """``FORMAT`` or ``FORMAT:PATH``; the formats there are, looked up only when one is asked for."""

    name = "format"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        from vmfdlint.report import formats

        name, colon, path = value.partition(":")
        if name not in formats():
            self.fail(f"{name!r} is none of {', '.join(formats())}", param, ctx)
        if colon and not path:
            self.fail(f"{value!r} names no file after the colon", param, ctx)
        return value

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        from vmfdlint.report import formats

        return f"[{'|'.join(formats())}][:PATH]"

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        from vmfdlint.report import formats

        return [CompletionItem(n) for n in formats() if n.startswith(incomplete)]


class Selector(click.ParamType[str]):
    """Rule ids, prefixes or names; completes ids."""

    name = "rule"

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        from vmfdlint import app

        before, comma, last = incomplete.rpartition(",")
        return [
            CompletionItem(before + comma + doc.id, help=doc.name)
            for doc in app.rule_docs()
            if doc.id.startswith(last.upper())
        ]


def split(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...] | None:
    """``--select A,B --select C`` -> A, B, C; None where the option was not given."""
    parts = tuple(part.strip() for text in value for part in text.split(",") if part.strip())
    if value and not parts:
        raise click.BadParameter("is empty: name something, or leave the option out", ctx, param)
    return parts or None


def given(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...] | None:
    """None where the option was not given: then the configuration file decides."""
    return value or None


def per_file(
    ctx: click.Context, param: click.Parameter, value: tuple[str, ...]
) -> tuple[tuple[str, tuple[str, ...]], ...] | None:
    """``PATTERN:RULE`` with commas between several -> each pattern with its rules, in order."""
    found: dict[str, list[str]] = {}
    for pair in split(ctx, param, value) or ():
        pattern, colon, rule = pair.rpartition(":")
        if not colon or not pattern or not rule:
            raise click.BadParameter(f"{pair!r} is not PATTERN:RULE, as in tests/:VMFD101", ctx, param)
        found.setdefault(pattern, []).append(rule)
    return tuple((pattern, tuple(rules)) for pattern, rules in found.items()) or None


def python_version(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """A version that Python sources may run on."""
    from vmfdlint.config import KEYS

    try:
        return value if value is None else str(KEYS["target-python"].read(value))
    except ValueError as error:
        text = f"{value!r} is no version of Python from 2.7 to 3.x, such as 3.13"
        raise click.BadParameter(text, ctx, param) from error


def selecting(command: Command) -> Command:
    """The options of every command that reads sources."""
    options = (
        click.option("--exclude", multiple=True, metavar="PATTERN", callback=split,
                     help="Leave out what matches; written as in .gitignore. May repeat."),
        click.option("--force-exclude/--no-force-exclude", is_flag=True, default=None,
                     help="Leave out named files too."),
        click.option("--respect-gitignore/--no-respect-gitignore", default=None,
                     help="Leave out what .gitignore does (the default)."),
        click.option("--models", multiple=True, metavar="FILE", type=click.Path(), callback=given,
                     help="A TOML file with more API models. May repeat."),
        click.option("--config", "config_file", metavar="FILE", type=click.Path(exists=True, dir_okay=False),
                     help="Read these settings instead of the nearest ones."),
        click.option("--isolated", is_flag=True, default=None, help="Read no settings from files."),
        click.option("--target-python", metavar="VERSION", callback=python_version,
                     help="The version that Python sources run on (default: 3.13)."),
        click.option("-j", "--jobs", type=click.IntRange(min=0), metavar="N",
                     help="Processes; 0, the default: one per CPU."),
        click.option("--executor", metavar="ADDRESS",
                     help="Who does the work instead of processes: dask://HOST:PORT (a Dask scheduler), "
                          "or serial."),
        click.option("--no-cache", is_flag=True, default=None, envvar="VMFDLINT_NO_CACHE",
                     help="Neither read nor write the cache."),
        click.option("--cache-dir", metavar="DIR", type=click.Path(file_okay=False),
                     envvar="VMFDLINT_CACHE_DIR",
                     help="Where the cache is (default: .vmfdlint_cache, beside the configuration file or in "
                          "the current directory)."),
    )  # fmt: skip
    return applied(command, options)


def applied(command: Command, options: tuple[Callable[[Command], Command], ...]) -> Command:
    """A command with options, in this order in its help."""
    for option in reversed(options):
        command = option(command)
    return command
