"""``python -m tools``: the command line of the tools.

Exit codes: 0 as expected, 1 different, 2 could not do it all.
"""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click
import msgspec

from tools import bench as benchmark
from tools import bench_table
from tools import corpus as comparison
from tools import same as equal
from tools import scale as scaling
from tools import stability as stable
from tools.differential import candidates, generate
from tools.differential import table as differences
from tools.differential.campaign import run_all
from tools.differential.plan import Language
from tools.evidence import measure as measuring
from tools.evidence import record, table
from tools.evidence.cases import read_cases
from tools.evidence.fixed import measure_fixed
from tools.labels import Label, read_categories, read_labels
from tools.peers import installed
from tools.trees import SHEETS, Tree, Unreadable, trees
from vmfdlint import __version__
from vmfdlint.app import rule_docs
from vmfdlint.rulebook import load_evidence

Command = TypeVar("Command", bound=Callable[..., Any])


def _reading(command: Command) -> Command:
    """The options of every command that reads trees."""
    options = (
        click.option("--tree", "words", multiple=True, metavar="NAME=PATH",
                     help="An unpacked tree. May repeat."),
        click.option("--trees", "table", type=click.Path(path_type=Path), metavar="FILE",
                     help="A TOML file with a [trees] table: NAME = \"PATH\"."),
        click.option("--expected", type=click.Path(path_type=Path), metavar="DIR", default=SHEETS,
                     help="Where the data files of the trees are (default: tests/corpus)."),
        click.option("-j", "--jobs", type=click.IntRange(min=0), metavar="N", default=0,
                     help="Processes of vmfdlint; 0, the default: one per CPU."),
        click.option("--json", "as_json", is_flag=True, help="Report as JSON."),
    )  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """Checks vmfdlint on whole trees: what it finds, and how long it takes."""


@cli.command()
@_reading
@click.option(
    "--labels",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Also score against a file of labelled places, one JSON object a line.",
)
@click.option("--update", is_flag=True, help="Write new findings into the data files, without a reason.")
def corpus(
    words: tuple[str, ...],
    table: Path | None,
    expected: Path,
    jobs: int,
    as_json: bool,
    labels: Path | None,
    update: bool,
) -> int:
    """Compare the findings in trees with the expected ones.

    Exit codes: 0 as expected, 1 findings added, lost or without a reason, 2 a tree could not be read.
    """
    categories = read_categories()
    places: Sequence[Label] | None = None if labels is None else read_labels(labels, categories)
    results = [
        comparison.run(tree, jobs, places, categories, update) for tree in _trees(words, table, expected)
    ]
    if as_json:
        _out_json(comparison.document(results))
    else:
        click.echo(comparison.text(results, places), nl=False)
    return comparison.exit_code(results)


@cli.command()
@_reading
@click.option("--repeat", type=click.IntRange(min=1), default=5, show_default=True, metavar="N",
              help="Rounds.")
@click.option("--growth", type=click.IntRange(min=0), default=1, show_default=True, metavar="N",
              help="Rounds over several copies of the tree side by side.")
@click.option("--peers/--no-peers", "others", default=True,
              help="Time the other tools that are installed too.")
@click.option("--semgrep", metavar="FILE", type=click.Path(exists=True, dir_okay=False),
              help="The program of Semgrep, where it is not on the path.")
@click.option("--limit", type=click.FloatRange(min=1), default=900.0, show_default=True, metavar="SECONDS",
              help="Another tool is given up after this time.")
