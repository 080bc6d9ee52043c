"""Edits that leave a program what it is: blank lines, comments, other indentation, functions that change
places, files under another name.

In: a tree and a source of chance. Out: the tree changed, and a word on what was done.
"""

import ast
import io
import random
import re
import tokenize
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import TypeAlias

from tools.trees import Unreadable

Edit: TypeAlias = Callable[[random.Random, str], str | None]
"""Text -> another one that means the same; None where there is no place for such a change."""

KINDS = ("blank", "comment", "indent", "move", "rename")
_SUFFIXES = (".c", ".h", ".py")
_WORD = re.compile(r"[A-Za-z_]\w*")
_FUNCTION = re.compile(
    r"(?<=\n\n)(?:[A-Za-z_][^\n;{}#()]*\n)?[A-Za-z_][^\n;{}#()]*\b(?P<name>\w+)\([^;{}#]*?\)\n\{\n(?:[^\n}][^\n]*\n|\n)*?\}\n"
)
_INCLUDED = re.compile(r'#\s*include\s*"(?:[^"\n]*/)?([^"/\n]+)"')


class EditedTree:
    """A tree that is edited. ``wanted`` are the files, relative to it, that most of the edits are to touch;
    they stay wanted when they are renamed."""

    def __init__(self, root: Path, wanted: frozenset[str], chance: random.Random) -> None:
        self.root = root
        self.wanted = {name for name in wanted if name.endswith(_SUFFIXES)}
        self._chance = chance
        self._files = sorted(
            str(path.relative_to(root))
            for path in root.rglob("*")
            if path.suffix in _SUFFIXES and path.is_file()
        )
        texts = {name: self._text(name) for name in self._files}
        self._fixed = {name for text in texts.values() for name in _INCLUDED.findall(text)}
        self._imported = {
            word for name, text in texts.items() if name.endswith(".py") for word in _imports(text)
        }

    def edit(self) -> str:
        """One change; what it was. Raises Unreadable where the tree has nothing to edit."""
        if not self._files:
            raise Unreadable(f"{self.root} holds no file to edit ({', '.join(_SUFFIXES)})")
        while True:
            kind = self._chance.choice(KINDS)
            # Not every file has a place for it: few have two functions that can change places.
            for _try in range(100):
                near = self.wanted and self._chance.random() < 0.8
                name = self._chance.choice(sorted(self.wanted) if near else self._files)
                done = self._rename(name) if kind == "rename" else self._rewrite(name, kind)
                if done:
                    return f"{kind} {done}"

    def _text(self, name: str) -> str:
        return (self.root / name).read_bytes().decode("utf-8", "surrogateescape")

    def _rewrite(self, name: str, kind: str) -> str | None:
        old = self._text(name)
        change = (_PYTHON if name.endswith(".py") else _C)[kind]
        new = change(self._chance, old)
        if new is None or new == old:
            return None
        (self.root / name).write_bytes(new.encode("utf-8", "surrogateescape"))
        return name

    def _rename(self, name: str) -> str | None:
        path = self.root / name
        fixed = path.suffix == ".h" or path.name in self._fixed or path.stem in self._imported
        if fixed or path.stem in ("__init__", "__main__"):
            return None
        new = path.with_name(f"{path.stem}_{self._chance.randrange(10**6)}{path.suffix}")
        path.rename(new)
        other = str(new.relative_to(self.root))
        self._files[self._files.index(name)] = other
        if name in self.wanted:
            self.wanted.remove(name)
            self.wanted.add(other)
        return f"{name} to {new.name}"


def _imports(text: str) -> Iterator[str]:
    for line in re.findall(r"^\s*(?:from|import)\s.*$", text, re.MULTILINE):
        yield from _WORD.findall(line)


# -- C -----------------------------------------------------------------------------------------------------


def _c_places(lines: list[str]) -> list[int]:
    """Before which lines another one can stand: not where one goes on."""
    return [n for n in range(len(lines) + 1) if n == 0 or not lines[n - 1].rstrip("\n").endswith("\\")]


def _c_blank(chance: random.Random, text: str) -> str | None:
    return _with_line(chance, text, _c_places, "\n")


def _c_comment(chance: random.Random, text: str) -> str | None:
    """One that harms nothing inside another comment, either."""
    return _with_line(chance, text, _c_places, f"    // note {chance.randrange(1000)}\n")


