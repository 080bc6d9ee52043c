"""The directives of one file as stretches of lines, each with the rules it silences there."""

from collections.abc import Mapping, Sequence

import msgspec

from vmfdlint.base import SourceText, Span
from vmfdlint.config import ConfigError, resolve_rules
from vmfdlint.finding import Claim
from vmfdlint.suppress.comments import comments, is_code
from vmfdlint.suppress.directives import DISABLE, ENABLE, FILE, HOLDS, MARKS, Directive, directives

_END = 1 << 60


class Stretch(msgspec.Struct, frozen=True):
    """Lines ``first`` to ``last`` in which ``directive`` silences ``rule``, a selector that means ``ids``."""

    directive: Directive
    rule: str
    ids: frozenset[str]
    first: int
    last: int

    def covers(self, at: Span) -> bool:
        """Whether a place lies on its lines, if only in part."""
        return at.line <= self.last and at.end_line >= self.first


class Fault(msgspec.Struct, frozen=True):
    """A directive that cannot be followed, and why."""

    directive: Directive
    text: str


class FileDirectives:
    """What the comments of one file ask for. ``known`` holds (id, name) of every rule."""

    def __init__(self, source: SourceText, language: str, known: Sequence[tuple[str, str]]) -> None:
        self.stretches: list[Stretch] = []
        self.faults: list[Fault] = []
        self.found: list[Directive] = []
        self.claims: list[Claim] = []
        self._known = known
        self._open: dict[str, list[Directive]] = {}
        if not any(mark in source.data for mark in MARKS.get(language, ())):
            return
        every = list(comments(source, language))
        for comment in every:
            for one in directives(comment, language):
                self.found.append(one)
                if one.fault:
                    self.faults.append(Fault(one, one.fault))
                    continue
                first, last = comment.at.line, comment.at.end_line
                if comment.alone:
                    below = range(last + 1, len(source.line_starts) + 1)
                    first = last = next((line for line in below if is_code(source, line, every)), last)
                if one.verb == HOLDS:
                    claim = Claim(comment.at, first, last, one.holder, one.until, one.reason)
                    self.claims.append(claim)
                self._take(one, first, last)
        for rule, begun in self._open.items():
            for one in begun:
                self.faults.append(Fault(one, f"the range has no end: write enable[{rule}] behind it"))
                self._stretch(one, rule, one.comment.at.line, _END)

    def _take(self, one: Directive, first: int, last: int) -> None:
        for rule in one.rules:
            if one.verb == FILE:
                self._stretch(one, rule, 1, _END)
            elif one.verb == DISABLE:
                self._open.setdefault(rule, []).append(one)
            elif one.verb == ENABLE:
                self._close(one, rule)
            else:
                self._stretch(one, rule, first, last)

    def _close(self, one: Directive, rule: str) -> None:
        begun = self._open.get(rule)
        if not begun:
            self.faults.append(Fault(one, f"no disable[{rule}] stands before it"))
            return
        start = begun.pop()
        self._stretch(start, rule, start.comment.at.line, one.comment.at.line)

    def _stretch(self, one: Directive, rule: str, first: int, last: int) -> None:
        try:
            ids = resolve_rules((rule,), (), self._known, ("", ""))
        except ConfigError as error:
            self.faults.append(Fault(one, error.text))
        else:
            self.stretches.append(Stretch(one, rule, ids, first, last))


def claims(sources: Mapping[str, SourceText], languages: Mapping[str, str]) -> tuple[Claim, ...]:
    """What the comments of some files say of lifetimes."""
    return tuple(
        claim
        for path, source in sources.items()
        if HOLDS.encode() in source.data
        for claim in FileDirectives(source, languages.get(path, ""), ()).claims
    )
