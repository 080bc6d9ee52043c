"""The program read from end to end, to hold the program read on demand to it: slow, and the same answers.

In and out as in program and lexicon. No name is looked up in the index alone: every file is searched for it.
Every function is lowered before the first question, so that nothing can hang on what happened to be asked.
"""

from collections.abc import Callable, Mapping

from vmfdlint.base import Problem, ProblemKind, SourceText
from vmfdlint.frontends.comments import COMMENTS
from vmfdlint.frontends.contract import Index, Linkage, Scan, Unit
from vmfdlint.frontends.languages import language_of
from vmfdlint.ir import Function, FunctionKey
from vmfdlint.link.lexicon import Lexicon
from vmfdlint.link.occurrences import occurrences
from vmfdlint.link.program import FILE, Program


class WholeLexicon(Lexicon):
    """Which files hold a name, by a search through all of them."""

    def __init__(
        self,
        sources: Mapping[str, SourceText],
        scans: Mapping[str, Scan],
        targets: Mapping[str, tuple[str, ...]] | None = None,
    ) -> None:
        super().__init__(sources, scans, targets)
        self._found: dict[str, tuple[str, ...]] = {}
        self._codes: dict[str, bytes] = {}

    def files_with(self, token: str) -> tuple[str, ...]:
        """Those that the index names, and every file in whose code the name stands."""
        known = self._found.get(token)
        if known is None:
            wanted = token.encode("utf-8", "surrogatepass")
            named = (path for path, source in self.sources.items() if wanted in source.data)
            held = {path for path in named if not wanted[:1].isdigit() and _says(self._code(path), wanted)}
            known = self._found[token] = tuple(sorted(held.union(super().files_with(token))))
        return known

    def _code(self, path: str) -> bytes:
        """A file without its comments and strings: what is a name in a string, only the index knows."""
        known = self._codes.get(path)
        if known is None:
            source = self.sources[path]
            pattern = COMMENTS[language_of(source)]
            known = self._codes[path] = pattern.sub(b" ", source.data)
        return known


def _says(code: bytes, name: bytes) -> bool:
    return any(True for _at in occurrences(code, name))


class WholeProgram(Program):
    """Every function of every file, lowered when it is made. What could not be read is told of those
    functions alone that were asked for, as on demand."""

    def __init__(
        self,
        lexicon: Lexicon,
        open_unit: Callable[[SourceText, Index], Unit],
        watch: Callable[[int], None] = lambda _count: None,
        linkage: Linkage | None = None,
    ) -> None:
        super().__init__(lexicon, open_unit, watch, linkage)
        self._opened: dict[str, None] = {}
        self._asked: dict[FunctionKey, Function | None] = {}
        for path in lexicon.paths:
            for key in (*self.keys(path), FunctionKey(path, FILE)):
                super().function(key)
        self._opened.clear()

    def unit(self, path: str) -> Unit:
        """As it was parsed beforehand."""
        self._opened[path] = None
        return super().unit(path)

    def function(self, key: FunctionKey) -> Function | None:
        """As it was lowered beforehand."""
        found = self._asked[key] = super().function(key)
        return found

    @property
    def unread(self) -> tuple[Problem, ...]:
        """Lowers once more what was asked for, on demand, which has to give the same."""
        again = Program(self.lexicon, self._open_unit, linkage=self.linkage)
        problems: list[Problem] = []
        for key, before in self._asked.items():
            if again.function(key) != before:
                text = f"{key.path}: {key.name} was lowered twice, and not to the same"
                problems.append(Problem(ProblemKind.CRASH, text, key.path))
        for path in self._opened:
            if self.bound(path) is not None:
                again.unit(path)
        return (*problems, *again.unread)
