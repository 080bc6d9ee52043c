"""Texts that a program builds: paths in buffers, options, command lines, and the names of directories.

Only the zero fact knows them. The text of a buffer stands in its environment under the buffer's own path,
that of a pointer under the variable or behind it; the path of a directory under a step below its descriptor.
"""

import re

from vmfdlint.ir import Address, Const, Operand, Place, Text
from vmfdlint.models import NAME, Port, Write
from vmfdlint.solve.facts import Fact
from vmfdlint.solve.invocation import Invocation
from vmfdlint.summary import RESULT, Path, path_of, port_path, starts_with

NAMED = "->" + NAME
"""The step below a descriptor under which the path of its directory is known."""
_DIRECTIVE = re.compile(r"%(?:%|[-+ #0]*\d*(?:\.(?:\d+|\*))?(?:hh|h|ll|l|j|z|t|q)?[a-zA-Z])")
_NUMBERS = ("%o", "%#o", "%03o", "%04o", "%d", "%i", "%u")
_LENGTH = 300
"""Longer texts are no paths; a text that grows in a loop ends here."""


def text_of(operand: Operand, fact: Fact, values: bool = False) -> Operand:
    """An argument as the text that stands in it or in the buffer it points to; the operand itself where none
    is known. ``values``: texts are values there, and what a variable leads to is a list."""
    if values:
        known = fact.lookup(path_of(operand)) if isinstance(operand, Place) else None
        return known if isinstance(known, Text) else operand
    if isinstance(operand, Address):
        path = path_of(operand.place)
        known = fact.lookup(path) or fact.lookup((*path, ".[0]"))
    elif isinstance(operand, Place):
        path = path_of(operand)
        known = fact.lookup(path) or fact.lookup((*path, "->[0]"))
    else:
        return operand
    return known if isinstance(known, Text) else operand


def write(fact: Fact, effect: Write, call: Invocation) -> Fact:
    """The zero fact after a call that builds a text."""
    target = port_path(effect.at, call.args)
    if target is None:
        return fact
    text = _built(fact, effect, call)
    if effect.append:
        before = _argument(fact, effect.at.arg, call)
        added = text.value if text is not None else "%s"
        text = Text(before.value + added) if isinstance(before, Text) else None
    if text is None or len(text.value) > _LENGTH:
        return fact.knowing(target, None)
    return fact.knowing(target, text)


def _argument(fact: Fact, index: int | None, call: Invocation) -> Operand | None:
    if index is None or index >= len(call.args):
        return None
    return text_of(call.args[index], fact, call.flow.counts_references)


def _built(fact: Fact, effect: Write, call: Invocation) -> Text | None:
    first = _argument(fact, effect.value.arg, call)
    if not isinstance(first, Text):
        return None
    if effect.join is not None:
        assert effect.value.arg is not None
        words = [first.value]
        for index in range(effect.value.arg + 1, len(call.args)):
            word = _argument(fact, index, call)
            if isinstance(word, Const) and word.value == 0:
                break
            words.append(word.value if isinstance(word, Text) else "%s")
        return Text(effect.join.join(words))
    if effect.values is None:
        return first
    return Text(_filled(first.value, effect.values, fact, call))


def _filled(form: str, index: int, fact: Fact, call: Invocation) -> str:
    """A format with its known values put in; the directives of the others stay."""

    def value(found: re.Match[str]) -> str:
        nonlocal index
        directive = found[0]
        if directive == "%%":
            return directive
        index += directive.count("*") + 1
        given = _argument(fact, index - 1, call)
        if directive == "%s" and isinstance(given, Text):
            return given.value
        if directive in _NUMBERS and isinstance(given, Const) and given.value is not None:
            return f"0{given.value:o}" if "#" in directive else directive % given.value
        return directive

    return _DIRECTIVE.sub(value, form)


def copied(fact: Fact, source: Path, target: Path) -> Fact:
    """The zero fact where a variable is copied: the copy points to the same text, names the same directory,
    has the same constants in it."""
    for path, value in fact.env:
        if isinstance(value, Text | Const) and len(path) > len(source) and starts_with(path, source):
            fact = fact.knowing((*target, *path[len(source) :]), value)
    return fact


def aliased(fact: Fact, source: Path, target: Path) -> Fact:
    """The zero fact where a pointer to a buffer is made: the text is also behind the pointer."""
    known = fact.lookup(source)
    return fact.knowing((*target, "->[0]"), known) if isinstance(known, Text) else fact


def delivered(fact: Fact, target: Path | None) -> Fact:
    """The zero fact where a call's result goes to its destination: what it points to, what it names."""
    moved = fact if target is None else copied(fact.knowing(target, None), RESULT, target)
    if target is not None and isinstance(known := fact.lookup(RESULT), Text):
        moved = moved.knowing(target, known)
    for path, _value in moved.env:
        if len(path) > 1 and starts_with(path, RESULT):
            moved = moved.knowing(path, None)
    return moved


def named(fact: Fact, port: Port, name: str, call: Invocation) -> Fact:
    """The zero fact where a call opens a directory by its path."""
    path = port_path(port, call.args)
    return fact if path is None else fact.knowing((*path, NAMED), Text(name))
