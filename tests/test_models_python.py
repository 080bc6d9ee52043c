"""What rows say of languages with keywords and exceptions, and what calls of Python's library do."""

from pathlib import Path

import pytest
from model_calls import MODELS

from vmfdlint.base import Span
from vmfdlint.ir import (
    Call,
    Const,
    Field,
    FuncRef,
    Named,
    Opaque,
    Operand,
    Place,
    Root,
    Text,
    parse_function,
)
from vmfdlint.link.callbacks import callback_args
from vmfdlint.models import (
    Callback,
    Copy,
    Create,
    Duplicate,
    Keep,
    Kind,
    Linger,
    Map,
    Models,
    Own,
    PassOn,
    Port,
    Resolved,
    SetCloexec,
    Sign,
    Spawn,
    Truth,
    Worker,
    load_models,
    resolve,
)
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


# --- the shipped rows ---


def told(name: str, *args: Operand, keywords: tuple[str, ...] = ()) -> Resolved:
    """What the rows say of a call as it is written."""
    call = MODELS.ordered(Call(None, Named(name), args, HERE, keywords=keywords))
    found = resolve(MODELS, name, call.args)
    assert found is not None
    return found


FD = place("fd")
TRUE, FALSE = Const(1), Const(0, ("False",))


def test_copies_of_a_descriptor_and_who_inherits_them() -> None:
    one, two = Port(0), Port(1)
    assert told("os.dup", FD).effects == (Duplicate(one, Port(None), Truth.YES),)
    assert told("python2.os.dup", FD).effects == (Duplicate(one, Port(None), Truth.NO),)
    assert told("os.dup2", FD, Const(9)).effects == (Duplicate(one, Port(None), Truth.NO, two),)
    alone = told("os.dup2", FD, Const(9), FALSE, keywords=("inheritable",))
    assert alone.effects == (Duplicate(one, Port(None), Truth.YES, two),)
    for name, cloexec in (("F_DUPFD", Truth.NO), ("F_DUPFD_CLOEXEC", Truth.YES)):
        copied = told("fcntl.fcntl", FD, Const(None, (name,)), Const(9))
        assert copied.effects == (Duplicate(one, Port(None), cloexec),)


@pytest.mark.parametrize(
    ("inheritable", "on"), [(TRUE, Truth.NO), (FALSE, Truth.YES), (place("x"), Truth.MAYBE)]
)
def test_set_inheritable(inheritable: Operand, on: Truth) -> None:
    assert told("os.set_inheritable", FD, inheritable).effects == (SetCloexec(Port(0), on),)


@pytest.mark.parametrize(
    ("name", "flags", "cloexec"),
    [("os.open", "O_RDWR", Truth.YES), ("python2.os.open", "O_RDWR", Truth.NO), ("open", "O_RDWR", Truth.NO)],
)
def test_a_descriptor_is_born_close_on_exec_since_python_3_4(name: str, flags: str, cloexec: Truth) -> None:
    (made,) = told(name, Text("/dev/kvm"), Const(None, (flags,))).effects
    assert made == Create(Kind.SYSTEM, Port(None), cloexec)


def test_the_requests_of_kvm_by_any_name() -> None:
    by_number = told("fcntl.ioctl", FD, Const(0xAE01))
    assert by_number.failure is Sign.RAISES and by_number.api == "fcntl.ioctl(KVM_CREATE_VM)"
    for request in (
        Const(None, ("KVM_CREATE_VM",)),
        Const(None, ("CREATE_VM",)),
        FuncRef("linux.kvm.KVM_CREATE_VM"),
    ):
        assert told("fcntl.ioctl", FD, request) == by_number
    wrong_size = told("fcntl.ioctl", FD, Const(0x4020AE01))
    assert wrong_size.effects == by_number.effects
    assert Copy(Port(2, ("fd",)), Port(2, ("[1]",))) in told("fcntl.ioctl", FD, Const(0xC00CAEE0), FD).effects


