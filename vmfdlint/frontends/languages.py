"""Which front-end reads a file."""

from vmfdlint.base import SourceText, interpreter

C = "c"
PYTHON = "python"

PYTHON_SUFFIXES = (".py", ".pyi", ".pyw")
PYTHON_INTERPRETERS = ("python", "pythonw", "platform-python", "pypy", "uv")
C_SUFFIXES = (".c", ".h", ".inc")


def language_of(source: SourceText) -> str:
    """``python`` or ``c``: by suffix, else by the program in the first line, else C.

    The user may give a file of any name, and a suffix that says nothing (``check.in``) is as good as none.
    """
    path = source.path.lower()
    if path.endswith(PYTHON_SUFFIXES):
        return PYTHON
    if path.endswith(C_SUFFIXES):
        return C
    return PYTHON if interpreter(source.data) in PYTHON_INTERPRETERS else C
