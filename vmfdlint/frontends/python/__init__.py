"""The Python front-end. In: bytes of Python files. Out: their functions as IR, with all names bound."""

from vmfdlint.frontends.python.editor import open_editor
from vmfdlint.frontends.python.hints import Hints
from vmfdlint.frontends.python.library import Library
from vmfdlint.frontends.python.module import Module
from vmfdlint.frontends.python.read import read
from vmfdlint.frontends.python.select import Selection, select

LANGUAGE = "python"
DEFAULT_VERSION = (3, 13)
NO_FORK_BY_DEFAULT = (3, 14)
"""From this version on multiprocessing makes its workers through a fork server (library reference,
multiprocessing, Contexts and start methods)."""
CLOSE_ON_EXEC_BY_DEFAULT = (3, 4)
"""From this version on what os makes is close-on-exec (PEP 446)."""

__all__ = [
    "CLOSE_ON_EXEC_BY_DEFAULT",
    "DEFAULT_VERSION",
    "LANGUAGE",
    "NO_FORK_BY_DEFAULT",
    "Hints",
    "Library",
    "Module",
    "Selection",
    "open_editor",
    "read",
    "select",
]
