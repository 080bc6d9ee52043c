"""Where descriptors come in from other processes and may turn out to be holders of theirs.

In: a program and models. Out: the functions that receive or take a descriptor and from which a function that
issues a holder's own ioctl is near. Most programs receive descriptors that have nothing to do with KVM: those
are not followed. Decided on the text, by names: nothing is parsed for it.
"""

import re

from vmfdlint.base import LIMITS
from vmfdlint.ir import FunctionKey
from vmfdlint.link import Program, Told, occurrences, question, text_question
from vmfdlint.models import Models

_CALLED = re.compile(rb"([A-Za-z_]\w*)[ \t\n]*\(")
_STATIC = re.compile(rb"[^({;]*\bstatic\b")


class Receivers:
    """The search in one program."""

    def __init__(self, program: Program, models: Models) -> None:
        self.program = program
        self._sources = models.receiving_names()
        self._numbers = models.receiving_values()
        requests = models.telling_names()
        self._request = re.compile(rb"\b(?:" + "|".join(sorted(requests)).encode() + rb")\b")
        self._telling = frozenset(path for name in requests for path in program.lexicon.files_with(name))

    def find(self) -> tuple[FunctionKey, ...]:
        """The functions, sorted."""
        bound = self.program.linkage
        tokens = self._sources | {str(number) for number in self._numbers}
        own = {
            key
            for path in sorted(bound.paths if bound is not None else ())
            for token in tokens
            for key in self.program.mentioning_in(path, token)
        }
        if not self._telling:
            return tuple(sorted(own))
        found = {key for name in self._sources for key in self._naming(name, "")}
        near = {key for key in found if not self.program.bound(key.path) and self._near(key)}
        return tuple(sorted(own | near))

    def _naming(self, name: str, after: str, home: FunctionKey | None = None) -> set[FunctionKey]:
        """The functions whose text has ``name``, followed by ``after``; for a function's name those that mean
        the one at ``home``."""
        lexicon = self.program.lexicon
        paths = lexicon.files_with(name)
        if home is not None:
            own = self.is_static(home.path, home.name) and not home.path.endswith(".h")
            others = lexicon.defined("functions", name)
            paths = tuple(p for p in paths if p == home.path or not (own or p in others))
        found = {FunctionKey(path, one) for path in paths for one in self.holding(path, name, after)}
        return {key for key in found if key != home}

    @property
    def told(self) -> Told | None:
        """See :class:`vmfdlint.link.Told`."""
        return self.program.told

    @text_question
    def holding(self, path: str, name: str, after: str) -> tuple[str, ...]:
        """The functions of a file whose text has ``name``, followed by what the pattern ``after`` meets."""
        data, wanted = self.program.lexicon.source(path).data, name.encode()
        behind = re.compile(after.encode())
        places = (at for at in occurrences(data, wanted) if behind.match(data, at + len(wanted)))
        found = (self.program.enclosing(path, at) for at in places)
        return tuple(sorted({key.name for key in found if key is not None}))

    def _near(self, key: FunctionKey) -> bool:
        """Whether the function, one of its callers, or what these call issues such an ioctl."""
        seen = {key}
        frontier = [key]
        for _step in range(LIMITS.receiving_callers):
            callers = {caller for one in frontier for caller in self._naming(one.name, r"\s*\(", one)}
            frontier = sorted(callers - seen)
            seen.update(frontier)
        below: set[FunctionKey] = set()
        return any(self._issues(one, below, 0) for one in sorted(seen))

    def _issues(self, key: FunctionKey, seen: set[FunctionKey], depth: int) -> bool:
        if key in seen or depth > LIMITS.receiving_callees:
            return False
        seen.add(key)
        if key.path in self._telling and self.requesting(key.path, key.name):
            return True
        below = [
            FunctionKey(path, name)
            for name in self.calling(key.path, key.name)
            for path in self._bodies(name, key.path)
        ]
        return any(self._issues(one, seen, depth + 1) for one in below)

    def _bodies(self, name: str, near: str) -> list[str]:
        """The files that define a function and are looked into for a caller in the file ``near``."""
        defined = self.program.lexicon.defined("functions", name)
        return [path for path in defined if path == near or path in self._telling]

    @text_question
    def is_static(self, path: str, name: str) -> bool:
        """Whether a function is one of its file alone."""
        return _STATIC.match(self.program.text(FunctionKey(path, name))) is not None

    @text_question
    def requesting(self, path: str, name: str) -> bool:
        """Whether the text of a function names a holder's own request."""
        return self._request.search(self.program.text(FunctionKey(path, name))) is not None

    @question
    def calling(self, path: str, name: str) -> tuple[str, ...]:
        """What the text of a function calls of the functions that are looked into."""
        called = {match[1].decode() for match in _CALLED.finditer(self.program.text(FunctionKey(path, name)))}
        return tuple(sorted(one for one in called if self._bodies(one, path)))
