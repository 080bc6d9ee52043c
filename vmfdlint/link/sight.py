"""Which files see what others declare: by what they include, directly or not. In: declaring files. Out: a set
to ask, worked out as it is asked."""

from collections.abc import Callable, Iterable


class Sight:
    """The files that include one of some files, and these themselves.

    An include that could name several files counts for all of them. A file that includes nothing, or is no
    ``.c`` file, sees everything: others include it, and what they have seen before.
    """

    def __init__(self, includes: Callable[[str], tuple[str, ...]], declaring: Iterable[str]) -> None:
        """``includes`` gives what a file may include directly."""
        self._includes = includes
        self._seeing = set(declaring)
        self._blind: set[str] = set()

    def __contains__(self, path: object) -> bool:
        return isinstance(path, str) and self._sees(path)

    def _sees(self, path: str) -> bool:
        if path in self._seeing or not path.endswith(".c") or not self._includes(path):
            return True
        if path in self._blind:
            return False
        includer: dict[str, str] = {path: ""}
        pending = [path]
        while pending:
            current = pending.pop()
            for target in self._includes(current):
                if target in self._seeing:
                    while current:
                        self._seeing.add(current)
                        current = includer[current]
                    return True
                if target not in includer and target not in self._blind:
                    includer[target] = current
                    pending.append(target)
        self._blind.update(includer)
        return False
