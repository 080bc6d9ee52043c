"""The editor of a Python file. libcst is loaded when a first one is opened."""

from collections.abc import Mapping

from vmfdlint.base import LIMITS, SourceText
from vmfdlint.frontends.changes import Change, Changed, Editor, Spot
from vmfdlint.frontends.python.decode import decode
from vmfdlint.frontends.python.guard import too_deep


class _Closed:
    """A file that cannot be read in full: nothing is changed in it."""

    unread = 1

    def changed(self, spot: Spot, change: Change, needs: tuple[str, ...] = ()) -> Changed | None:
        """None."""
        return None


def open_editor(source: SourceText, _sources: Mapping[str, SourceText]) -> Editor:
    """One Python file of the program, to be changed."""
    if len(source.data) > LIMITS.python_bytes:
        return _Closed()
    decoded = decode(source.data)
    if decoded.problem or too_deep(decoded.text):
        return _Closed()

    import libcst as cst

    from vmfdlint.frontends.python.edit import PythonEditor

    try:
        tree = cst.parse_module(decoded.text, cst.PartialParserConfig(encoding=decoded.encoding))
    except (cst.ParserSyntaxError, SyntaxError, ValueError, RecursionError, MemoryError):
        return _Closed()
    return PythonEditor(source, tree)
