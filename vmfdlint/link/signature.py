"""What an answer of the program hangs on, as numbers that are compared in the place of the answer.

In: names. Out: one number for all that files say of them: as long as it is the same, whoever asked for these
names alone would be told the same again.
"""

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from hashlib import blake2b
from itertools import pairwise

from vmfdlint.base import SourceText
from vmfdlint.link.lexicon import KINDS, Lexicon
from vmfdlint.link.occurrences import occurrences

_MASK = (1 << 64) - 1
_BOUNDARY = re.compile(rb"(?<=[;}])[ \t\r]*\n(?=[^\s{}])|\n(?=#)")
"""A line ends that closes a statement, and the next one begins in the first column; or a directive begins."""
_CONDITION = re.compile(rb"#[ \t]*(?:if|el|end|undef)[^\n]*")

Said = Mapping[str, Mapping[str, int]]
"""By the hash of a file's content, and by name: what the file says of it, as a number."""


class Signatures:
    """Memoised numbers of 64 bits. They are sums: the order of names does not count."""

    def __init__(
        self, lexicon: Lexicon, seen_by_others: Callable[[SourceText], SourceText], said: Said
    ) -> None:
        """``seen_by_others`` gives what of a file others may read; ``said`` is what is known of earlier."""
        self._lexicon = lexicon
        self._seen_by_others = seen_by_others
        self._names: dict[str, int] = {}
        self._texts: dict[str, _Pieces] = {}
        self.said = {content: dict(names) for content, names in said.items()}
        self.used: dict[str, set[str]] = defaultdict(set)
        """By path: the names it was asked for."""
        self.is_new = False

    def of(self, names: Iterable[str]) -> int:
        """For distinct names: what the files that define them say of them, in whatever role."""
        return sum(map(self._of, names)) & _MASK

    def _of(self, name: str) -> int:
        known = self._names.get(name)
        if known is None:
            known = self._names[name] = sum(
                (2 * number + 1) * self.by(path, name)
                for number, kind in enumerate(KINDS)
                for path in self._lexicon.defined(kind, name)
            )
        return known

    def by(self, path: str, name: str) -> int:
        """What one file says of a name."""
        self.used[path].add(name)
        source = self._lexicon.source(path)
        names = self.said.setdefault(source.content_hash, {})
        known = names.get(name)
        if known is None:
            self.is_new = True
            pieces = self._texts.get(path)
            if pieces is None:
                pieces = self._texts[path] = _Pieces(self._seen_by_others(source).data)
            known = names[name] = pieces.about(path, name)
        return known

    @cached_property
    def includes(self) -> bytes:
        """Which file an include leads to, and what is included by that: all that files which others include
        say of it, and their names. Of the others, which nobody includes, each hangs on itself alone."""
        lexicon = self._lexicon
        named = {name.rpartition("/")[2] for path in lexicon.paths for name in lexicon.written(path)}
        state = blake2b(digest_size=16)
        for path in lexicon.paths:
            if not path.endswith(".c") or path.rpartition("/")[2] in named:
                state.update("\n".join((path, *lexicon.written(path), "")).encode("utf-8", "surrogatepass"))
        return state.digest()


class _Pieces:
    """A text cut where something at file level ends. What it says of a name are the pieces that hold it, and
    all conditions of the preprocessor, for they decide what counts."""

    def __init__(self, text: bytes) -> None:
        self._text = text
        cuts = [0, *(match.end() for match in _BOUNDARY.finditer(text)), len(text)]
        self._starts = [0]
        depth = 0
        for start, end in pairwise(cuts):
            depth += text.count(b"{", start, end) - text.count(b"}", start, end)
            if depth == 0 and end < len(text):
                self._starts.append(end)  # else a brace is open: the piece goes on
        self._conditions = b"\n".join(_CONDITION.findall(text))

    def about(self, path: str, name: str) -> int:
        """The number for a name."""
        state = blake2b(f"{path}\n{name}\n".encode("utf-8", "surrogatepass"), digest_size=8)
        state.update(self._conditions)
        places = occurrences(self._text, name.encode("utf-8", "surrogatepass"))
        for number in sorted({bisect_right(self._starts, at) for at in places}):
            end = self._starts[number] if number < len(self._starts) else len(self._text)
            state.update(b"\0" + self._text[self._starts[number - 1] : end])
        return int.from_bytes(state.digest(), "little")