def _c_indent(chance: random.Random, text: str) -> str | None:
    """The lines of one function, one step further in."""
    found = list(_FUNCTION.finditer(text))
    if not found:
        return None
    one = chance.choice(found)
    lines = one[0].splitlines(keepends=True)
    start = lines.index("{\n") + 1
    for number in range(start, len(lines) - 1):
        goes_on = lines[number - 1].rstrip("\n").endswith("\\")
        if lines[number].strip() and not lines[number].lstrip().startswith("#") and not goes_on:
            lines[number] = chance.choice((" ", "  ", "\t")) + lines[number]
    return text[: one.start()] + "".join(lines) + text[one.end() :]


def _c_move(chance: random.Random, text: str) -> str | None:
    """Two neighbours that do not name each other change places."""
    found = list(_FUNCTION.finditer(text))
    pairs = [
        (one, other)
        for one, other in pairwise(found)
        if one.end() + 1 == other.start()
        and one["name"] not in _WORD.findall(other[0])
        and other["name"] not in _WORD.findall(one[0])
        and "\n#" not in one[0] + other[0]
    ]
    if not pairs:
        return None
    one, other = chance.choice(pairs)
    return text[: one.start()] + other[0] + "\n" + one[0] + text[other.end() :]


# -- Python ------------------------------------------------------------------------------------------------


def _statements(text: str) -> list[int]:
    """The lines, from 0 on, at which a statement begins; none where the text is no Python of now."""
    try:
        ast.parse(text)
        tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
    except (SyntaxError, ValueError, tokenize.TokenError):
        return []
    quiet = (tokenize.NL, tokenize.COMMENT, tokenize.INDENT, tokenize.DEDENT, tokenize.ENCODING)
    found, fresh = [], True
    for token in tokens:
        if token.type == tokenize.NEWLINE:
            fresh = True
        elif fresh and token.type not in quiet and token.type != tokenize.ENDMARKER:
            found.append(token.start[0] - 1)
            fresh = False
    return found


def _python_places(lines: list[str]) -> list[int]:
    # Not before the first statement: what a file says of itself, as its encoding, stands in the first lines.
    return _statements("".join(lines))[1:]


def _python_blank(chance: random.Random, text: str) -> str | None:
    return _with_line(chance, text, _python_places, "\n")


def _python_comment(chance: random.Random, text: str) -> str | None:
    return _with_line(chance, text, _python_places, f"# note {chance.randrange(1000)}\n")


def _python_indent(chance: random.Random, text: str) -> str | None:
    """Every block half as deep again, or twice as deep."""
    lines = text.splitlines(keepends=True)
    starts = _statements(text)
    if any("\t" in lines[number] for number in starts):
        return None
    more = chance.choice((1, 2))
    for number in starts:
        depth = len(lines[number]) - len(lines[number].lstrip(" "))
        lines[number] = " " * (depth * more // 2) + lines[number]
    new = "".join(lines)
    return new if starts and _same(text, new) else None


def _python_move(chance: random.Random, text: str) -> str | None:
    """Two neighbours at the top of the file change places; nothing is evaluated when they are made."""
    if not _statements(text):
        return None
    body = ast.parse(text).body
    pairs = [
        (one, other)
        for one, other in pairwise(body)
        if isinstance(one, ast.FunctionDef)
        and isinstance(other, ast.FunctionDef)
        and one.name != other.name
        and not (one.decorator_list or other.decorator_list or _defaults(one) or _defaults(other))
    ]
    if not pairs:
        return None
    one, other = chance.choice(pairs)
    lines = text.splitlines(keepends=True)
    assert one.end_lineno is not None and other.end_lineno is not None
    parts = (
        lines[: one.lineno - 1],
        lines[other.lineno - 1 : other.end_lineno],
        lines[one.end_lineno : other.lineno - 1],
        lines[one.lineno - 1 : one.end_lineno],
        lines[other.end_lineno :],
    )
    return "".join(line for part in parts for line in part)


def _defaults(function: ast.FunctionDef) -> bool:
    given = function.args
    parameters = (*given.posonlyargs, *given.args, *given.kwonlyargs)
    annotated = function.returns or any(one.annotation for one in parameters)
    return bool(given.defaults or any(given.kw_defaults) or annotated)


def _same(old: str, new: str) -> bool:
    return ast.dump(ast.parse(old)) == ast.dump(ast.parse(new))


def _with_line(
    chance: random.Random, text: str, places: Callable[[list[str]], list[int]], line: str
) -> str | None:
    lines = text.splitlines(keepends=True)
    where = places(lines)
    if not where:
        return None
    lines.insert(chance.choice(where), line)
    return "".join(lines)


_C: dict[str, Edit] = {"blank": _c_blank, "comment": _c_comment, "indent": _c_indent, "move": _c_move}
_PYTHON: dict[str, Edit] = {
    "blank": _python_blank,
    "comment": _python_comment,
    "indent": _python_indent,
    "move": _python_move,
}
