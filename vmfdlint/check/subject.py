"""What a finding is about, in words that a change of the source can use: the call, the variables."""

from collections.abc import Iterable, Iterator, Sequence

from vmfdlint.base import Span
from vmfdlint.finding import Finding, Role, Subject
from vmfdlint.ir import Call, Function, FunctionKey, Named, Return
from vmfdlint.solve import Fact, Solver, crosses
from vmfdlint.summary import is_cell, is_global, is_temporary


def subjects(solver: Solver, findings: Iterable[Finding]) -> dict[tuple[str, Span], Subject]:
    """Rule and place of each finding -> what it is about; findings without code to change are not in it."""
    found = {}
    for finding in findings:
        function = solver.program.function(FunctionKey(finding.at.path, finding.function))
        if function is not None:
            found[finding.rule, finding.at] = Subject(
                _api(function, finding.at), *_lost(solver, function, finding)
            )
    return found


def _api(function: Function, at: Span) -> str:
    """The name of the call at a place, if no macro makes it. What a language does with its result comes
    behind it, at the same place."""
    for instr in function.instrs:
        if isinstance(instr, Call) and instr.at == at:
            return instr.target.name if isinstance(instr.target, Named) and not instr.via.macro else ""
    return ""


def _lost(solver: Solver, function: Function, finding: Finding) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The references that are open where a function is left at the place of a finding."""
    created = {step.at for step in finding.trace if step.role is Role.CREATE}
    created |= {related.at for related in finding.related}
    held: dict[Span, set[str]] = {}
    apis: dict[Span, str] = {}
    for fact in _leaving(solver, function, finding.at):
        made = fact.object
        if made is None or made.at not in created or not fact.is_open or not made.holds_vm or fact.in_child:
            continue
        names = [path for path in fact.places if not is_temporary(path)]
        if made.is_mapping or made.self_closing or made.many or not _plain(names):
            return (), ()
        held.setdefault(made.at, set()).add(names[0][0])
        apis[made.at] = made.api
    if any(len(names) != 1 for names in held.values()):
        return (), ()
    order = sorted(held, reverse=True)
    return tuple(apis[at] for at in order), tuple(held[at].copy().pop() for at in order)


def _plain(names: Sequence[tuple[str, ...]]) -> bool:
    """Whether one local variable, and nothing else, holds a reference."""
    if len(names) != 1 or len(names[0]) != 1:
        return False
    path = names[0]
    return path[0].isidentifier() and not is_cell(path) and not is_global(path) and not crosses(path)


def _leaving(solver: Solver, function: Function, at: Span) -> Iterator[Fact]:
    """The facts at a return, or at the end of the block that a goto ends."""
    for number, block in enumerate(function.blocks):
        indices = [n for n, instr in enumerate(block.instrs) if isinstance(instr, Return) and instr.at == at]
        if block.jump == at:
            indices.append(len(block.instrs))
        for index in indices:
            yield from solver.tabulation.at.get((function.key, number, index), {})
