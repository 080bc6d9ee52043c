"""A finding and the rows -> the fixes that can be written for it, untried, the best one first."""

from collections.abc import Iterator, Mapping

from vmfdlint.base import SourceText
from vmfdlint.finding import Edit, Finding, Fix, Subject
from vmfdlint.fix.rows import Version, rows
from vmfdlint.frontends.changes import Editor, Spot
from vmfdlint.frontends.editors import open_editor
from vmfdlint.frontends.languages import PYTHON, language_of


class Editors:
    """The editors of the files of a program, each opened once."""

    def __init__(self, sources: Mapping[str, SourceText]) -> None:
        self.sources = sources
        self._open: dict[str, Editor] = {}

    def of(self, path: str) -> Editor:
        """The editor of a file."""
        if path not in self._open:
            source = self.sources[path]
            self._open[path] = open_editor(source, self.sources)
        return self._open[path]


def proposals(finding: Finding, subject: Subject, editors: Editors, python_version: Version) -> Iterator[Fix]:
    """The fixes for a finding. Each changes the file it stands in, and writes
    nothing that the version of Python does not have."""
    source = editors.sources.get(finding.at.path)
    if source is None:
        return
    spot = Spot(finding.at, subject.api, subject.variables)
    language = language_of(source)
    for row in rows().get(language, ()):
        if not row.fits(finding.rule, subject, python_version if language == PYTHON else ()):
            continue
        made = editors.of(source.path).changed(spot, row.change, row.needs)
        if made is not None:
            edits = tuple(Edit(source.span(one.start, one.end), one.text) for one in made.replacements)
            yield Fix(row.title, edits, row.safe and made.plain)
