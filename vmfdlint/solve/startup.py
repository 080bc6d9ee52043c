"""What constructors, and files that are imported, leave behind is there when a program begins.

In: the tables of a run that is worked off. Out: entries seeded with the references that rest in globals when
a function with the attribute ``constructor`` returns (GCC manual, Common Function Attributes: it runs before
main), or the statements of a file that others import.
"""

from vmfdlint.ir import FunctionKey
from vmfdlint.link import Program
from vmfdlint.solve.boundary import rests
from vmfdlint.solve.facts import ZERO_FACT
from vmfdlint.solve.observe import Node
from vmfdlint.solve.tables import Step, Tables
from vmfdlint.summary import Relevance


def start_main(tabulation: Tables, program: Program, relevance: Relevance) -> None:
    """Seeds main with what rests in globals behind every constructor reached so far, and the statements of a
    program with what those of the files it imports left."""
    for number, context in enumerate(list(tabulation.contexts)):
        if context.entry != ZERO_FACT:
            continue
        for main in _begins(program, relevance, context.key):
            if main == context.key or tabulation.behaviour.flow(main) is None:
                continue
            for fact, node in tabulation.exit_nodes(number):
                if rests(fact):
                    begin = tabulation.seed(main)
                    tabulation.push(Node(begin, 0, 0, fact), Step(node))


def _begins(program: Program, relevance: Relevance, key: FunctionKey) -> list[FunctionKey]:
    """The functions that a program begins with behind a constructor or an imported file."""
    if program.bound(key.path) is not None:
        if not program.is_entry(key):
            return []
        users = {path for one in program.keys(key.path) for path in relevance.mains(one)} - {key.path}
        paths = users or (set(program.entries) if len(program.entries) == 1 else set())
        return [FunctionKey(path, key.name) for path in sorted(paths)]
    if "constructor" not in program.attributes(key):
        return []
    main = _main_of(program, key)
    return [] if main is None else [main]


def _main_of(program: Program, key: FunctionKey) -> FunctionKey | None:
    """The main of a function's program; None where the tree holds several and no build tells."""
    mains = program.lexicon.defined("functions", "main")
    paths = sorted(program.lexicon.build.programs(key.path, mains) or mains)
    return FunctionKey(paths[0], "main") if len(paths) == 1 else None
