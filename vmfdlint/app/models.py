"""``models``: rows for unknown functions, model files read, models held to a kernel."""

from collections.abc import Sequence
from pathlib import Path

from vmfdlint import __version__
from vmfdlint.app.afresh import models_for, target_of
from vmfdlint.app.analysis import workers_of
from vmfdlint.app.run import EXIT_CLEAN, EXIT_FINDINGS, EXIT_INCOMPLETE, Run, job_run
from vmfdlint.base import SourceText
from vmfdlint.base.location import rules_directory
from vmfdlint.check import suggestions
from vmfdlint.config import ConfigError, Options
from vmfdlint.engine import solve
from vmfdlint.intake import take
from vmfdlint.models import NotAKernel, compare, default_models, load_models, read_kernel
from vmfdlint.report import Context, problem_lines


def models_suggest(options: Options) -> Run:
    """``models suggest``: rows for the unknown functions that are given a holder, as TOML."""
    found = take(options)

    def suggested(sources: tuple[SourceText, ...]) -> str:
        models, _problems = models_for(options)
        rows = list(
            suggestions(solve(sources, models, workers_of(options), target_of(options, found.targets)).solver)
        )
        return "\n".join(rows) if rows else "# Every function that is given a KVM descriptor is known.\n"

    return job_run(suggested, found, options, "models suggest")


def models_check(files: Sequence[str]) -> Run:
    """Reads model files (without any, the ones shipped) the way ``check --models`` does."""
    paths = [Path(file) for file in files] or sorted((rules_directory() / "models").glob("*.toml"))
    _, problems = load_models(paths)
    context = Context(version=__version__)
    if problems:
        return Run(b"", tuple(problem_lines(problems, context)), EXIT_INCOMPLETE)
    return Run(f"{len(paths)} model file{'' if len(paths) == 1 else 's'}: no problem\n".encode())


def models_verify(kernel: str) -> Run:
    """``models verify --kernel DIR``: what a kernel's source says of descriptors, against the models."""
    try:
        read = read_kernel(Path(kernel))
    except NotAKernel as error:
        raise ConfigError(str(error)) from error
    verdicts = compare(read, default_models())
    width = max((len(verdict.request) for verdict in verdicts), default=0)
    lines = [
        f"{'drift' if verdict.drift else 'ok':<5}  {verdict.request:<{width}}  {verdict.text}"
        for verdict in verdicts
    ]
    drift = sum(verdict.drift for verdict in verdicts)
    told = "no drift" if not drift else f"{drift} of them differ from the models"
    version = f"Linux {read.version}" if read.version else "A Linux tree without a version"
    lines += ["", f"{version}: {len(verdicts)} requests that return a descriptor or differ, {told}"]
    return Run(("\n".join(lines) + "\n").encode(), (), EXIT_FINDINGS if drift else EXIT_CLEAN)
