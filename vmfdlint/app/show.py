"""``show``: what the engine sees, as text."""

import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from vmfdlint.app.afresh import models_for, notices, target_of
from vmfdlint.app.analysis import workers_of
from vmfdlint.app.run import Run, job_run, text_run
from vmfdlint.base import SourceText
from vmfdlint.check import flow_text
from vmfdlint.config import ConfigError, Options
from vmfdlint.engine import load_program, solve
from vmfdlint.intake import take
from vmfdlint.ir import FunctionKey, print_function


def flow(options: Options) -> Run:
    """``show flow``: discover -> the engine's picture of every descriptor."""
    found = take(options)
    return job_run(lambda sources: show_flow(sources, options, found.targets), found, options, "show flow")


def ir(options: Options, target: str) -> Run:
    """``show ir FILE::FUNC``. Raises ConfigError where there is no such function."""
    path, colons, function = target.rpartition("::")
    if not colons or not path or not function:
        raise ConfigError(f"{target!r} is not FILE::FUNCTION, as in accel/kvm/kvm-all.c::kvm_init")
    found = take(msgspec.structs.replace(options, paths=(path, *options.paths)))
    absolute = Path(os.path.normpath(Path.cwd() / path))
    shown = absolute.relative_to(found.root).as_posix() if absolute.is_relative_to(found.root) else path
    return text_run(show_ir(found.files, options, shown, function), found)


def show_flow(
    sources: tuple[SourceText, ...],
    options: Options,
    built: Mapping[str, tuple[str, ...]] | None = None,
) -> str:
    """Sources, and what they are built into -> where each descriptor is created, goes and rests, as text."""
    models, _problems = models_for(options)
    solver = solve(sources, models, workers_of(options), target_of(options, built)).solver
    return flow_text(solver) or "".join(f"{notice}\n" for notice in notices(solver, ()))


def show_ir(sources: tuple[SourceText, ...], options: Options, path: str, function: str) -> str:
    """The IR of ``function`` in the file ``path`` as text. Raises ConfigError where there is none."""
    models, _problems = models_for(options)
    program = load_program(sources, models, workers_of(options), target_of(options, None))
    found = program.function(FunctionKey(path, function)) if path in program.lexicon.sources else None
    if found is None:
        raise ConfigError(f"no function {function!r} in {path}")
    return print_function(found)
