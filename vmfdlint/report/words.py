"""Lines for people that more than one format prints: places, counts, the closing line, the problems."""

import unicodedata
from collections.abc import Sequence

from vmfdlint.base import Problem, ProblemKind, Span
from vmfdlint.finding import Finding, Level, Outcome
from vmfdlint.report.context import Context

FATAL = frozenset({ProblemKind.IO, ProblemKind.CONFIG, ProblemKind.CRASH})
"""Kinds that mean "could not do it all": exit code 2."""

_LEVEL_COLORS = {Level.ERROR: "31", Level.WARNING: "33", Level.NOTE: "36"}


def printable(text: str) -> str:
    """Scanned text made safe for a terminal: control and bidirectional characters show as their escapes."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        c if c == "\t" or unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Zl", "Zp") else repr(c)[1:-1]
        for c in text
    )


def paint(text: str, code: str, context: Context) -> str:
    """``text`` in a colour (SGR parameters) where the context wants colours."""
    return f"\x1b[{code}m{text}\x1b[0m" if context.color and text else text


def place(at: Span, context: Context) -> str:
    """``path:line:col`` as a person can open it."""
    return printable(f"{context.prefix}{at.path}:{at.line}:{at.col}")


def heading(finding: Finding, context: Context) -> str:
    """``path:line:col: VMFD101 [error] message``."""
    return f"{paint(place(finding.at, context), '1', context)}: {leveled(finding, context)}"


def leveled(finding: Finding, context: Context) -> str:
    """``VMFD101 [error] message``."""
    level = paint(f"[{finding.level}]", _LEVEL_COLORS[finding.level], context)
    return f"{finding.rule} {level} {printable(finding.message)}"


def safe_lines(outcome: Outcome, context: Context) -> list[str]:
    """With --show-safe ``path:line:col: safe fork in start: reason`` for every site that was judged safe."""
    return [
        f"{place(one.at, context)}: safe {one.act}"
        + printable(f" in {one.function}: {one.text}" if one.function else f": {one.text}")
        for one in (outcome.safe if context.show_safe else ())
    ]


def count(number: int, noun: str, plural: str = "") -> str:
    """``1 file``, ``6,442 files``."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def closing(outcome: Outcome, context: Context) -> list[str]:
    """The last lines of a run: the notices that explain silence, then what was done."""
    if context.quiet:
        return statistics(outcome) if context.statistics else []
    done = outcome.statistics
    lines = [printable(notice) for notice in outcome.notices]
    if done.cpp_files:
        lines.append(f".cc/.cpp files not analysed: {done.cpp_files:,} (C and Python are read)")
    if context.statistics:
        lines.extend(statistics(outcome))
    partly = f" ({done.partly_parsed:,} partly parsed)" if done.partly_parsed else ""
    found = count(len(outcome.findings), "finding")
    if outcome.left_out:
        found += f" ({', '.join(f'{left.count:,} {left.why}' for left in outcome.left_out)})"
    if outcome.early:
        lines.append(f"Followed what changed in {count(done.files, 'file')}{partly}: {found}")
        return lines
    functions = count(done.descriptor_functions, "function")
    touch = "touches" if done.descriptor_functions == 1 else "touch"
    lines.append(
        f"Checked {count(done.files, 'file')}{partly}, {functions} that {touch} VM descriptors"
        f" in {count(done.programs, 'program')}: {found}"
    )
    return lines


def statistics(outcome: Outcome) -> list[str]:
    """What --statistics adds: findings per rule, counts, seconds per room."""
    done = outcome.statistics
    per_rule: dict[str, int] = {}
    for finding in outcome.findings:
        per_rule[finding.rule] = per_rule.get(finding.rule, 0) + 1
    names = {rule.id: rule.name for rule in outcome.rules}
    lines = [f"{per_rule[rule]:>9,}  {rule} {names.get(rule, '')}".rstrip() for rule in sorted(per_rule)]
    counts = [("functions", done.functions), ("descriptors followed", done.objects)]
    if done.unreached_files is not None:
        counts.append(("files no root reaches", done.unreached_files))
    lines += [f"{number:>9,}  {what}" for what, number in counts]
    if done.descriptor_bytes:
        share = 100 * done.unread_left / done.descriptor_bytes
        lines.append(
            f"{done.unread_left:>9,}  bytes unread of the {done.descriptor_bytes:,} in functions that touch "
            f"descriptors ({share:.2f} %); {done.unread_raw:,} before the pre-pass"
        )
    kinds = [problem.kind for problem in outcome.problems]
    lines += [f"{kinds.count(kind):>9,}  {kind} problems" for kind in ProblemKind if kind in kinds]
    return lines + [f"{seconds:>9.2f}  s {room}" for room, seconds in done.seconds]


def problem_lines(problems: Sequence[Problem], context: Context) -> list[str]:
    """Problems as lines: those that end the run with exit code 2, files that were read roughly unless all is
    to be quiet, and with -v the others."""
    lines = []
    for problem in problems:
        told = context.verbose or (problem.rough and not context.quiet)
        if problem.kind not in FATAL and not told:
            continue
        named = problem.path and problem.text.startswith((f"{problem.path}:", f"{problem.path} "))
        where = place(problem.at, context) if problem.at and not named else ""
        if not where and problem.path and not named:
            outside = problem.path.startswith("/")
            where = printable(problem.path if outside else context.prefix + problem.path)
        word = paint("error", "31", context) if problem.kind in FATAL else str(problem.kind)
        lines.append(f"{word}: {where + ': ' if where else ''}{printable(problem.text)}")
    return lines
