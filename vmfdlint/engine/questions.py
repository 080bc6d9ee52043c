"""The questions that files are asked, by their names. In: a program. Out: what to call to ask again."""

from collections.abc import Callable
from typing import Any

from vmfdlint.base import SourceText
from vmfdlint.engine.read import aliases
from vmfdlint.frontends.contract import Scan
from vmfdlint.link import CallGraph, Lexicon, Program, Slots
from vmfdlint.models import Models
from vmfdlint.solve import Receivers, Solver


def alone(source: SourceText, scan: Scan) -> Program:
    """A program of one file, for what needs no other."""

    def none_such(_source: SourceText, _index: object) -> Any:
        raise AssertionError("a question that a file answers alone has it parsed")

    return Program(Lexicon({source.path: source}, {source.path: scan}), none_such)


class Questions:
    """Every question by its name."""

    def __init__(self, program: Program, models: Models) -> None:
        graph = CallGraph(program, models)
        self._owners: dict[str, object] = {
            "Texts": program,
            "Units": program,
            "Mentions": graph.mentions,
            "Members": graph.members,
            "SlotCalls": graph.slots,
            "Slots": Slots(program),
            "Receivers": Receivers(program, models),
            "Solver": Solver(program, models, aliases),
        }

    def __getitem__(self, name: str) -> Callable[..., object]:
        owner, _, method = name.partition(".")
        found: Callable[..., object] = getattr(self._owners[owner], method)
        return found
