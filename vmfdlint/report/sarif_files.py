"""The files a SARIF log speaks of: addresses, artifacts, regions.

Columns are UTF-16 code units, as consumers count; a Span's bytes are converted.
"""

from collections.abc import Mapping, Sequence
from urllib.parse import quote

from vmfdlint.base import Span
from vmfdlint.finding import Finding
from vmfdlint.report.context import Context

BASE = "%SRCROOT%"
_LONGEST = 4_000
"""Characters of code that a place is shown with: a line of generated code may be as long as a file."""

_MIME: Mapping[str, str] = {"c": "text/x-c", "python": "text/x-python"}

Json = dict[str, object]


class Files:
    """The files of a log, each with an index into ``artifacts``; ``more`` are those of other results."""

    def __init__(self, context: Context, findings: Sequence[Finding], more: Sequence[str] = ()) -> None:
        self.context = context
        self.result_files = {finding.at.path for finding in findings} | set(more)
        steps = {step.at.path for finding in findings for step in finding.trace}
        related = {one.at.path for finding in findings for one in finding.related}
        self.paths = sorted(self.result_files | steps | related)
        self.index = {path: index for index, path in enumerate(self.paths)}
        self._locations: dict[str, Json] = {}

    def location(self, path: str) -> Json:
        """An artifactLocation, relative to the top of the work tree where the file lies in it."""
        if path not in self._locations:
            index: Json = {"index": self.index[path]} if path in self.index else {}
            self._locations[path] = self._address(path) | index
        return self._locations[path]

    def _address(self, path: str) -> Json:
        if path.startswith("/"):
            return {"uri": "file://" + quote(path)}
        return {"uri": quote(self.context.within + path), "uriBaseId": BASE}

    def artifacts(self) -> list[Json]:
        """The artifacts, in the order of their indexes."""
        made = []
        for path in self.paths:
            roles = ["analysisTarget", "resultFile"] if path in self.result_files else ["analysisTarget"]
            one: Json = {"location": self._address(path), "roles": roles}
            language = self.context.languages.get(path)
            if language is not None:
                one |= {"sourceLanguage": language, "mimeType": _MIME.get(language, "text/plain")}
            source = self.context.sources.get(path)
            if source is not None:
                one |= {"length": len(source.data), "hashes": {"sha-256": source.content_hash}}
            made.append(one)
        return made

    def region(self, at: Span) -> Json:
        """A region with its four numbers."""
        return {
            "startLine": at.line,
            "startColumn": self.context.column(at.path, at.line, at.col),
            "endLine": at.end_line,
            "endColumn": self.context.column(at.path, at.end_line, at.end_col),
        }

    def physical(self, at: Span, surroundings: bool = True) -> Json:
        """A place with its text and, where wanted, the lines around it."""
        context = self.context
        region = self.region(at)
        place: Json = {"artifactLocation": self.location(at.path), "region": region}
        text = context.text(at)
        source = context.sources.get(at.path)
        if surroundings and text and len(text) <= _LONGEST and source is not None:
            region["snippet"] = {"text": text}
            first, last = max(1, at.line - 1), min(at.end_line + 1, len(source.line_starts))
            lines = "".join(context.line(at.path, number) + "\n" for number in range(first, last + 1))
            if len(lines) > _LONGEST:
                return place
            place["contextRegion"] = {"startLine": first, "endLine": last, "snippet": {"text": lines}}
        return place

    def root(self) -> Json:
        """What BASE stands for: the top of the work tree, else the directory that was checked."""
        context = self.context
        if not context.root:
            return {"description": {"text": "The directory that was checked."}}
        root = (context.root.rstrip("/") + "/").removesuffix(context.within)
        return {"uri": "file://" + quote(root)}