@click.option("--write", is_flag=True, help="Put it into bench/results.json and README.md.")  # fmt: skip
def bench(
    words: tuple[str, ...],
    table: Path | None,
    expected: Path,
    jobs: int,
    as_json: bool,
    repeat: int,
    growth: int,
    others: bool,
    semgrep: str | None,
    limit: float,
    write: bool,
) -> int:
    """Time a check of each tree, cold, warm and as a hook, beside two yardsticks and other tools.

    With --write and no tree, the table of README.md is written anew from bench/results.json.
    Exit codes: 0 measured, 2 a tree could not be read.
    """
    results, code = [], 0
    named = trees(words, table, expected) if write else _trees(words, table, expected)
    peers = installed(semgrep) if others else {}
    for tree in named:
        try:
            results.append(benchmark.bench(tree, jobs, repeat, peers, limit, growth))
        except Unreadable as error:
            click.echo(f"error: {error}", err=True)
            code = 2
            continue
        if write:
            bench_table.keep(results)
        if not as_json:
            click.echo(bench_table.table(results[-1:]), nl=False)
    if write:
        bench_table.show(bench_table.read())
    if as_json:
        document = bench_table.Results(bench_table.SCHEMA, tuple(results))
        click.echo(bench_table.encoded(document).decode(), nl=False)
    return code


@cli.command()
@_reading
@click.option("--way", "ways", multiple=True, type=click.Choice(list(equal.WAYS)),
              help="Only in these ways; the others are compared with the first. May repeat.")  # fmt: skip
def same(
    words: tuple[str, ...],
    table: Path | None,
    expected: Path,
    jobs: int,
    as_json: bool,
    ways: tuple[str, ...],
) -> int:
    """Check each tree with and without the cache, over any executor, and exhaustively: the same bytes?

    Exit codes: 0 the same, 1 not, 2 a tree could not be read.
    """
    results = []
    for tree in _trees(words, table, expected):
        results.append(equal.same(tree, ways or tuple(equal.WAYS)))
        if not as_json:
            click.echo(equal.text(results[-1]), nl=False)
    if as_json:
        _out_json({"trees": results})
    return 1 if any(one.differing for one in results) else 0


@cli.command()
@click.argument(
    "paths", nargs=-1, required=True, type=click.Path(exists=True, file_okay=False, path_type=Path)
)
@click.option("--exclude", multiple=True, metavar="PATTERN", help="Not these, as in .gitignore. May repeat.")
@click.option("--write", is_flag=True, help="Put the table into docs/scale.md.")
def scale(paths: tuple[Path, ...], exclude: tuple[str, ...], write: bool) -> int:
    """Measure what a check of trees costs per MB and per function.

    Exit codes: 0 measured, 2 a tree could not be read.
    """
    costs = [scaling.cost(path, exclude) for path in paths]
    text = scaling.table(costs, __version__)
    click.echo(text, nl=False)
    if write:
        scaling.write(text)
    return 0


@cli.command()
@click.argument("rules", nargs=-1, metavar="[RULE]...")
@click.option(
    "--oracle",
    "oracles",
    multiple=True,
    type=click.Choice(measuring.ORACLES),
    help="Only this one: kvm, the real /dev/kvm, or fifo, the play of it. May repeat.",
)
@click.option("--update", is_flag=True, help="Write what was seen into rules/evidence.")
@click.option("--fixed", is_flag=True, help="Apply the fixes, safe and unsafe: the hazard must be gone.")
@click.option("--json", "as_json", is_flag=True, help="Report as JSON.")
def evidence(
    rules: tuple[str, ...], oracles: tuple[str, ...], update: bool, fixed: bool, as_json: bool
) -> int:
    """Run the programs that prove the rules (default: of all) and compare with what vmfdlint says of them.

    Exit codes: 0 all agree, 1 some do not, 2 could not do it all.
    """
    sheet = read_cases()
    cases = [case for case in sheet.case if not rules or case.rule in rules]
    if not cases:
        raise click.UsageError(f"no program for {', '.join(rules)}: name a rule as in VMFD101.")
    if update and rules:
        raise click.UsageError("--update needs all rules: it writes what is known of each.")
    if update and fixed:
        raise click.UsageError("--update is about the programs as they are.")
    if fixed:
        rows, done = measure_fixed(cases, oracles or measuring.ORACLES)
        if as_json:
            _out_json({"rows": rows})
        else:
            click.echo("".join(f"{line}\n" for line in done) + "\n" + table.text(rows, sheet, ()), nl=False)
        return 0 if rows and table.agrees(rows) else 1
    results = measuring.measure(cases, oracles or measuring.ORACLES)
    found = measuring.findings(cases)
    rows = table.rows(results, found)
    if as_json:
        _out_json({"rows": rows})
    else:
        every = [rule.id for rule in rule_docs() if rule.family != "lint" and (not rules or rule.id in rules)]
        click.echo(table.text(rows, sheet, every), nl=False)
    if update:
        for name in record.write(record.evidence(sheet, results, found, load_evidence())):
            click.echo(
                f"rules/evidence/{name}: written; its page: pytest --bless tests/test_rules.py", err=True
            )
    return 0 if table.agrees(rows) else 1


