"""What the methods of lists, sets and dictionaries do to their elements, as assignments.

In: a call of a method whose receiver is no object of a class of the program. Out: the instructions that stand
for it beside the call itself.
"""

from vmfdlint.base import Span
from vmfdlint.ir import ELEMENT, Assign, Call, Const, Field, Instr, Named, Operand, Place, key_step

TAKEN = "python.taken"
"""What was read out of a collection is no longer in it: ``python.taken(coll->[])``."""
INSERTS = frozenset({"append", "add", "appendleft", "insert", "put", "put_nowait", "push"})
MERGES = frozenset({"extend", "update", "extendleft"})
TAKES = frozenset({"pop", "popleft", "popitem"})
_READS = frozenset({"get", "setdefault", "get_nowait", "__getitem__"})
_VIEWS = frozenset({"values", "copy", "keys"})
METHODS = INSERTS | MERGES | TAKES | _READS | _VIEWS
"""Names of methods that this module speaks of."""
_VALUE = Field("[1]", "", True)
"""Of the pair that ``popitem`` gives: the key comes first."""


def expanded(method: str, base: Place, args: tuple[Operand, ...], dst: Place | None, at: Span) -> list[Instr]:
    """What a method of a collection does; [] for a method of no interest."""
    if method in INSERTS and args:
        return [Assign(base.step(ELEMENT), args[-1], at)]
    if method in MERGES and args and isinstance(args[0], Place):
        return [Assign(base.step(ELEMENT), args[0].step(ELEMENT), at)]
    found: list[Instr] = []
    if method == "setdefault" and len(args) > 1:
        found.append(Assign(base.step(ELEMENT), args[1], at))
    if method in _VIEWS and dst is not None:
        found.append(Assign(dst, base, at))
    if method in TAKES | _READS:
        keyed = bool(args) and method not in ("popleft", "popitem")
        element = base.step(Field(step_of(args[0]), "", True) if keyed else ELEMENT)
        if dst is not None:
            found.append(Assign(dst.step(_VALUE) if method == "popitem" else dst, element, at))
        if method in TAKES:
            found.append(Call(None, Named(TAKEN), (element,), at))
    return found


def step_of(key: Operand) -> str:
    """The step that a key or an index means."""
    if isinstance(key, Const) and key.value is not None and key.value >= 0:
        return f"[{key.value}]"
    return key_step(key)
