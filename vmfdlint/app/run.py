"""What a command comes to: bytes to print, lines for the error stream, files, an exit code."""

from collections.abc import Callable

import msgspec

from vmfdlint import __version__
from vmfdlint.base import SourceText
from vmfdlint.config import Options
from vmfdlint.discover import Discovery
from vmfdlint.intake import prefix
from vmfdlint.report import FATAL, Context, problem_lines
from vmfdlint.run import Crash, run_one

EXIT_CLEAN, EXIT_FINDINGS, EXIT_INCOMPLETE = 0, 1, 2


class Written(msgspec.Struct, frozen=True):
    """Bytes for a file, in the place of what it holds or behind it."""

    path: str
    data: bytes
    append: bool = False


class Run(msgspec.Struct, frozen=True):
    """What a command comes to: ``report`` for the output, ``messages`` for the error stream, exit code.

    ``fixed`` counts the findings that ``files`` remove: once these are written, it is to be checked again."""

    report: bytes
    messages: tuple[str, ...] = ()
    exit_code: int = EXIT_CLEAN
    files: tuple[Written, ...] = ()
    fixed: int = 0


class Surroundings(msgspec.Struct, frozen=True, kw_only=True):
    """What a check knows of its caller: the command line, whether the output takes colours, what the standard
    input holds where it was asked for, the file that GitHub shows as summary of a step, if any, and how many
    findings were fixed before, round by round."""

    command: str = ""
    color: bool = False
    stdin: bytes | None = None
    step_summary: str = ""
    fixed: tuple[int, ...] = ()


def again(seen: Surroundings, done: Run) -> Surroundings:
    """What the next check knows, once the files of a check that fixes something are written."""
    return msgspec.structs.replace(seen, fixed=(*seen.fixed, done.fixed))


def silent(_text: str) -> None:
    """Nobody listens."""


def job_run(
    job: Callable[[tuple[SourceText, ...]], str], found: Discovery, options: Options, name: str
) -> Run:
    """The text that a job makes of the sources; a crash of it ends with exit code 2."""
    result = run_one(job, found.files, name)
    if isinstance(result, Crash):
        return Run(b"", (f"error: {crashed(result, options)}",), EXIT_INCOMPLETE)
    return text_run(result.value, found)


def text_run(text: str, found: Discovery) -> Run:
    """A text for the output, and what could not be read."""
    context = Context(version=__version__, prefix=prefix(found.root))
    messages = problem_lines(found.problems, context)
    failed = any(problem.kind in FATAL for problem in found.problems)
    return Run(text.encode("utf-8", "replace"), tuple(messages), EXIT_INCOMPLETE if failed else EXIT_CLEAN)


def crashed(crash: Crash, options: Options) -> str:
    """What is said of a crash; with -v where it was."""
    text = f"vmfdlint crashed in {crash.item}: {crash.text}; please report this, with the output of -v"
    return text + "\n" + crash.trace if options.verbose else text