@cli.command()
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, metavar="N")
@click.option(
    "--count", type=click.IntRange(min=1), default=100, show_default=True, metavar="M", help="Programs."
)
@click.option(
    "--language",
    type=click.Choice(differences.LANGUAGES),
    help="All of them in this one; else three of five are in C, two in Python.",
)
@click.option(
    "--oracle",
    type=click.Choice(measuring.ORACLES),
    default="fifo",
    show_default=True,
    help="kvm, the real /dev/kvm, or fifo, the play of it.",
)
@click.option(
    "--candidates",
    "directory",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Make the programs that disagree as small as can be, and write them there.",
)
@click.option("--json", "as_json", is_flag=True, help="Report as JSON.")
def differential(
    seed: int, count: int, language: Language | None, oracle: str, directory: Path | None, as_json: bool
) -> int:
    """Write programs at random, run each on every path, and compare with what vmfdlint says of it.

    The same seed and count give the same programs. Exit codes: 0 all agree, 1 some do not, 2 could not do it.
    """
    shares: dict[Language, int] = {"C": count - count * 2 // 5, "Python": count * 2 // 5}
    if language:
        shares = {language: count}
    plans = [plan for name, share in shares.items() for plan in generate.plans(seed, share, name)]
    results = run_all(plans, oracle)
    if as_json:
        _out_json(differences.document(results))
    else:
        click.echo(differences.text(results), nl=False)
    if directory is not None:
        for path in candidates.write(results, directory):
            click.echo(f"{path}: written", err=True)
    return 0 if all(one.agrees for one in results) else 1


@cli.command()
@click.argument("directory", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, metavar="N")
@click.option("--edits", type=click.IntRange(min=1), default=100, show_default=True, metavar="M")
@click.option(
    "--batch", type=click.IntRange(min=1), default=10, show_default=True, metavar="K", help="Edits a check."
)
@click.option("--exclude", multiple=True, metavar="PATTERN", help="As for vmfdlint check. May repeat.")
def stability(directory: Path, seed: int, edits: int, batch: int, exclude: tuple[str, ...]) -> int:
    """Edit a copy of DIRECTORY at random, in ways that mean nothing, and hold it against a baseline.

    Most edits are in files that the findings speak of. Exit codes: 0 all findings stay known, 1 some came
    back or were lost, or there was none to begin with, 2 could not do it all.
    """
    options = [word for pattern in exclude for word in ("--exclude", pattern)]
    held = stable.hold(directory, seed, edits, batch, tuple(options))
    click.echo(stable.text(held), nl=False)
    return 0 if held.holds else 1


def _trees(words: tuple[str, ...], table: Path | None, expected: Path) -> tuple[Tree, ...]:
    found = trees(words, table, expected)
    if not found:
        raise click.UsageError("Name a tree: --tree NAME=PATH, or --trees FILE.")
    return found


def _out_json(document: dict[str, Any]) -> None:
    click.echo(msgspec.json.format(msgspec.json.encode(document), indent=1).decode())


def run(arguments: Sequence[str]) -> int:
    """Runs one command line; returns the exit code. Errors go to the error stream."""
    try:
        result = cli.main(list(arguments), prog_name="python -m tools", standalone_mode=False)
        return result if isinstance(result, int) else 0
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("Interrupted: nothing was reported", err=True)
        return 130
    except Unreadable as error:
        click.echo(f"error: {error}", err=True)
        return 2


def main() -> None:
    sys.exit(run(sys.argv[1:]))
