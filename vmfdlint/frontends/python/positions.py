"""Where nodes stand: libcst's lines and code points -> spans in bytes of the file.

In: a parsed module and its source. Out: Spans and byte offsets. A form feed ends no line, a lone CR does for
Python and does not for a Span, so all goes by way of byte offsets.
"""

import re

import libcst as cst
from libcst.metadata import CodeRange, MetadataWrapper, PositionProvider

from vmfdlint.base import SourceText, Span

_LINE_END = re.compile(rb"(?:\r\n|\n|\r|\A)(?:\f+(?=[^\s\f]))?")
"""With the form feeds before code at the start of a line, which libcst does not count."""
_BOM = b"\xef\xbb\xbf"


class Positions:
    """The places of one file's nodes."""

    def __init__(self, tree: cst.Module, source: SourceText) -> None:
        wrapper = MetadataWrapper(tree, unsafe_skip_copy=True)
        self._ranges = wrapper.resolve(PositionProvider)
        self._source = source
        self._encoding = tree.encoding
        start = len(_BOM) if source.data.startswith(_BOM) else 0
        self._starts = [match.end() for match in _LINE_END.finditer(source.data)]
        self._starts[0] = max(start, self._starts[0])
        self._spans: dict[cst.CSTNode, Span] = {}
        self._ascii = source.data.isascii()

    def offsets(self, node: cst.CSTNode) -> tuple[int, int]:
        """Byte offsets of a node, the end exclusive."""
        found = self._ranges[node]
        assert isinstance(found, CodeRange)
        return self._offset(found.start.line, found.start.column), self._offset(
            found.end.line, found.end.column
        )

    def start(self, node: cst.CSTNode) -> int:
        """The byte offset at which a node begins."""
        return self.offsets(node)[0]

    def span(self, node: cst.CSTNode) -> Span:
        """The span of a node."""
        known = self._spans.get(node)
        if known is None:
            known = self._spans[node] = self._source.span(*self.offsets(node))
        return known

    def last_line(self, node: cst.CSTNode) -> Span:
        """What stands on the last line of a node."""
        start, end = self.offsets(node)
        begin = self._source.data.rfind(b"\n", start, end) + 1
        while begin < end and self._source.data[begin : begin + 1].isspace():
            begin += 1
        return self._source.span(max(start, begin), end)

    def _offset(self, line: int, column: int) -> int:
        if line > len(self._starts):
            return len(self._source.data)
        start = self._starts[line - 1]
        if not self._ascii:
            end = self._starts[line] if line < len(self._starts) else len(self._source.data)
            text = self._source.data[start:end].decode(self._encoding, "replace")
            column = len(text[:column].encode(self._encoding, "replace"))
        return min(start + column, len(self._source.data))
