"""Sources on disk. In: paths and what to leave out. Out: SourceTexts. The room that reads scanned files."""

from vmfdlint.discover.files import (
    C_SUFFIXES,
    CPP_SUFFIXES,
    PYTHON_INTERPRETERS,
    PYTHON_SUFFIXES,
    Discovery,
    Search,
    discover,
)

__all__ = [
    "CPP_SUFFIXES",
    "C_SUFFIXES",
    "PYTHON_INTERPRETERS",
    "PYTHON_SUFFIXES",
    "Discovery",
    "Search",
    "discover",
]
