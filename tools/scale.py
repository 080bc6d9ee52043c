"""``python -m tools scale``: what a check costs per MB and per function, and what that makes of a whole
distribution. The table stands in docs/scale.md between two marks, where ``--write`` puts it.

CPU seconds of one process, not wall time: they say what a worker has to do, and a busy machine changes them
less.
"""

import re
import resource
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from tools.checked import environment
from tools.memory import measure
from tools.trees import Unreadable
from vmfdlint.base import SourceText
from vmfdlint.discover import Search, discover
from vmfdlint.frontends.languages import PYTHON, language_of

PAGE = Path(__file__).parent.parent / "docs" / "scale.md"
BEGIN, END = "<!-- scale -->", "<!-- /scale -->"

DEBIAN_LINES = 1_341_564_204
"""Lines of code in Debian 12, as its announcement says: https://www.debian.org/News/2023/20230610"""
WORKERS = 100

_FUNCTIONS = re.compile(rb"^ *([\d,]+)  functions$", re.MULTILINE)
_BLANK = {PYTHON: re.compile(rb"\s*(#|$)"), "": re.compile(rb"\s*(//|/?\*|$)")}
"""Lines that are no code: blank ones, and those that begin as a comment."""


class Cost(msgspec.Struct, frozen=True):
    """One tree, or several together. ``functions`` are those that had to be read in full."""

    name: str
    files: int
    bytes: int
    lines: int
    functions: int
    cpu_seconds: float
    peak_bytes: int

    @property
    def per_mb(self) -> float:
        """CPU seconds for a million bytes."""
        return self.cpu_seconds / self.bytes * 1e6


def cost(path: Path, exclude: Sequence[str]) -> Cost:
    """Checks one tree in one process. Raises Unreadable."""
    found = discover([str(path)], Search(exclude=tuple(exclude), exclude_base=path.as_posix()))
    if not found.files:
        raise Unreadable(f"{path}: no sources")
    line = [sys.executable, "-P", "-m", "vmfdlint", "check", ".", "-j", "1", "--isolated", "--no-cache"]
    line += ["--output-format", "concise", "--statistics", "--exit-zero"]
    line += [part for pattern in exclude for part in ("--exclude", pattern)]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    measured = measure(line, path, environment())
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    counted = _FUNCTIONS.search(measured.output)
    if counted is None:
        said = measured.errors.decode("utf-8", "replace").strip()
        raise Unreadable(f"{path}: vmfdlint ended with exit code {measured.exit_code}: {said}")
    return Cost(
        name=path.absolute().name,
        files=len(found.files),
        bytes=sum(len(source.data) for source in found.files),
        lines=sum(map(code_lines, found.files)),
        functions=int(counted[1].replace(b",", b"")),
        cpu_seconds=after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        peak_bytes=measured.peak_bytes,
    )


def code_lines(source: SourceText) -> int:
    """Lines that are neither blank nor the begin of a comment, as counters of code count them, nearly."""
    blank = _BLANK.get(language_of(source), _BLANK[""])
    return sum(blank.match(line) is None for line in source.data.split(b"\n"))


def total(costs: Sequence[Cost]) -> Cost:
    """All together; the peak is the highest."""
    return Cost(
        "all",
        sum(one.files for one in costs),
        sum(one.bytes for one in costs),
        sum(one.lines for one in costs),
        sum(one.functions for one in costs),
        sum(one.cpu_seconds for one in costs),
        max(one.peak_bytes for one in costs),
    )


def table(costs: Sequence[Cost], version: str) -> str:
    """The figures as Markdown."""
    lines = [
        "| tree | files | MB | functions read | CPU s | s per MB | ms per function | peak MB |",
        "|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    every = total(costs)
    for one in (*costs, every) if len(costs) > 1 else costs:
        single = f"{one.cpu_seconds / one.functions * 1000:,.1f}" if one.functions else "-"
        lines.append(
            f"| {one.name} | {one.files:,} | {one.bytes / 1e6:,.1f} | {one.functions:,} | "
            f"{one.cpu_seconds:,.1f} | {one.per_mb:.2f} | {single} | {one.peak_bytes / 1e6:,.0f} |"
        )
    slow, fast = max(costs, key=lambda one: one.per_mb), min(costs, key=lambda one: one.per_mb)
    size = DEBIAN_LINES * every.bytes / every.lines / 1e6
    whole = f"{DEBIAN_LINES:,} lines, {size / 1000:,.0f} GB"
    lines += ["", f"| Debian 12, {whole}, {WORKERS} workers | minutes |"]
    lines += ["|---|--:|"]
    for word, one in ((f"every MB costs as in {fast.name}", fast), ("as in all of the above", every),
                      (f"as in {slow.name}", slow)):  # fmt: skip
        lines.append(f"| {word} | {size * one.per_mb / WORKERS / 60:,.1f} |")
    each = every.bytes / every.lines
    lines += ["", f"vmfdlint {version}, one process a tree. {each:.0f} bytes hold a line of code."]
    return "\n".join(lines) + "\n"


def write(text: str, page: Path = PAGE) -> None:
    """Puts the table between the marks. Raises Unreadable where there are none."""
    before, begin, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise Unreadable(f"{page}: the marks {BEGIN} and {END} are not in it")
    page.write_text(f"{before}{BEGIN}\n{text}{END}{after}", encoding="utf-8")
