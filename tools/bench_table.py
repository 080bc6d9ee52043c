"""What was measured, on disk and for people: bench/results.json, and the table of it in README.md.

A run over one tree takes that tree's place in the file, and leaves the others as they are.
"""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import msgspec

from tools.bench import COLD, COPIES, GROWN, HOOK, HOOK_VM, OWN, PARSE, SCAN, VERSION, WARM, Bench, Runs
from tools.peers import PEERS
from tools.trees import REPOSITORY, Unreadable

RESULTS = REPOSITORY / "bench" / "results.json"
PAGE = REPOSITORY / "README.md"
BEGIN, END = "<!-- bench -->", "<!-- /bench -->"
SCHEMA = 2


class Results(msgspec.Struct, frozen=True):
    """All trees that were measured, by name."""

    schema: int
    trees: tuple[Bench, ...]


def read(path: Path = RESULTS) -> Results:
    """What was measured before. Raises Unreadable."""
    if not path.exists():
        return Results(SCHEMA, ())
    try:
        found = msgspec.json.decode(path.read_bytes(), type=Results)
    except msgspec.DecodeError as error:
        raise Unreadable(f"{path}: {error}") from error
    if found.schema != SCHEMA:
        raise Unreadable(f"{path} has the form {found.schema}, this is {SCHEMA}: delete it and measure again")
    return found


def keep(made: Sequence[Bench], path: Path = RESULTS) -> Results:
    """Puts what was measured in the place of what was known of the same trees. Raises Unreadable."""
    trees = {one.tree: one for one in (*read(path).trees, *made)}
    results = Results(SCHEMA, tuple(trees[name] for name in sorted(trees)))
    path.write_bytes(encoded(results))
    return results


def encoded(results: Results) -> bytes:
    """As it stands in the file."""
    return msgspec.json.format(msgspec.json.encode(results), indent=1) + b"\n"


def show(results: Results, page: Path = PAGE) -> None:
    """Puts the table between the marks. Raises Unreadable where there are none."""
    before, begin, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise Unreadable(f"{page}: the marks {BEGIN} and {END} are not in it")
    page.write_text(f"{before}{BEGIN}\n{table(results.trees)}{END}{after}", encoding="utf-8")


def table(trees: Sequence[Bench]) -> str:
    """The figures as Markdown: a column a tree; seconds as least–median–most."""
    lines = [
        "| |" + "".join(f" {one.tree} |" for one in trees),
        "|---|" + "--:|" * len(trees),
    ]
    rows: list[tuple[str, Callable[[Bench], str]]] = [
        ("files, MB", lambda one: f"{one.files:,}, {one.bytes / 1e6:,.1f}"),
        ("findings", lambda one: f"{one.findings}"),
        *((OWN[name], partial(seconds, name=name)) for name in (COLD, WARM, HOOK, HOOK_VM, VERSION)),
        ("peak memory of all processes, cold; warm", lambda one: f"{_mb(one, COLD)}; {_mb(one, WARM)}"),
        (f"time for each MB of {COPIES} copies side by side, of one", _growth),
        *((OWN[name], partial(against, name=name)) for name in (PARSE, SCAN)),
        *((f"{peer.name}, rules of bench/peers", partial(against, name=peer.name)) for peer in PEERS),
        ("rooms of a cold run, s", lambda one: ", ".join(f"{room} {sorted(each)[len(each) // 2]:.1f}"
                                                         for room, each in one.rooms.items())),
        ("rounds; CPUs, processes; load before, after", _circumstances),
        ("commit, date", lambda one: f"{one.commit}, {one.date}"),
    ]  # fmt: skip
    lines += [f"| {what} |" + "".join(f" {say(one)} |" for one in trees) for what, say in rows]
    return "\n".join(lines) + "\n"


def seconds(one: Bench, name: str) -> str:
    """The least, the median and the most; nothing where it was not measured."""
    runs = one.runs.get(name)
    return "" if runs is None else f"{_spread(runs)} s"


def against(one: Bench, name: str) -> str:
    """The same, how many times as long as a cold check it takes, and what it found."""
    runs = one.runs.get(name)
    if runs is None:
        return "not measured"
    if runs.given_up:
        times = runs.given_up / one.runs[COLD].median_seconds
        return f"given up after {runs.given_up:,.0f} s, {times:.1f} × cold"
    found = "" if runs.findings is None else f", {runs.findings} findings"
    return f"{_spread(runs)} s, {one.ratio(name, COLD):.2f} × cold{found}"


def _spread(runs: Runs) -> str:
    if len(runs.seconds) == 1:
        return f"{runs.seconds[0]:.2f}"
    return f"{min(runs.seconds):.2f}–**{runs.median_seconds:.2f}**–{max(runs.seconds):.2f}"


def _mb(one: Bench, name: str) -> str:
    return f"{one.runs[name].peak / 1e6:,.0f} MB"


def _growth(one: Bench) -> str:
    return "not measured" if one.growth is None else f"{one.growth:.2f} × ({seconds(one, GROWN)})"


def _circumstances(one: Bench) -> str:
    return f"{one.rounds}; {one.cpus}, {one.jobs}; {one.load[0]}, {one.load[1]}"
