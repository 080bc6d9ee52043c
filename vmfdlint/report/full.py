"""The report for people: findings with their numbered trace, source lines and who holds the VM when.

::

    helper.c:25:16: VMFD101 [error] fork() while VM descriptor 'vm->vm_fd' is open: ...
      fork-while-vm-live in start_helper
      1. vm.c:40:17 in vm_create: VM descriptor created here
            40 |     vm->vm_fd = kvm_ioctl(vm->kvm_fd, KVM_CREATE_VM, 0);
               |                 ^^^^^^^^^
            VM held by: vm->vm_fd (parent)
      ...
      help: fork before KVM_CREATE_VM
"""

from collections.abc import Iterable, Iterator

from vmfdlint.base import Span
from vmfdlint.finding import Certainty, Finding, Outcome, RuleDoc, Step
from vmfdlint.report.context import Context
from vmfdlint.report.words import closing, heading, paint, place, printable, safe_lines

NAME = "full"
_SHOWN_COLUMNS = 160
_DEEPEST_INDENT = 6


def render(outcome: Outcome, context: Context) -> bytes:
    """Outcome -> UTF-8 text. Findings, with --show-safe the safe sites, then the closing lines."""
    rules = {rule.id: rule for rule in outcome.rules}
    lines: list[str] = []
    for finding in outcome.findings:
        lines += [*_finding(finding, rules.get(finding.rule), context), ""]
    safe = safe_lines(outcome, context)
    lines += [*safe, ""] if safe else []
    lines += closing(outcome, context)
    return "".join(line + "\n" for line in lines).encode("utf-8", "replace")


def merged(reports: Iterable[tuple[str, bytes]]) -> Iterator[bytes]:
    """One after the other: their paths say which tree they are of."""
    return (report for _, report in reports)


def _finding(finding: Finding, rule: RuleDoc | None, context: Context) -> list[str]:
    lines = [heading(finding, context)]
    inside = f" in {finding.function}" if finding.function else ""
    lines.append(printable(f"  {rule.name if rule else finding.rule}{inside}"))
    if finding.certainty is Certainty.MAY or finding.via:
        via = f", via {'; '.join(finding.via)}" if finding.via else ""
        lines.append(printable(f"  certainty: {finding.certainty}{via}"))
    width = len(str(len(finding.trace)))
    holders: tuple[str, ...] = ()
    for number, step in enumerate(finding.trace, 1):
        lines += _step(f"{number:>{width}}", step, context)
        if step.holders and step.holders != holders:
            lines.append(" " * (8 + width) + printable("VM held by: " + "; ".join(step.holders)))
        holders = step.holders or holders
    if not finding.trace:
        lines += _source(finding.at, 8, context)
    for related in finding.related:
        lines.append(f"  see {place(related.at, context)}: {printable(related.text)}")
    if finding.programs:
        programs = ", ".join(context.prefix + path for path in finding.programs)
        lines.append(printable(f"  in program: {programs}"))
    for question in finding.questions:
        lines.append(paint("  review: ", "36", context) + printable(question.text))
        lines += [
            printable(f"    {line}") for line in ("say it in a model file:", *question.row.splitlines())
        ]
    if rule and rule.fix:
        fix = rule.fix_in(context.languages.get(finding.at.path, ""))
        lines.append(paint("  help: ", "36", context) + printable(fix))
    return lines


def _step(number: str, step: Step, context: Context) -> list[str]:
    """The numbered line of one step and its source line, further in the deeper the call."""
    indent = "  " * min(step.depth, _DEEPEST_INDENT)
    child = paint("[child] ", "35", context) if step.child else ""
    inside = f" in {step.function}" if step.function else ""
    where = paint(place(step.at, context), "2", context)
    line = f"  {number}. {indent}{child}{where}{printable(inside)}: {printable(step.text)}"
    return [line, *_source(step.at, 8 + len(number), context)]


def _source(at: Span, indent: int, context: Context) -> list[str]:
    """The line a span starts on with the span marked; nothing where the source is not known."""
    before, part, after = (printable(text).replace("\t", " ") for text in context.marked(at))
    if not (before + part + after).strip():
        return []
    before = before.lstrip()
    if len(before) > _SHOWN_COLUMNS // 2:
        before = "..." + before[-_SHOWN_COLUMNS // 2 :]
    shown = before + part + after
    if len(shown) > _SHOWN_COLUMNS:
        shown = shown[:_SHOWN_COLUMNS] + "..."
    length = max(1, min(len(part.rstrip()), _SHOWN_COLUMNS - len(before)))
    gutter = str(at.line)
    pad = " " * (indent - len(gutter))
    mark = paint("^" * length, "32", context)
    return [f"{pad}{gutter} | {shown.rstrip()}", f"{' ' * indent} | {' ' * len(before)}{mark}"]