def test_what_a_program_gets_that_is_started() -> None:
    command = Text("true")
    plain = told("subprocess.Popen", command).effects
    assert Spawn(Truth.NO) in plain and Spawn(Truth.YES) not in plain
    loose = told("subprocess.run", command, FALSE, keywords=("close_fds",)).effects
    assert Spawn(Truth.YES) in loose and Spawn(Truth.NO) not in loose
    assert Spawn(Truth.YES) in told("python2.subprocess.Popen", command).effects
    call = Call(None, Named("subprocess.Popen"), (command, FD, FD), HERE, keywords=("pass_fds", "stdin"))
    args = MODELS.ordered(call).args
    passed = [effect.fd for effect in told("subprocess.Popen", *args).effects if isinstance(effect, PassOn)]
    assert [args[port.arg] for port in passed if port.arg is not None and args[port.arg] == FD] == [FD, FD]


@pytest.mark.parametrize("method", ["Process.start", "Pool", "Manager"])
def test_workers_are_forked_by_one_context_alone(method: str) -> None:
    assert Worker() in told(f"multiprocessing.context.fork.{method}").effects
    for context in ("spawn", "forkserver"):
        assert told(f"multiprocessing.context.{context}.{method}").effects == (Spawn(Truth.NO),)


def test_a_pool_of_futures_forks_at_the_first_work() -> None:
    name = "concurrent.futures.fork.ProcessPoolExecutor"
    assert MODELS.is_neutral(name)
    assert told(f"{name}.submit", place("pool")).effects == (Worker(),)


def test_what_comes_in_by_a_message() -> None:
    told_flags = Const(None, ("MSG_CMSG_CLOEXEC",))
    (_, made) = told("socket.recv_fds", FD, Const(1), Const(1), told_flags).effects
    assert isinstance(made, Create) and made.cloexec is Truth.NO
    for flags, cloexec in ((told_flags, Truth.YES), (Const(0), Truth.NO)):
        effects = told("socket.socket.recvmsg", FD, Const(1), Const(24), flags).effects
        assert [one.cloexec for one in effects if isinstance(one, Create)] == [cloexec]


def test_objects_that_close_what_they_have() -> None:
    mapped = Map(Port(0), Port(None), None, owner=True, numbered=Truth.YES)
    assert told("mmap.mmap", FD, Const(4096)).effects == (mapped,)
    assert told("os.fdopen", FD).effects == (Own(Port(0), Port(None), owner=True),)
    alias = told("os.fdopen", FD, FALSE, keywords=("closefd",))
    assert not any(isinstance(effect, Own) for effect in alias.effects)
    opened = told("builtins.open", Text("/sys/kernel/debug/kvm/1-3/exits"))
    assert opened.effects[0] == Create(Kind.DEBUGFS, Port(None), Truth.YES, owner=True)


@pytest.mark.parametrize(
    ("args", "waits"), [((), 1), ((Const(0),), 0), ((Const(5),), 1), ((NONE,), 1), ((place("t"),), 1)]
)
def test_a_select_without_a_timeout_waits(args: tuple[Operand, ...], waits: int) -> None:
    found = told("select.select", FD, FD, FD, *args).effects
    assert sum(isinstance(effect, Linger) for effect in found) == waits


def test_the_arguments_of_a_thread() -> None:
    """Out of its tuple; the object of a bound method comes first."""
    function = parse_function("""
function a.py::f(vm)
b0:
  %t0->[0] = vm
  %t1 = call threading.Thread(target=fn:work, args=%t0)
  %t2 = call threading.Thread(target=fn:Vm.run, args=%t0, '%self'=vm)
  return
""")
    plain, bound = Flow(function, MODELS).calls
    for given, first in ((plain, place("%t0", "[0]")), (bound, place("vm"))):
        effect, kept = told("threading.Thread", *given.args).effects
        assert kept == Keep(Port(3, ("[]",)))
        assert isinstance(effect, Callback) and effect.when == "thread"
        assert callback_args(effect, given)[0] == first


def test_roots_are_methods_that_the_library_calls() -> None:
    assert MODELS.is_root("Handler.handle") and not MODELS.is_root("handle")
