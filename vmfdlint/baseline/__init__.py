"""Known findings, told apart from new ones although lines move and files are renamed; kept in a file."""

from vmfdlint.baseline.entry import Entry, Texts, code_at, entries
from vmfdlint.baseline.file import BaselineError, decoded, encoded
from vmfdlint.baseline.match import Matched, match_known, surely_gone

__all__ = [
    "BaselineError",
    "Entry",
    "Matched",
    "Texts",
    "code_at",
    "decoded",
    "encoded",
    "entries",
    "match_known",
    "surely_gone",
]
