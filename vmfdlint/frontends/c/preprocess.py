"""Macros of one file, and their textual substitution. In: source text. Out: Macro values and strings."""

import re
from collections.abc import Sequence
from functools import lru_cache

import msgspec

from vmfdlint.base import SourceText, Span
from vmfdlint.frontends.c.mask import drop_dead, mask

_HEAD = re.compile(r"\s*([A-Za-z_]\w*)(\(([^()]*)\))?")
_JOINED = re.compile(r"\\\r?\n")
_SKIPPED = re.compile(r'("(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\')|/\*.*?(?:\*/|\Z)|//.*', re.S)
_BLANKS = re.compile(r'("(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\')|\s+', re.S)
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'|##|#|[A-Za-z_]\w*|\.?\d[\w.]*|\s+|.', re.S)
_SPLIT = re.compile(r'"(?:[^"\\]|\\.)*"?|\'(?:[^\'\\]|\\.)*\'?|[()\[\]{},]', re.S)
_REST = "__VA_ARGS__"


class Macro(msgspec.Struct, frozen=True):
    """A ``#define``. ``params`` is None for an object-like macro; ``body`` is one line without comments.

    Of a variadic macro the last of ``params`` takes the rest of the arguments; it is ``__VA_ARGS__`` or a GNU
    name.
    """

    name: str
    params: tuple[str, ...] | None
    variadic: bool
    body: str
    at: Span


def macros_in(source: SourceText) -> dict[str, tuple[Macro, ...]]:
    """Every macro of the file by name, in source order; branches known to be dead are left out."""
    return _macros_in(source.path, source.data)


@lru_cache(maxsize=2048)
def _macros_in(path: str, data: bytes) -> dict[str, tuple[Macro, ...]]:
    if b"define" not in data:
        return {}
    source = SourceText(path, data)
    masked = mask(data)
    drop_dead(masked)
    found: dict[str, list[Macro]] = {}
    for directive in masked.directives:
        if directive.keyword == "define" and directive.shown is not None:
            macro = _macro(directive.rest, source.span(directive.start, directive.end))
            if macro is not None:
                found.setdefault(macro.name, []).append(macro)
    return {name: tuple(macros) for name, macros in found.items()}


def _macro(rest: bytes, at: Span) -> Macro | None:
    """What follows ``#define`` -> Macro; None where no name stands there."""
    text = _JOINED.sub(" ", rest.decode("utf-8", "replace"))
    if "/*" in text or "//" in text:
        text = _SKIPPED.sub(lambda match: match.group(1) or " ", text)
    head = _HEAD.match(text)
    if head is None:
        return None
    body = _BLANKS.sub(lambda match: match.group(1) or " ", text[head.end() :].strip())
    if head.group(2) is None:
        return Macro(head.group(1), None, False, body, at)
    params = [param.strip() for param in head.group(3).split(",")] if head.group(3).strip() else []
    variadic = bool(params) and params[-1].endswith("...")
    if variadic:
        params[-1] = params[-1][:-3].strip() or _REST
    return Macro(head.group(1), tuple(params), variadic, body, at)


def split_arguments(text: str) -> list[str]:
    """Split what stands between the parentheses of a macro's use at its top-level commas; pieces are
    stripped.

    Blank text gives no piece.
    """
    if not text.strip():
        return []
    pieces: list[str] = []
    depth = 0
    start = 0
    for match in _SPLIT.finditer(text):
        token = match.group()
        if token == ",":
            if depth == 0:
                pieces.append(text[start : match.start()].strip())
                start = match.end()
        elif token in "([{":
            depth += 1
        elif token in ")]}":
            depth -= 1
    pieces.append(text[start:].strip())
    return pieces


def expand(macro: Macro, args: Sequence[str]) -> str:
    """The body with arguments put in (``#``, ``##``, ``__VA_ARGS__``). The result is not scanned again.

    Missing arguments are empty; those beyond the parameters of a macro that is not variadic are dropped.
    """
    if macro.params is None:
        return macro.body
    return _substituted(macro.body, _bound(macro, args))


def _bound(macro: Macro, args: Sequence[str]) -> dict[str, str]:
    params = macro.params or ()
    values = dict.fromkeys(params, "")
    if macro.variadic:
        fixed = len(params) - 1
        values.update(zip(params[:fixed], args, strict=False))
        values[params[-1]] = ", ".join(args[fixed:])
    else:
        values.update(zip(params, args, strict=False))
    return values


def _substituted(body: str, values: dict[str, str]) -> str:
    out: list[str] = []
    tokens = _TOKEN.findall(body)
    at = 0
    while at < len(tokens):
        token = tokens[at]
        if token == "##":
            while out and not out[-1].strip():
                out.pop()
            at += 1
            while at < len(tokens) and tokens[at].isspace():
                at += 1
            if at < len(tokens):
                following = values.get(tokens[at], tokens[at])
                if not following and out and out[-1] == ",":
                    # GNU C: a comma pasted to an empty rest of arguments goes away.
                    out.pop()
                out.append(following)
        elif token == "#":
            after = at + 1
            while after < len(tokens) and tokens[after].isspace():
                after += 1
            if after < len(tokens) and tokens[after] in values:
                out.append(_quoted(values[tokens[after]]))
                at = after
            else:
                out.append(token)
        elif token == "__VA_OPT__":
            inside, at = _optional(tokens, at)
            if any(values[name] for name in list(values)[-1:]):
                out.append(_substituted(inside, values))
        else:
            out.append(values.get(token, token))
        at += 1
    return "".join(out)


def _optional(tokens: list[str], at: int) -> tuple[str, int]:
    """``__VA_OPT__ ( … )`` at ``at`` -> what is inside, and the index of its closing parenthesis."""
    depth = 0
    inside: list[str] = []
    for place in range(at + 1, len(tokens)):
        token = tokens[place]
        depth += (token == "(") - (token == ")")
        if depth == 0 and token == ")":
            return "".join(inside), place
        if depth > 1 or (depth == 1 and token != "("):
            inside.append(token)
    return "".join(inside), len(tokens)


def _quoted(text: str) -> str:
    """``#x``: the argument as a string literal."""
    spaced = " ".join(text.split())
    return '"' + spaced.replace("\\", "\\\\").replace('"', '\\"') + '"'
