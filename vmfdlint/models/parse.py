"""Text of a row -> ports and conditions."""

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import TypeAlias

from vmfdlint.models.compiled import Clause, Condition, Test
from vmfdlint.models.effects import MADE, NAME, REST, Port, Truth

Constants: TypeAlias = Mapping[str, int | str]
"""What a condition may name: constants with their numbers, patterns with their regular expressions."""


class RowError(Exception):
    """Something in a row that cannot be understood. ``token`` is the text in the file by which its line is
    found.
    """

    def __init__(self, text: str, token: str) -> None:
        super().__init__(text)
        self.text = text
        self.token = token


def suggestion(name: str, known: Iterable[str]) -> str:
    """A name nobody knows -> ``; did you mean 'x'?`` with the nearest known one, or nothing."""
    near = get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f"; did you mean '{near[0]}'?" if near else ""


_STEP = r"(?:\.[A-Za-z_]\w*|\.\.|named|made|\*|\[\d*\]|\[arg \d+\])"
_PORT = re.compile(rf"(ret|arg (\d+))((?: {_STEP})*)")
_CLAUSE = re.compile(rf"(arg \d+(?: {_STEP})*) (\S+) (\"[^\"]*\"|\S+)")
_NUMBER = re.compile(r"-?(?:0[xX][0-9a-fA-F]+|\d+)")


def parse_port(text: str) -> Port:
    """``arg 2 .fd`` -> Port(2, ("fd",)); ``arg 1 ..`` (that and what follows) -> Port(1, ("..",)). Raises
    RowError."""
    found = _PORT.fullmatch(text)
    if found is None:
        raise RowError(f"'{text}' is no port: write 'ret', 'arg 1', 'arg 2 .fd' or 'arg 0 *'", text)
    special = {REST: REST, "named": NAME, "made": MADE}
    steps = tuple(special.get(step) or step.removeprefix(".") for step in re.findall(_STEP, found[3]))
    return Port(int(found[2]) if found[2] else None, steps)


def parse_truth(text: str, constants: Constants) -> Truth | Condition:
    """``yes``, ``no``, ``maybe`` or a condition. Raises RowError."""
    if text in list(Truth):
        return Truth(text)
    return parse_condition(text, constants)


def parse_condition(text: str, constants: Constants) -> Condition:
    """``arg 1 has O_CLOEXEC and arg 0 != -1`` -> its clauses. Raises RowError, also for a constant without
    number.
    """
    return tuple(_parse_clause(part, constants) for part in text.split(" and "))


def _parse_clause(text: str, constants: Constants) -> Clause:
    found = _CLAUSE.fullmatch(text)
    if found is None:
        raise RowError(f"'{text}' is no condition: write 'arg 1 has NAME' or 'arg 1 == NAME'", text)
    port, word, name = parse_port(found[1]), found[2], found[3]
    if word not in list(Test):
        raise RowError(f"unknown test '{word}' in '{text}'{suggestion(word, Test)}", text)
    test = Test(word)
    if test is Test.MATCHES:
        return Clause(port, test, _pattern(name, text, constants), text=True)
    if name.startswith('"'):
        return Clause(port, test, name.strip('"'), text=True)
    if test is Test.IS:
        return Clause(port, test, name)
    if _NUMBER.fullmatch(name):
        return Clause(port, test, name, int(name, 0))
    number = constants.get(name)
    if not isinstance(number, int):
        raise RowError(
            f"unknown constant '{name}' in '{text}'{suggestion(name, constants)}"
            " (a [constants] table gives its number)",
            text,
        )
    return Clause(port, test, name, number)


def _pattern(name: str, text: str, constants: Constants) -> str:
    """The expression of a ``matches``: quoted, or a name of a [patterns] table. Raises RowError."""
    regex = name.strip('"') if name.startswith('"') else constants.get(name)
    if not isinstance(regex, str):
        raise RowError(
            f"unknown pattern '{name}' in '{text}'{suggestion(name, constants)}"
            " (a [patterns] table gives it)",
            text,
        )
    return compiles(regex, name)


def compiles(regex: str, token: str) -> str:
    """The expression itself. Raises RowError where it does not compile."""
    try:
        re.compile(regex)
    except re.error as error:
        raise RowError(f"'{token}' does not compile: {error}", token) from error
    return regex
