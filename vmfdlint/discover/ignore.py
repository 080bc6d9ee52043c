"""Which entries of a tree are left out: .gitignore files and --exclude patterns. Knows no suffix."""

import os
import re
from collections.abc import Sequence
from pathlib import Path

import msgspec
from pathspec import GitIgnoreSpec

GITIGNORE = ".gitignore"


class Layer(msgspec.Struct, frozen=True):
    """Patterns anchored at ``base``, an absolute directory with ``/`` between its parts and at its end.

    ``quick`` matches every path that some pattern could match: most entries match none, and asking one
    regular expression is ten times as fast as asking each pattern.
    """

    base: str
    spec: GitIgnoreSpec
    quick: re.Pattern[str]

    def verdict(self, path: str) -> bool | None:
        """True: leave it out; False: a pattern with ``!`` keeps it; None: nothing said.

        ``path`` is absolute, with ``/`` at its end for a directory.
        """
        if not path.startswith(self.base):
            return None
        relative = path[len(self.base) :]
        if not self.quick.match(relative):
            return None
        return self.spec.check_file(relative).include


def layer(base: str, lines: Sequence[str]) -> Layer | None:
    """Patterns as a Layer; None where ``lines`` hold only blanks and comments.

    Raises ValueError on a bad pattern.
    """
    spec = GitIgnoreSpec.from_lines(lines)
    regexes = [pattern.regex.pattern for pattern in spec.patterns if pattern.regex is not None]
    if not regexes:
        return None
    # pathspec names a group in each regular expression; in one alternation a name may occur only once.
    parts = (re.sub(r"\(\?P<\w+>", "(?:", regex) for regex in regexes)
    return Layer(base.rstrip("/") + "/", spec, re.compile("|".join(f"(?:{part})" for part in parts)))


def gitignore(directory: str) -> Layer | None:
    """The .gitignore file of one directory; None where there is none or it cannot be read."""
    try:
        data = (Path(directory) / GITIGNORE).read_bytes()
    except OSError:
        return None
    good = []
    for line in data.decode("utf-8", "replace").splitlines():
        try:
            GitIgnoreSpec.from_lines([line])
        except ValueError:
            continue  # git itself passes over a pattern it cannot read
        good.append(line)
    return layer(directory, good)


def above(directory: Path) -> tuple[Layer, ...]:
    """The .gitignore files above ``directory`` up to the top of its git checkout, outermost first.

    Empty outside a checkout, and where they leave out ``directory`` itself: whoever names it wants it.
    """
    layers: list[Layer] = []
    below = directory
    while not os.path.exists(below / ".git"):  # noqa: PTH110 - Path raises where it may not look
        if below.parent == below:
            return ()
        below = below.parent
        if (found := gitignore(below.as_posix())) is not None:
            layers.insert(0, found)
        # A directory left out takes all below it along.
    parts = [p for p in (directory, *directory.parents) if p != below and p.is_relative_to(below)]
    return () if any(ignored(layers, p.as_posix() + "/") for p in parts) else tuple(layers)


def ignored(layers: Sequence[Layer], path: str) -> bool:
    """Whether the innermost pattern that speaks about ``path`` leaves it out."""
    for one in reversed(layers):
        verdict = one.verdict(path)
        if verdict is not None:
            return verdict
    return False
