"""What was seen in a document -> diagnostics, where it stands now."""

from collections.abc import Iterator, Mapping

from lsprotocol.types import (
    CodeDescription,
    Diagnostic,
    DiagnosticRelatedInformation,
    DiagnosticSeverity,
    Location,
    Range,
)

from vmfdlint.app import Remark
from vmfdlint.base import Span
from vmfdlint.server.documents import Document, Known, uri_of
from vmfdlint.server.texts import Text, moved

SOURCE = "vmfdlint"
_SEVERITIES: Mapping[str, DiagnosticSeverity] = {
    "error": DiagnosticSeverity.Error,
    "warning": DiagnosticSeverity.Warning,
    "note": DiagnosticSeverity.Information,
}


def diagnostics(document: Document, known: Known) -> list[Diagnostic]:
    """The diagnostics of a document."""
    places = _Places(document, known)
    return [diagnostic(remark, at, places) for remark, _, at in document.placed(known)]


def diagnostic(remark: Remark, at: Range, places: "_Places") -> Diagnostic:
    """One finding, with the places that lead to it."""
    return Diagnostic(
        range=at,
        severity=_SEVERITIES[remark.level],
        code=remark.rule,
        code_description=CodeDescription(remark.page) if remark.page else None,
        source=SOURCE,
        message=remark.message,
        related_information=[
            DiagnosticRelatedInformation(location, text)
            for span, text in remark.steps
            for location in places.of(span)
        ],
    )


class _Places:
    """Places in the document and in the other files that its findings speak of."""

    def __init__(self, document: Document, known: Known) -> None:
        self._document = document
        self._known = known
        self._moved = moved(known.data, document.data)
        self._texts: dict[str, Text] = {}

    def of(self, at: Span) -> Iterator[Location]:
        """The place, or none where it changed since or the file is not known."""
        source = self._known.sources.get(at.path)
        if source is None:
            return
        if at.path != self._document.path:
            text = self._texts.setdefault(at.path, Text(source.data, self._document.encoding))
            yield Location(uri_of(at.path), text.range(at))
            return
        now = self._moved(*source.offsets(at))
        if now is not None:
            start, end = map(self._document.text.position, now)
            yield Location(self._document.uri, Range(start, end))
