"""What a format may know beside the Outcome: sources, the tool, the invocation. Nothing is looked up."""

from collections.abc import Mapping

import msgspec

from vmfdlint.base import SourceText, Span


class Checkout(msgspec.Struct, frozen=True):
    """What is checked out: the address of the repository, the commit, the branch if any."""

    repository: str
    revision: str
    branch: str = ""


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """The surroundings of one report.

    ``root`` is the absolute directory the paths of findings are relative to, with ``/`` between its parts;
    ``prefix`` goes before paths in text for people, so that they open from the current directory (empty or
    with ``/`` at its end). ``within`` is the way from the top of the version control's work tree to
    ``root``, in the same form: what a code host shows is relative to that top. ``sources`` holds the checked
    files by path, ``languages`` what each is written in. ``command``, ``started`` and ``ended`` (UTC, ISO
    8601 with ``Z``) differ between runs: empty means leave them out. ``exit_code`` is the one the run will
    end with. ``tree`` is the name of the tree, where several are checked in one run. ``compared``: the
    findings are what is new since a baseline.
    """

    version: str
    root: str = ""
    prefix: str = ""
    within: str = ""
    tree: str = ""
    checkout: Checkout | None = None
    sources: Mapping[str, SourceText] = {}
    languages: Mapping[str, str] = {}
    command: str = ""
    started: str = ""
    ended: str = ""
    exit_code: int = 0
    verbose: bool = False
    quiet: bool = False
    statistics: bool = False
    show_suppressed: bool = False
    show_safe: bool = False
    compared: bool = False
    color: bool = False

    def line(self, path: str, number: int) -> str:
        """The text of a line (from 1) without its end; empty where the file or the line is not known."""
        source = self.sources.get(path)
        return "" if source is None else source.line(number)

    def text(self, at: Span) -> str:
        """The source text of a span; empty where the file is not known."""
        return self._bytes(at.path, at.line, at.col, at.end_line, at.end_col).decode("utf-8", "replace")

    def marked(self, at: Span) -> tuple[str, str, str]:
        """The line a span starts on as (before the span, the span's part of it, the rest)."""
        whole = self.line(at.path, at.line)
        before = self._bytes(at.path, at.line, 1, at.line, at.col).decode("utf-8", "replace")
        part = self.text(at).split("\n", 1)[0].rstrip("\r")
        return before, part, whole[len(before) + len(part) :]

    def column(self, path: str, line: int, col: int) -> int:
        """A column in bytes -> the same in UTF-16 code units, both from 1."""
        if path not in self.sources:
            return col
        before = self._bytes(path, line, 1, line, col).decode("utf-8", "replace")
        return len(before.encode("utf-16-le")) // 2 + 1

    def _bytes(self, path: str, line: int, col: int, end_line: int, end_col: int) -> bytes:
        source = self.sources.get(path)
        if source is None or not 1 <= line <= end_line <= len(source.line_starts):
            return b""
        starts = source.line_starts
        return source.data[starts[line - 1] + col - 1 : starts[end_line - 1] + end_col - 1]
