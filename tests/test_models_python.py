"""What rows say of languages with keywords and exceptions, and what calls of Python's library do."""

from pathlib import Path

import pytest

from vmfdlint.base import Span
from vmfdlint.ir import Call, Const, Field, Named, Opaque, Operand, Place, Root, Text, parse_function
from vmfdlint.models import Models, Sign, load_models, resolve
from vmfdlint.summary import Flow

HERE = Span("a.py", 1, 1, 1, 1)

ROWS = """
[constants]
LIMIT = 7

[[api]]
names = ["start"]
signature = "args, size=-1, stdin=None, close=True, *, cwd='.', fds=(), most=LIMIT"
effects = [ { spawn = { inherits = "arg 3 == 0" } }, { pass_on = { fd = "arg 2" }, when = "arg 2 != 0" } ]

[[api]]
names = ["control"]
failure = "negative"
select = "arg 1"
[api.case.X_MAKE]
value = 3
effects = [ { create = { kind = "vm", at = "ret", cloexec = "yes" } } ]

[[api]]
names = ["lib.control"]
like = "control"
failure = "raises"
signature = "fd, request, arg=0"
omits = ["X_"]
"""

MORE = """
[[api]]
names = ["control"]
extends = true
select = "arg 1"
[api.case.X_STAT]
value = 4
effects = [ { create = { kind = "stats", at = "ret", cloexec = "yes" } } ]
"""


@pytest.fixture
def models(tmp_path: Path) -> Models:
    """A few rows, in two files of which the first speaks of what the second adds to."""
    (tmp_path / "a.toml").write_text(ROWS)
    (tmp_path / "b.toml").write_text(MORE)
    found, problems = load_models([tmp_path])
    assert not problems
    return found


def place(name: str, *steps: str) -> Place:
    return Place(Root.LOCAL, name, tuple(Field(step, deref=True) for step in steps))


def ordered(models: Models, *args: Operand, keywords: tuple[str, ...] = ()) -> tuple[Operand, ...]:
    """The arguments of a call of ``start`` as the rows count them."""
    return models.ordered(Call(None, Named("start"), args, HERE, keywords=keywords)).args


NONE = Const(0, ("None",))
REST = (Const(-1), NONE, Const(1), Text("."), Opaque(), Const(7, ("LIMIT",)))


def test_what_a_call_leaves_out_is_filled_in(models: Models) -> None:
    assert ordered(models, Text("true")) == (Text("true"), *REST)
    assert ordered(models) == (Opaque(), *REST)


def test_named_arguments_go_to_their_places(models: Models) -> None:
    vm = place("vm")
    given = ordered(models, Text("true"), Const(0), vm, keywords=("close", "stdin"))
    assert given == (Text("true"), Const(-1), vm, Const(0), *REST[3:])


def test_a_name_that_no_parameter_has_goes(models: Models) -> None:
    assert ordered(models, Text("true"), Const(0), keywords=("unheard_of",)) == (Text("true"), *REST)


def test_more_arguments_than_the_signature_knows_stay(models: Models) -> None:
    many = tuple(Const(number) for number in range(9))
    assert ordered(models, *many) == many


def test_arguments_out_of_a_sequence_and_a_mapping(models: Models) -> None:
    args, options = place("args"), place("options")
    given = ordered(models, Text("true"), args, keywords=("*",))
    assert given[:4] == (Text("true"), *(place("args", f"[{number}]") for number in range(3)))
    given = ordered(models, Text("true"), Const(0), options, keywords=("close", "**"))
    assert given[2:4] == (place("options", "[stdin]"), Const(0))
    assert ordered(models, Text("true"), Opaque(), keywords=("**",))[1:] == (Opaque(),) * 6


def test_a_flow_has_every_argument_in_its_place(models: Models) -> None:
    function = parse_function("""
function a.py::f(vm)
b0:
  %t0 = call start("true", stdin=vm, close=0)
  %t1 = call other(vm, name=1)
  return
""")
    start, other = Flow(function, models).calls
    assert start.args[2:4] == (place("vm"), Const(0)) and not start.keywords
    assert other is next(iter(function.blocks[0].instrs[1:]))


def test_a_row_that_is_like_another_knows_its_cases_and_those_added_to_it(models: Models) -> None:
    fd = place("fd")
    for name, number in (("X_MAKE", 3), ("X_STAT", 4)):
        known = resolve(models, "control", (fd, Const(number)))
        assert known is not None and known.effects
        for request in (Const(None, (name,)), Const(number), Const(None, (name.removeprefix("X_"),))):
            found = resolve(models, "lib.control", (fd, request, Const(0)))
            assert found is not None
            assert (found.effects, found.failure) == (known.effects, Sign.RAISES)
            assert found.api == f"lib.control({name})"
        assert resolve(models, "control", (fd, Const(None, (name.removeprefix("X_"),)))) != known


def test_short_names_are_told_apart(models: Models) -> None:
    assert models.interesting_names() == {"X_MAKE", "X_STAT"}
    assert models.short_names() == {"MAKE", "STAT"}


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ('signature = "a, b=, c"', "is no signature"),
        ('signature = "a, *rest, c=1"', "nothing can stand behind *rest"),
        ('like = "opem"', "did you mean 'open'?"),
        ('like = "open"\neffects = [ { exit = {} } ]', "says nothing of effects"),
        ('omits = ["X_"]', "needs 'select'"),
    ],
)
def test_what_is_wrong_with_a_row_is_told(tmp_path: Path, row: str, words: str) -> None:
    path = tmp_path / "rows.toml"
    path.write_text(f'[[api]]\nnames = ["open"]\n\n[[api]]\nnames = ["mine"]\n{row}\n')
    _, (problem,) = load_models([path])
    assert words in problem.text and f"{path}:" in problem.text
