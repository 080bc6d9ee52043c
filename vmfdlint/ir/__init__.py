"""The contract between languages and engine. In: what a front-end lowers. Out: frozen, printable values.

Five instructions, closed. Nothing here names a language, an API or a rule.
"""

from vmfdlint.ir.compare import holds
from vmfdlint.ir.function import Block, Function, FunctionKey
from vmfdlint.ir.instrs import (
    Assign,
    Assume,
    Call,
    Indirect,
    Instr,
    Member,
    Named,
    Return,
    Target,
    Unparsed,
    Via,
    places,
    places_named,
    places_read,
    reads,
)
from vmfdlint.ir.notation import Notation
from vmfdlint.ir.operands import (
    ELEMENT,
    RAISED,
    THROWN,
    Address,
    Const,
    Field,
    Flags,
    FuncRef,
    Opaque,
    Operand,
    Place,
    Root,
    Step,
    Text,
    key_step,
    step_by,
)
from vmfdlint.ir.rewrite import rewritten
from vmfdlint.ir.text import parse_function, print_function
from vmfdlint.ir.validate import validate

__all__ = [
    "ELEMENT",
    "RAISED",
    "THROWN",
    "Address",
    "Assign",
    "Assume",
    "Block",
    "Call",
    "Const",
    "Field",
    "Flags",
    "FuncRef",
    "Function",
    "FunctionKey",
    "Indirect",
    "Instr",
    "Member",
    "Named",
    "Notation",
    "Opaque",
    "Operand",
    "Place",
    "Return",
    "Root",
    "Step",
    "Target",
    "Text",
    "Unparsed",
    "Via",
    "holds",
    "key_step",
    "parse_function",
    "places",
    "places_named",
    "places_read",
    "print_function",
    "reads",
    "rewritten",
    "step_by",
    "validate",
]
