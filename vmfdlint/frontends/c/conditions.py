"""What is known about preprocessor conditions. In: a directive. Out: true, false or None for unknown."""

import re
from functools import lru_cache

from vmfdlint.frontends.c.macros import MACROS

_TOKEN = re.compile(r"\s*(&&|\|\||[!()]|[A-Za-z_]\w*|\d\w*|[^\s\w])")


def _name(name: str) -> bool | None:
    if name in MACROS.undefined:
        return False
    return True if name in MACROS.defined else None


class _Reader:
    """A recursive-descent reader of one #if line; anything but && || ! () defined is unknown."""

    def __init__(self, text: str) -> None:
        self.tokens = _TOKEN.findall(text)[:200]
        self.at = 0

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self) -> str:
        token = self.peek()
        self.at += 1
        return token

    def either(self) -> bool | None:
        value = self.both()
        while self.peek() == "||":
            self.take()
            other = self.both()
            value = True if value or other else (None if None in (value, other) else False)
        return value

    def both(self) -> bool | None:
        value = self.term()
        while self.peek() == "&&":
            self.take()
            other = self.term()
            value = False if value is False or other is False else (None if None in (value, other) else True)
        return value

    def term(self) -> bool | None:
        value = self.primary()
        if self.peek() not in ("&&", "||", ")", ""):
            # A comparison or arithmetic: its value is not followed, and nor is what it is compared with.
            depth = 0
            while self.peek() and (depth or self.peek() not in ("&&", "||", ")")):
                depth += {"(": 1, ")": -1}.get(self.take(), 0)
            return None
        return value

    def primary(self) -> bool | None:
        token = self.take()
        if token == "!":
            value = self.primary()
            return None if value is None else not value
        if token == "(":
            value = self.either()
            self.take()
            return value
        if token == "defined":
            inside = self.peek() == "("
            if inside:
                self.take()
            value = _name(self.take())
            if inside:
                self.take()
            return value
        if token[:1].isdigit():
            try:
                return int(token.rstrip("uUlL"), 0) != 0
            except ValueError:
                return None
        return _name(token) if token else None


@lru_cache(maxsize=4096)
def holds(keyword: str, rest: str) -> bool | None:
    """Whether the branch after ``#keyword rest`` is compiled; None where it may or may not be.

    ``keyword`` is one of if, ifdef, ifndef, elif, elifdef, elifndef.
    """
    words = rest.split()
    if keyword.endswith("def"):
        value = _name(words[0].split("/")[0]) if words else None
        return (None if value is None else not value) if keyword.endswith("ndef") else value
    reader = _Reader(re.sub(r"/\*.*?\*/|//.*|\\\r?\n", " ", rest, flags=re.S))
    value = reader.either()
    return value if not reader.peek() else None
