"""A plan -> what an oracle sees of its program on each path."""

import itertools
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import msgspec

from tools.differential.emit_c import emit_c
from tools.differential.emit_python import emit_python
from tools.differential.plan import Plan
from tools.evidence.build import compiler
from tools.evidence.place import Place
from tools.evidence.run import Oracle, run
from tools.evidence.shown import Seen
from tools.trees import Unreadable

_FLAGS = ("-O0", "-pipe", "-Wall", "-Wno-unused", "-Werror", "-D_GNU_SOURCE")

Ask = Callable[[], AbstractContextManager[Oracle]]
"""Gives an oracle for one run."""


class Run(msgspec.Struct, frozen=True):
    """One path: the variables that were in the environment, and what was seen."""

    variables: tuple[str, ...]
    seen: Seen


def files_of(plan: Plan) -> dict[str, str]:
    """File name -> text."""
    return emit_c(plan) if plan.language == "C" else emit_python(plan)


def build(plan: Plan, folder: Path) -> list[str]:
    """Writes the program into a folder. Out: the command that runs it. Raises Unreadable."""
    files = files_of(plan)
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    if plan.language == "Python":
        return [sys.executable, "-B", "-E", "-S", str(folder / "main.py")]
    target = folder / "program"
    sources = [str(folder / name) for name in sorted(files) if name.endswith(".c")]
    line = [compiler(), *_FLAGS, "-o", str(target), *sources, "-lutil"]
    ran = subprocess.run(line, capture_output=True, text=True)
    if ran.returncode:
        raise Unreadable(f"does not compile: {ran.stderr.strip()}")
    return [str(target)]


def environments(plan: Plan) -> Iterator[tuple[str, ...]]:
    """Every choice of the variables that the plan asks for."""
    for count in range(len(plan.variables) + 1):
        yield from itertools.combinations(plan.variables, count)


def observe(plan: Plan, command: Sequence[str], ask: Ask) -> tuple[Run, ...]:
    """Runs the program on each path. Raises Unreadable."""
    program = Path(command[0]).resolve().name
    found = []
    for variables in environments(plan):
        given = ["env", *(f"{name}=1" for name in variables), *command]
        with ask() as oracle:
            seen = run(Place(given), program, oracle)
        if not seen.released:
            raise Unreadable("the VM outlived all its holders")
        found.append(Run(variables, seen))
    return tuple(found)
