"""One Python file -> its raw module. In: a source. Out: a Module; fails for nothing. For worker processes.

What libcst does not read is read roughly (:mod:`fallback`), and said once, with the line and what to do.
libcst is loaded when a first file is read: that takes as long as a small tree takes to check.
"""

import ast
import sys
import warnings

import msgspec

from vmfdlint.base import LIMITS, Problem, ProblemKind, SourceText
from vmfdlint.frontends.python.decode import Decoded, decode
from vmfdlint.frontends.python.guard import deepest, too_deep
from vmfdlint.frontends.python.module import Module, module_name

_CONSEQUENCE = "read roughly, exceptions not followed"
_RECURSION = 10_000
"""Frames for the reading of one file: enough for the longest chain that :mod:`guard` lets pass. Measured with
CPython 3.11: half of a stack of 8 MB has room for that."""


def read(source: SourceText) -> Module:
    """A file, lowered: its names are still its own."""
    size = len(source.data)
    if size > LIMITS.python_rough_bytes:
        problem = _too_big(source, LIMITS.python_rough_bytes, "not read")
        return _with(Module(source.path, module_name(source.path)), problem)
    if size > LIMITS.python_bytes:
        return _roughly(source, _too_big(source, LIMITS.python_bytes, _CONSEQUENCE))
    decoded = decode(source.data)
    deep = too_deep(decoded.text)
    if deep:
        return _roughly(source, _nested(source, deep))
    try:
        module = _in_full(source, decoded)
    except (RecursionError, MemoryError):
        return _roughly(source, _nested(source, deepest(decoded.text)))
    if module is None:
        return _roughly(source, None, decoded)
    if not decoded.problem:
        return module
    text = f"{decoded.problem}: read as Latin-1; correct the name in the comment"
    return _with(module, _problem(source, text, decoded.line))


def _in_full(source: SourceText, decoded: Decoded) -> Module | None:
    """The module by way of libcst; None where that does not read the file. RecursionError where it is nested
    deeper than the limit that is set for it."""
    import libcst as cst

    from vmfdlint.frontends.python.lower import lower_module

    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, _RECURSION))
    try:
        tree = cst.parse_module(decoded.text, cst.PartialParserConfig(encoding=decoded.encoding))
        return lower_module(tree, source)
    except (cst.ParserSyntaxError, SyntaxError, ValueError):
        return None
    finally:
        sys.setrecursionlimit(before)


def _roughly(source: SourceText, problem: Problem | None, decoded: Decoded | None = None) -> Module:
    from vmfdlint.frontends.python.fallback import rough

    found = rough(source)
    if problem is None and found.python2 and not found.error:
        text = f"is Python 2: {_CONSEQUENCE}; convert it to Python 3, or --exclude it"
        problem = _problem(source, text, found.python2)
    if problem is None:
        problem = _refused(source, decoded.text if decoded is not None else "", found.error)
    return _with(found.module, msgspec.structs.replace(problem, rough=True))


def _refused(source: SourceText, text: str, line: int) -> Problem:
    """Why a text was not read in full, by what Python itself says of it; ``line`` is where it looks
    damaged."""
    try:
        told, at = _syntax_error(text)
    except (RecursionError, MemoryError):
        return _nested(source, deepest(text))
    if not told:
        said = f"is written in a way that is not known here: {_CONSEQUENCE}; write it otherwise"
        return _problem(source, f"{said}, or --exclude the file", line)
    said = f"is not Python 3 ({told}): {_CONSEQUENCE}; correct it, or --exclude the file"
    return _problem(source, said, at or line)


def _nested(source: SourceText, line: int) -> Problem:
    text = f"is nested too deep: {_CONSEQUENCE}; split the expression, or --exclude the file"
    return _problem(source, text, line)


def _syntax_error(text: str) -> tuple[str, int]:
    """What Python itself says of a text, and of which line; its own words are the ones that people know. ""
    where it has nothing to say; RecursionError or MemoryError where the text is nested too deep for it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(text)
    except SyntaxError as error:
        # The line counts every kind of line end; one of a Span counts LF alone.
        lines = text.splitlines(keepends=True)[: max((error.lineno or 1) - 1, 0)]
        return error.msg, "".join(lines).count("\n") + 1
    except ValueError as error:
        return str(error), 0
    return "", 0


def _too_big(source: SourceText, limit: int, consequence: str) -> Problem:
    text = f"is {len(source.data) / 1e6:.1f} MB, more than {limit / 1e6:.0f} MB of Python: {consequence}"
    return Problem(ProblemKind.LIMIT, f"{text}; split it, or --exclude it", source.path, rough=True)


def _problem(source: SourceText, text: str, line: int) -> Problem:
    """A problem at a line, which is its own span; line 0 for none."""
    if not line:
        return Problem(ProblemKind.PARSE, text, source.path)
    starts = source.line_starts
    start = starts[min(line, len(starts)) - 1]
    end = starts[line] if line < len(starts) else len(source.data)
    return Problem(ProblemKind.PARSE, text, source.path, source.span(start, end))


def _with(module: Module, problem: Problem) -> Module:
    """A module with one problem: the others follow from that."""
    return msgspec.structs.replace(module, problems=(problem,))
