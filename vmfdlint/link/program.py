"""The whole program, joined by name on demand: definitions, callers and call targets.

In: files (units, texts). Out: which definition a name means. Nothing here is computed for the whole tree.
"""

import re
from functools import cached_property
from typing import assert_never

from vmfdlint.base import LIMITS, Problem, ProblemKind
from vmfdlint.frontends.contract import BODY
from vmfdlint.ir import Call, FunctionKey, Indirect, Member, Named
from vmfdlint.link.lexicon import common_directories
from vmfdlint.link.texts import Texts
from vmfdlint.link.units import FILE

__all__ = ["FILE", "Program"]


class Program(Texts):
    """Name resolution as a linker would do it, over files that are opened when they are asked."""

    @cached_property
    def problems(self) -> list[Problem]:
        """The bounds on the work that were reached."""
        return []

    @cached_property
    def _resolved(self) -> dict[tuple[str, str], tuple[FunctionKey, ...]]:
        return {}

    @cached_property
    def entries(self) -> tuple[str, ...]:
        """Paths of the files that a program begins in, sorted."""
        bound = self.linkage.entries if self.linkage is not None else ()
        return tuple(sorted((*self.lexicon.defined("functions", "main"), *bound)))

    def is_entry(self, key: FunctionKey) -> bool:
        """Whether a program begins and ends with this function."""
        return key.name == (BODY if key.path in self._bound else "main")

    def resolve(self, name: str, path: str) -> tuple[FunctionKey, ...]:
        """The definitions that a call of ``name`` from file ``path`` can reach, as a linker would choose.

        The file's own definition, else what it includes, else external ones; among several (one per
        architecture) those that share the most directories with the caller. A weak one counts where it is
        alone.
        """
        known = self._resolved.get((name, path))
        if known is None:
            bound = self.bound(path)
            known = bound.resolve(name, path) if bound is not None else self._resolve(name, path)
            self._resolved[(name, path)] = known
        return known

    def _resolve(self, name: str, path: str) -> tuple[FunctionKey, ...]:
        candidates = self.lexicon.defined("functions", name)
        if not candidates:
            return ()
        if path in candidates:
            words = self.header(path, name)
            if words is not None and "weak" not in words:
                return (FunctionKey(path, name),)
        included = self.lexicon.included(path)
        visible: list[FunctionKey] = []
        for candidate in candidates[: LIMITS.slot_targets]:
            key = FunctionKey(candidate, name)
            words = self.header(candidate, name)
            if words is None:
                continue
            internal = "static" in words and not candidate.endswith(".h")
            if candidate in included or not internal:
                visible.append(key)
        direct = [key for key in visible if key.path in included]
        real = self._real(visible, direct)
        if real:
            visible = real
        elif direct:
            return tuple(direct)
        # A header's static function is nothing to a file that does not include it.
        visible = [key for key in visible if "static" not in self.attributes(key)] or visible
        if len(visible) < 2:
            return tuple(visible)
        linked = self.lexicon.build.beside(path, (key.path for key in visible))
        if linked:
            return self._strong([key for key in visible if key.path in linked])
        closest = max(common_directories(key.path, path) for key in visible)
        return self._strong([key for key in visible if common_directories(key.path, path) == closest])

    def _strong(self, keys: list[FunctionKey]) -> tuple[FunctionKey, ...]:
        """Without the weak definitions where there are others: a linker takes those (elf(5), STB_WEAK)."""
        strong = tuple(key for key in keys if "weak" not in self.attributes(key))
        return strong or tuple(keys)

    def _real(self, visible: list[FunctionKey], direct: list[FunctionKey]) -> list[FunctionKey]:
        """The external definitions for which a header's static functions only stand in where a feature is
        left out: the header declares the name too, in the other branch of an #ifdef, and their files include
        it. As in one file, the branch with the feature is what is analysed."""
        if not direct or not all(self.stands_in(key.path, key.name) for key in direct):
            return []
        headers = {key.path for key in direct}
        return [
            key
            for key in visible
            if "static" not in self.attributes(key) and headers & self.lexicon.included(key.path).keys()
        ]

    def mentioning(self, token: str) -> tuple[FunctionKey, ...]:
        """Functions (and file levels) whose text holds the identifier ``token``."""
        found: list[FunctionKey] = []
        for path in self.lexicon.files_with(token):
            found.extend(self.mentioning_in(path, token))
        return tuple(found)

    def literals(self, stretch: str, pattern: re.Pattern[str]) -> tuple[tuple[str, str, str], ...]:
        """The string literals that hold ``stretch`` and as a whole match: path, the function around it, and
        the macro in whose #define it stands; one of the two is ""."""
        found: list[tuple[str, str, str]] = []
        for path in self.lexicon.paths:
            bound = self.bound(path)
            if bound is None:
                macros = self.literals_in(path, stretch, pattern.pattern)
                found += [(path, "", macro) for macro in macros if macro]
                if not all(macros):
                    holders = self.holding_literals(path, stretch, pattern.pattern)
                    found += [(path, holder, "") for holder in holders]
            elif stretch.encode() in self.lexicon.source(path).data:
                for at, text in bound.texts(path):
                    if stretch in text and pattern.fullmatch(text):
                        found.append((path, self.within(path, at).name, ""))
        return tuple(found)

    def targets(self, caller: FunctionKey, call: Call) -> tuple[FunctionKey, ...]:
        """The definitions a call by name can reach; () for calls through members and variables."""
        match call.target:
            case Named(name=name):
                return self.resolve(name, caller.path)
            case Member() | Indirect():
                return ()
            case _:
                assert_never(call.target)

    def limit(self, text: str) -> None:
        """Notes that a bound on the work was reached."""
        problem = Problem(ProblemKind.LIMIT, text)
        if problem not in self.problems:
            self.problems.append(problem)
