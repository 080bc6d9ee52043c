"""What constructors leave behind is there when main begins.

In: the tables of a run that is worked off. Out: main seeded with the references that rest in globals when a
function with the attribute ``constructor`` returns (GCC manual, Common Function Attributes: it runs before
main).
"""

from vmfdlint.ir import FunctionKey
from vmfdlint.link import Program
from vmfdlint.solve.boundary import rests
from vmfdlint.solve.facts import ZERO_FACT
from vmfdlint.solve.observe import Node
from vmfdlint.solve.tables import Step, Tables


def start_main(tabulation: Tables, program: Program) -> None:
    """Seeds main with what rests in globals behind every constructor reached so far."""
    for number, context in enumerate(list(tabulation.contexts)):
        if context.entry != ZERO_FACT or "constructor" not in program.attributes(context.key):
            continue
        main = _main_of(program, context.key)
        if main is None or tabulation.behaviour.flow(main) is None:
            continue
        for fact, node in tabulation.exit_nodes(number):
            if rests(fact):
                begin = tabulation.seed(main)
                tabulation.push(Node(begin, 0, 0, fact), Step(node))


def _main_of(program: Program, key: FunctionKey) -> FunctionKey | None:
    """The main of a function's program; None where the tree holds several and no build tells."""
    mains = program.lexicon.defined("functions", "main")
    paths = sorted(program.lexicon.build.programs(key.path, mains) or mains)
    return FunctionKey(paths[0], "main") if len(paths) == 1 else None
