"""The open documents: their texts, what was last seen in each, and where that stands now."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec
from lsprotocol.types import Range
from pygls.uris import from_fs_path, to_fs_path
from pygls.workspace import TextDocument, Workspace

from vmfdlint.app import Remark
from vmfdlint.base import SourceText, Span
from vmfdlint.server.texts import Text, moved

_SUFFIXES = (".c", ".h", ".inc", ".py", ".pyi", ".pyw")
_LANGUAGES = ("c", "python")


class Known(msgspec.Struct, frozen=True):
    """What was seen in a document when its text was ``data``; ``sources`` are the files it speaks of."""

    data: bytes
    remarks: tuple[Remark, ...]
    sources: Mapping[str, SourceText]


class Document:
    """One open document as it is now."""

    def __init__(self, found: TextDocument, path: str, encoding: str) -> None:
        self.uri = found.uri
        self.version = found.version
        self.path = path
        self.encoding = encoding
        self.data = data_of(found)
        self.text = Text(self.data, encoding)

    @property
    def source(self) -> SourceText:
        """The text by its path: the language hangs on it."""
        return SourceText(self.path, self.data)

    def placed(self, known: Known) -> Iterator[tuple[Remark, Span, Range]]:
        """What was seen, with the span and the range where it stands now; without what stood where the text
        changed since."""
        place = moved(known.data, self.data)
        before = SourceText(self.path, known.data)
        for remark in known.remarks:
            now = place(*before.offsets(remark.at))
            if now is not None:
                at = self.source.span(*now)
                yield remark, at, self.text.range(at)


def data_of(found: TextDocument) -> bytes:
    """The text of a document as it would be saved; half a surrogate pair cannot be."""
    return found.source.encode("utf-8", "replace")


def path_of(uri: str) -> str | None:
    """The absolute path of a document, None where it is no file."""
    path = to_fs_path(uri)
    return os.path.normpath(path) if path else None


def uri_of(path: str) -> str:
    """The address of a file."""
    return from_fs_path(path) or ""


def folders(workspace: Workspace) -> list[str]:
    """The directories of the workspace."""
    roots = [folder.uri for folder in workspace.folders.values()] or [workspace.root_uri]
    return [path for uri in roots if uri and (path := path_of(uri))]


def place_of(path: str, language: str | None, inside: list[str]) -> str | None:
    """What is analysed for a source: the innermost folder around it, else, if it is on disk, the file alone;
    None for what is no source."""
    if language not in _LANGUAGES and not path.lower().endswith(_SUFFIXES):
        return None
    around = [folder for folder in inside if Path(path).is_relative_to(folder)]
    if around:
        return max(around, key=len)
    return path if os.path.isfile(path) else None  # noqa: PTH113 - Path raises where it may not look
