"""What a fact knows of an exception: whether one is on its way, and what it is.

In: a fact before an instruction that names one of the two. Out: the fact behind it.
"""

from vmfdlint.ir import Assign, Assume, Const
from vmfdlint.solve.facts import Fact
from vmfdlint.solve.values import RAISING, Value, may_hold
from vmfdlint.summary import EXCEPTION, KIND, Path, takes


def assigned(fact: Fact, path: Path, instr: Assign) -> Fact:
    """The fact behind ``raise``, and behind where an exception is handled."""
    raising = isinstance(instr.src, Const) and instr.src.value != 0
    if path == EXCEPTION:
        return fact.knowing(EXCEPTION, RAISING if raising else None)
    return fact.knowing(KIND, instr.src if raising and not fact.is_zero else None)  # type: ignore[arg-type]


def assumed(fact: Fact, path: Path, instr: Assume) -> Fact | None:
    """The fact on one of the two ways behind a call, or on the way to a handler; None where it does not go
    there."""
    if path == EXCEPTION:
        return _goes_on(fact, instr)
    return fact if fact.is_zero or takes(_names(fact.lookup(KIND)), instr) else None


def ending(fact: Fact) -> Value | None:
    """What EXCEPTION is for the caller of a function that returns with a fact; None where it ends by none."""
    if not fact.raised:
        return None
    kind = fact.lookup(KIND)
    return RAISING if kind is None else kind


def _goes_on(fact: Fact, instr: Assume) -> Fact | None:
    """The fact behind a call, which raised or did not; which one it was says the next call anew. What a call
    of the program raised has its names."""
    known = fact.lookup(EXCEPTION)
    if known is not None and isinstance(instr.right, Const) and not may_hold(known, instr.op, instr.right):
        return None
    fact = fact.knowing(EXCEPTION, None)
    if instr.op != "!=" or fact.is_zero:
        return fact
    return fact.knowing(KIND, known if _names(known) else None)


def _names(value: Value | None) -> tuple[str, ...]:
    return value.names if isinstance(value, Const) else ()
