"""What a person has to say where the analysis could not decide: the missing fact, and a row to state it.

In: why a finding is uncertain, or the calls that were given a holder and lead nowhere. Out: questions with
rows to paste into a model file.
"""

from collections.abc import Iterator, Sequence

from vmfdlint.check.incident import WORDS
from vmfdlint.finding import Question
from vmfdlint.solve import IN_CHILD, UNKNOWN_CALLEE, Solver

_ROW = """\
[[api]]
names = ["{name}"]
source = "where this is documented"
effects = []  # does nothing to descriptors and does not wait; \
else e.g. {{ close = {{ fd = "arg {arg}" }} }}, {{ linger = {{}} }}"""


def questions(via: Sequence[str]) -> tuple[Question, ...]:
    """One question for each unknown function among the reasons for doubt."""
    unknown = [reason for reason in via if reason.startswith(UNKNOWN_CALLEE)]
    names = [reason.removeprefix(UNKNOWN_CALLEE).removesuffix(IN_CHILD) for reason in unknown]
    return tuple(
        Question(
            f"what {name}() does is not known: whether it waits, and what becomes of what it is given",
            _ROW.format(name=name, arg=0),
        )
        for name in dict.fromkeys(names)
    )


def suggestions(solver: Solver) -> Iterator[str]:
    """For each unknown function that was given a holder: a row, and above it where that was seen, as TOML."""
    for name, seen in sorted(solver.tabulation.unknown.items()):
        places = sorted(seen.items(), key=lambda item: (item[1], item[0]))
        for (position, kind), at in places:
            yield f"# {at.path}:{at.line}: a {WORDS[kind]} as argument {position}"
        first = places[0][0][0]
        yield _ROW.format(name=name, arg=first) + "\n"
