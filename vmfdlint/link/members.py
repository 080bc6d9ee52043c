"""Which record a member leads to, read off the declarations of its record. No parse.

In: a record and members. Out: the record that declares the last of them; "" where the text does not show it,
or where records of one name differ.
"""

import re
from collections.abc import Sequence

from vmfdlint.frontends.comments import COMMENTS
from vmfdlint.frontends.languages import C
from vmfdlint.link.occurrences import occurrences, statement_start
from vmfdlint.link.program import Program
from vmfdlint.link.told import Told, text_question

_BRACE = re.compile(rb"[{}]")
_ENDED = re.compile(rb"\s*(?:\[[^\]]*\]\s*)*[;,]")
_TYPE = re.compile(rb"\s*(?:(?:const|volatile|struct|union)\s+)*([A-Za-z_]\w*)[\s*]")


class Members:
    """Memoised types of members."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._behind: dict[tuple[str, str], str] = {}

    def record(self, record: str, steps: Sequence[str]) -> str:
        """The record that declares the last of ``steps``, names of members that lead on from ``record``."""
        for step in steps[:-1]:
            record = self.behind(record, step) if record else ""
        return record

    def behind(self, record: str, member: str) -> str:
        """The record that a member is or points to."""
        known = self._behind.get((record, member))
        if known is None:
            paths = self.program.lexicon.defined("types", record)
            found = {self.declared(path, record, member) for path in paths} - {""}
            names = {self._tag(found.pop())} if len(found) == 1 else {""}
            known = self._behind[(record, member)] = names.pop()
        return known

    def _tag(self, name: str) -> str:
        """The record that a type's name stands for; "" where none of that name has members."""
        paths = self.program.lexicon.defined("types", name)
        found = {self.tagged(path, name) for path in paths} - {""}
        return found.pop() if len(found) == 1 else ""

    @property
    def told(self) -> Told | None:
        """See :class:`vmfdlint.link.told.Told`."""
        return self.program.told

    @text_question
    def declared(self, path: str, record: str, member: str) -> str:
        """The name of the type with which a file's record declares a member; "" where it does not."""
        body = self._body(path, record)
        for at in occurrences(body, member.encode()):
            if _ENDED.match(body, at + len(member)):
                written = _TYPE.match(body, statement_start(body, at))
                return written[1].decode() if written and written.end() <= at else ""
        return ""

    @text_question
    def tagged(self, path: str, name: str) -> str:
        """The record that a file says a type's name is: itself, or what it is a typedef of."""
        data = self.program.lexicon.source(path).data
        if self._body(path, name):
            return name
        written = re.search(rb"\btypedef\s+(?:struct|union)\s+(\w+)\s+" + name.encode() + rb"\s*;", data)
        return written[1].decode() if written else ""

    def _body(self, path: str, record: str) -> bytes:
        """What stands in the braces of a record with members, without comments; b"" where none is."""
        data = self.program.lexicon.source(path).data
        name = re.escape(record.encode())
        head = re.search(rb"\b(?:struct|union)\s+" + name + rb"\b[^;{}()=]*\{", data)
        if head is None:
            return b""
        depth = 1
        for brace in _BRACE.finditer(data, head.end()):
            depth += 1 if brace[0] == b"{" else -1
            if depth == 0:
                body = data[head.end() : brace.start()]
                return COMMENTS[C].sub(lambda match: b" " if match["comment"] else match[0], body)
        return b""
