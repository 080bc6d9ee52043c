"""An Index over files held in memory, and a Program of them, for tests of the C front-end and of link."""

from collections.abc import Mapping

from vmfdlint.base import SourceText, number_of, unpacked
from vmfdlint.frontends.c import open_unit, scan
from vmfdlint.frontends.contract import Index, Scan
from vmfdlint.link import Lexicon, Program


class MemoryIndex:
    """Paths -> bytes. The file itself comes first, then the others by path."""

    def __init__(self, files: dict[str, str]) -> None:
        self.files = {path: text.encode() for path, text in files.items()}
        self.scans: dict[str, Scan] = {path: scan(data) for path, data in self.files.items()}

    def defining(self, kind: str, name: str, near: str) -> tuple[str, ...]:
        number = number_of(name)
        paths = [path for path, each in self.scans.items() if number in unpacked(getattr(each, kind))]
        return tuple(sorted(paths, key=lambda path: (path != near, path)))

    def source(self, path: str) -> SourceText:
        return SourceText(path, self.files[path])


def index_of(files: dict[str, str]) -> Index:
    """A MemoryIndex, checked against the protocol."""
    return MemoryIndex(files)


def program(files: Mapping[str, str]) -> Program:
    """Paths -> texts as a program."""
    sources = {path: SourceText(path, text.encode()) for path, text in files.items()}
    return Program(Lexicon(sources, {path: scan(one.data) for path, one in sources.items()}), open_unit)
