"""Known findings, told apart from new ones although lines move and files are renamed; kept in a file."""

from vmfdlint.baseline.entry import Entry, Texts, entries
from vmfdlint.baseline.file import BaselineError, decoded, encoded
from vmfdlint.baseline.match import Matched, match_known

__all__ = ["BaselineError", "Entry", "Matched", "Texts", "decoded", "encoded", "entries", "match_known"]
