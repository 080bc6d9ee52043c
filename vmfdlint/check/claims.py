"""Claims of comments that a holder is meant to live for a time, held to what the solver knows.

In: a solved program, claims, findings. Out: for each claim whether it is true, and the findings it speaks of.
"""

from collections.abc import Sequence

from vmfdlint.check.ledger import ledger
from vmfdlint.finding import Claim, Claimed, Finding, Role
from vmfdlint.held import Holder, Party
from vmfdlint.ir import Call, FunctionKey, Return
from vmfdlint.models import Exit
from vmfdlint.solve import Fact, Happening, Solver

EXIT = "exit"
"""The time until the process ends; any other is the name of the function that releases the holder."""


def judged_claims(
    solver: Solver, claims: Sequence[Claim], findings: Sequence[Finding]
) -> tuple[Claimed, ...]:
    """Each claim with its verdict, in their order."""
    return tuple(_judged(solver, claim, findings) for claim in claims)


def _judged(solver: Solver, claim: Claim, findings: Sequence[Finding]) -> Claimed:
    path = claim.at.path
    lines = range(claim.first, claim.last + 1)
    held = [one for line in lines for one in ledger(solver, path, line).holders if one.party is Party.SELF]
    named = [one for one in held if claim.holder.replace("->", ".") in map(_dotted, one.places)]
    if not named:
        others = sorted({place for one in held for place in one.places[:1]})
        hint = f"; held are {', '.join(others)}" if others else ""
        return Claimed(claim, f"{claim.holder} holds no VM here{hint}")
    ends = [_wrong(solver, claim.until, one) for one in named]
    if all(ends):
        return Claimed(claim, f"{claim.holder} {ends[0]}")
    made = {one.made for one in named}
    meant = (
        (one.at, one.rule)
        for one in findings
        if one.at.path == path
        and one.at.line <= claim.last
        and claim.first <= one.at.end_line
        and (one.at in made or any(step.role is Role.CREATE and step.at in made for step in one.trace))
    )
    return Claimed(claim, "", tuple(meant))


def _dotted(place: str) -> str:
    return place.replace("->", ".")


def _wrong(solver: Solver, until: str, holder: Holder) -> str:
    """Why a holder does not live so long; "" where it may."""
    released = [
        seen
        for seen in solver.observations
        if seen.what is Happening.CLOSE and _is(seen.fact, holder) and not seen.fact.in_child
    ]
    if until != EXIT:
        below = any(until in (key.name, key.name.rpartition(".")[2]) for key in _releasing(solver, holder))
        return "" if below else f"is not released by {until}()"
    if not released or any(_is(fact, holder) and not fact.in_child for fact in _at_exit(solver)):
        return ""
    first = min(seen.at for seen in released)
    return f"is released before the process exits, at {first}"


def _is(fact: Fact, holder: Holder) -> bool:
    made = fact.object
    return made is not None and made.at == holder.made and fact.is_open and not made.creator


def _releasing(solver: Solver, holder: Holder) -> set[FunctionKey]:
    """The functions in which a holder is released, or that call one in which it is."""
    found: set[FunctionKey] = set()
    todo = [
        seen.node.context
        for seen in solver.observations
        if seen.what is Happening.CLOSE and _is(seen.fact, holder)
    ]
    seen_contexts: set[int] = set()
    while todo:
        number = todo.pop()
        if number in seen_contexts:
            continue
        seen_contexts.add(number)
        found.add(solver.tabulation.contexts[number].key)
        todo += [one.node.context for one in solver.tabulation.incoming.get(number, ())]
    return found


def _at_exit(solver: Solver) -> list[Fact]:
    """What is known where the process ends: at the returns of a main, at calls that end it."""
    found: list[Fact] = []
    for (key, block, index), facts in solver.tabulation.at.items():
        flow = solver.behaviour.flow(key)
        instrs = flow.function.blocks[block].instrs if flow is not None else ()
        if index >= len(instrs):
            continue
        instr = instrs[index]
        if isinstance(instr, Return):
            ends = solver.program.is_entry(key)
        elif isinstance(instr, Call):
            modelled = solver.behaviour.modelled(key, instr)
            ends = modelled is not None and any(isinstance(one, Exit) for one in modelled.effects)
        else:
            ends = False
        if ends:
            found += facts
    return found
