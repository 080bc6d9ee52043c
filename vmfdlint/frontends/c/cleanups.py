"""What runs when a local leaves its scope. In: a declaration's original bytes. Out: a function, and how it is
called.

Words that everyone uses stand in macros.toml; a project's own (``#define autovm __attribute__((cleanup(f)))
struct vm *``) are expanded here, as far as they speak of a cleanup at all.
"""

import re
from typing import NamedTuple

from vmfdlint.frontends.c.attributes import cleanup_of, declaration_text
from vmfdlint.frontends.c.declarations import CType, fragment_type
from vmfdlint.frontends.c.environment import Environment
from vmfdlint.frontends.c.macros import MACROS
from vmfdlint.frontends.c.preprocess import Macro, expand, split_arguments

_ROUNDS = 3
"""How many macros deep a cleanup may lie."""
_WORD = re.compile(r"[A-Za-z_]\w*")
_TYPE_WORDS = re.compile(rb"[\w\s]+")
_NEAR = re.compile(rb"clean|auto|__free|_AUTO")
_SPEAKS = re.compile(r"clean|auto|__free", re.IGNORECASE)
_BY_VALUE = frozenset((*MACROS.cleanup.values(), *MACROS.cleanup_types.values()))
_GENERATED = "glib_autoptr_cleanup_"


class Cleanup(NamedTuple):
    """``function`` gets the variable's value, or its address. ``type`` is what the macro says of the type."""

    function: str
    by_value: bool
    type: CType | None = None


def cleanup_at(environment: Environment, source: bytes, start: int, end: int) -> Cleanup | None:
    """What runs when the local declared in ``source[start:end]`` leaves its scope; None: nothing."""
    found = cleanup_of(source, start, end) if _NEAR.search(source, max(0, start - 60), end) else None
    if found is not None:
        if found.startswith(_GENERATED):
            freed = environment.autoptr_cleanup(found.removeprefix(_GENERATED))
            if freed is not None:
                return Cleanup(freed, True)
        return Cleanup(found, found in _BY_VALUE)
    names = _TYPE_WORDS.match(source, start, end)
    for name in _WORD.findall(names.group().decode("latin-1")) if names else ():
        macro = environment.macro(name)
        if macro is None or not _SPEAKS.search(macro.body):
            continue
        expanded = _expanded(environment, macro, declaration_text(source, start, end).partition(name)[2])
        function = cleanup_of(expanded.encode(), 0, len(expanded.encode()))
        if function is not None:
            return Cleanup(function, function in _BY_VALUE, fragment_type(expanded.encode()))
    return None


def _expanded(environment: Environment, macro: Macro, after: str) -> str:
    """A macro used before ``after`` as what it stands for, with the macros in it that speak of a cleanup."""
    text = _used(macro, after)
    for _round in range(_ROUNDS):
        for match in _WORD.finditer(text):
            inner = environment.macro(match.group())
            if inner is not None and inner.name != macro.name and _SPEAKS.search(inner.body):
                rest = text[match.end() :]
                behind = rest[rest.find(")") + 1 :] if inner.params is not None else rest
                text = text[: match.start()] + _used(inner, rest) + behind
                break
        else:
            break
    return text


def _used(macro: Macro, after: str) -> str:
    """One macro's expansion; its arguments stand in ``after`` where it takes any."""
    if macro.params is None:
        return macro.body
    opened, closed = after.find("("), after.find(")")
    return expand(macro, split_arguments(after[opened + 1 : closed]) if 0 <= opened < closed else ())
