"""Words every room may use. In: nothing. Out: frozen values. Imports only the standard library and
msgspec."""

from vmfdlint.base.limits import LIMITS, Limits
from vmfdlint.base.numbered import number_of, packed, unpacked
from vmfdlint.base.problem import Problem, ProblemKind
from vmfdlint.base.shebang import interpreter
from vmfdlint.base.shift import Shift, in_order
from vmfdlint.base.span import SourceText, Span

__all__ = [
    "LIMITS",
    "Limits",
    "Problem",
    "ProblemKind",
    "Shift",
    "SourceText",
    "Span",
    "in_order",
    "interpreter",
    "number_of",
    "packed",
    "unpacked",
]
