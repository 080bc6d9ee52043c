"""The C front-end. In: bytes of C files. Out: scans, and units that give functions in the IR."""

from vmfdlint.frontends.c.aliases import aliases
from vmfdlint.frontends.c.edit import open_editor
from vmfdlint.frontends.c.outside import seen_by_others
from vmfdlint.frontends.c.scan import scan
from vmfdlint.frontends.c.unit import open_unit

LANGUAGE = "c"
SUFFIXES = (".c", ".h", ".c.inc", ".h.inc")

__all__ = ["LANGUAGE", "SUFFIXES", "aliases", "open_editor", "open_unit", "scan", "seen_by_others"]
