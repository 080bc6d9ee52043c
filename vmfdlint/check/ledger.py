"""Who holds the VM while a line runs: the question of ``vmfdlint why``.

In: a solved program, a line of one of its files. Out: a Ledger.
"""

from vmfdlint.check.account import Account
from vmfdlint.check.flow import callers_above
from vmfdlint.check.point import points, reached
from vmfdlint.held import Ledger, Verdict
from vmfdlint.ir import FunctionKey
from vmfdlint.link import FILE
from vmfdlint.solve import Solver


def ledger(solver: Solver, path: str, line: int) -> Ledger:
    """The holders on a line."""
    here = points(solver, path, line)
    if not here:
        source = solver.program.lexicon.source(path)
        inside = solver.program.within(path, source.line_starts[line - 1])
        return Ledger(path, line, Verdict.NO_CODE, function="" if inside.name == FILE else inside.name)
    key, at = here[0].key, here[0].at
    if _uncalled(solver, key):
        return Ledger(path, line, Verdict.UNREACHED, at, key.name, notes=(f"nothing calls {key.name}()",))
    coming = tuple(point for point in here if reached(solver, point))
    if not coming:
        return Ledger(path, line, Verdict.UNREACHED, at, key.name)
    account = Account(solver, coming)
    holders = account.holders()
    callers, notes = _callers(solver, key)
    verdict = Verdict.HELD if holders else Verdict.FREE
    return Ledger(path, line, verdict, at, key.name, callers, holders, (*notes, *account.notes))


def _callers(solver: Solver, key: FunctionKey) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The functions above a function, and what is not known of them."""
    links = callers_above(solver, key)
    top = links[-1].caller if links else key
    names = tuple(f"{link.caller.name} ({link.caller.path}:{link.at.line})" for link in reversed(links))
    if solver.program.is_entry(top) or solver.graph.callers(top):
        return names, ()
    return names, (f"no call of {top.name}() is in these files: what its callers hold is not known",)


def _uncalled(solver: Solver, key: FunctionKey) -> bool:
    """Whether a function is visible in its file alone, and nothing there calls it or takes its address."""
    program = solver.program
    attributes = program.attributes(key)
    if program.bound(key.path) is not None or program.is_entry(key) or solver.models.is_root(key.name):
        return False
    hidden = "static" in attributes and not key.path.endswith(".h")
    runs_itself = {"constructor", "destructor"} & set(attributes)
    return hidden and not runs_itself and not any(solver.graph.named_by(key))
