"""What an answer of the program hangs on, as numbers that are compared in the place of the answer.

In: names. Out: one number for all files that define them, by path and content: as long as it is the same,
whoever asked for these names alone would be told the same again.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from hashlib import blake2b

from vmfdlint.base import SourceText
from vmfdlint.link.lexicon import KINDS, Lexicon

_MASK = (1 << 64) - 1


class Signatures:
    """Memoised numbers of 64 bits. They are sums: the order of names does not count."""

    def __init__(
        self,
        lexicon: Lexicon,
        seen_by_others: Callable[[SourceText], SourceText],
        outlines: Mapping[str, str],
    ) -> None:
        """``seen_by_others`` gives what of a file others may read, ``outlines`` the hashes of that which are
        known, by the hash of the whole."""
        self._lexicon = lexicon
        self._seen_by_others = seen_by_others
        self.outlines = dict(outlines)
        self._files: dict[str, int] = {}
        self._names: dict[str, int] = {}

    def of(self, names: Iterable[str]) -> int:
        """For distinct names: the files that define them, in whatever role."""
        return sum(map(self._of, names)) & _MASK

    def _of(self, name: str) -> int:
        known = self._names.get(name)
        if known is None:
            known = self._names[name] = sum(
                (2 * number + 1) * self.file(path)
                for number, kind in enumerate(KINDS)
                for path in self._lexicon.defined(kind, name)
            )
        return known

    def file(self, path: str) -> int:
        """A file, by its path and what others may read of it."""
        known = self._files.get(path)
        if known is None:
            source = self._lexicon.source(path)
            seen = self.outlines.get(source.content_hash)
            if seen is None:
                seen = self.outlines[source.content_hash] = self._seen_by_others(source).content_hash
            text = f"{path}\n{seen}"
            number = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
            known = self._files[path] = int.from_bytes(number, "little")
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
