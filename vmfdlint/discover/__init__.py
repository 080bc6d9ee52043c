"""Sources on disk. In: paths and what to leave out. Out: SourceTexts. The room that reads scanned files."""

from vmfdlint.discover.files import C_SUFFIXES, CPP_SUFFIXES, Discovery, Search, discover

__all__ = ["CPP_SUFFIXES", "C_SUFFIXES", "Discovery", "Search", "discover"]
