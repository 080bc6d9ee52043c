"""The IR's text form and its validator."""

import random

import msgspec
import pytest

from vmfdlint.base import Span
from vmfdlint.ir import (
    Address,
    Assign,
    Assume,
    Block,
    Call,
    Const,
    Field,
    Flags,
    FuncRef,
    Function,
    FunctionKey,
    Indirect,
    Instr,
    Member,
    Named,
    Opaque,
    Operand,
    Place,
    Return,
    Root,
    Text,
    Unparsed,
    Via,
    parse_function,
    print_function,
    validate,
)

SHORT = """
function accel/kvm/kvm-all.c::kvm_open(s, path)
  attributes static
  type s KVMState
  values cd
b0:
  %t0 = call open(path, {O_CLOEXEC|O_RDWR})   // the system descriptor
  s->fd<KVMState> = %t0
  -> b1, b2
b1:
  assume %t0 < 0
  -> b3
b2: unbounded
  assume %t0 >= 0
  cd.fd<kvm_create_device> = -1{errno}
  mcall s->ops<KVMState>.init<Ops>(&cd, fn:handler, "a \\"b\\"\\n", flags |{O_CLOEXEC}, ?"sum", 0)
  icall func(@opaque->*, @@gic_fd, @{arm/x.c}y, a[3], p->[]) via RUN
  -> b2, b3  goto @7:3-7:12
b3: label fail
  unparsed {a|b}
  return -22{EINVAL}
"""


def test_short_form_reads_and_round_trips() -> None:
    function = parse_function(SHORT)
    assert validate(function) == ()
    assert parse_function(print_function(function)) == function
    assert function.key == FunctionKey("accel/kvm/kvm-all.c", "kvm_open")
    call = function.blocks[0].instrs[0]
    assert isinstance(call, Call)
    assert call.args[1] == Const(None, ("O_CLOEXEC", "O_RDWR"))
    assert call.at.line == 7
    member = function.blocks[2].instrs[2]
    assert isinstance(member, Call)
    assert isinstance(member.target, Member)
    assert (member.target.record, member.target.field) == ("Ops", "init")
    indirect = function.blocks[2].instrs[3]
    assert isinstance(indirect, Call)
    assert indirect.via == Via("RUN")
    assert indirect.args[1] == Place(Root.GLOBAL, "gic_fd", (), "accel/kvm/kvm-all.c")
    assert function.blocks[2].jump == Span("accel/kvm/kvm-all.c", 7, 3, 7, 12)


def test_keywords_may_be_names_of_locals() -> None:
    function = parse_function(
        "function f(call)\nb0:\n  call = 1\n  return = call\n  assume = icall call(mcall)\n"
        "  unparsed = fn\n  function = 1\n  return call\n"
    )
    assert parse_function(print_function(function)) == function
    assert function.blocks[0].instrs[3] == Assign(
        Place(Root.LOCAL, "unparsed"), Place(Root.LOCAL, "fn"), Span("", 6, 1, 6, 1)
    )


class _Maker:
    """Random values of the IR."""

    names = ("fd", "%t1", "fd#2", "f.n", "call", "assume", "a b", "it's", 'q"', "é", "[x]", "*", "<file>", "")

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def name(self) -> str:
        return self.random.choice(self.names[:-1])

    def sorted_names(self) -> tuple[str, ...]:
        return tuple(sorted({self.name() for _ in range(self.random.randrange(3))}))

    def span(self) -> Span:
        line, col = self.random.randrange(1, 50), self.random.randrange(1, 50)
        path = self.random.choice(("a/b.c", "a/b.c", "other-file.h", "odd 'name}.c"))
        return Span(path, line, col, line + self.random.randrange(2), col + self.random.randrange(2))

    def place(self) -> Place:
        fields = tuple(
            Field(
                self.random.choice((self.name(), "*", "[]", "[12]", "[-1]")),
                self.random.choice(("", "", "KVMState", "odd <one>")),
                self.random.random() < 0.5,
            )
            for _ in range(self.random.randrange(3))
        )
        if self.random.random() < 0.5:
            return Place(Root.LOCAL, self.name(), fields)
        return Place(Root.GLOBAL, self.name(), fields, self.random.choice(("", "a/b.c", "c.c", "odd'.c")))

    def operand(self) -> Operand:
        makers = (
            self.place,
            lambda: Const(self.random.choice((None, 0, -1, 17)), self.sorted_names()),
            lambda: Text(self.name() + '\n\t"\\'),
            lambda: Flags(self.place(), self.sorted_names(), self.sorted_names()),
            lambda: Address(self.place()),
            lambda: FuncRef(self.name()),
            lambda: Opaque(self.random.choice(("", "a sum", '"')), self.random.choice((None, self.place()))),
        )
        return self.random.choice(makers)()

    def call(self) -> Call:
        place = self.place()
        member = msgspec.structs.replace(place, fields=(*place.fields, Field(self.name(), "R", True)))
        target = self.random.choice(
            (
                Named(self.name()),
                Indirect(place),
                Member("R", member.fields[-1].name, member),
                Member("", self.name(), member),
            )
        )
        dst = self.random.choice((None, self.place()))
        args = tuple(self.operand() for _ in range(self.random.randrange(3)))
        return Call(dst, target, args, self.span(), Via(self.random.choice(("", "M"))))

    def instr(self) -> Instr:
        makers = (
            lambda: Assign(self.place(), self.operand(), self.span()),
            self.call,
            lambda: Assume(
                self.place(), self.random.choice(("==", "<", ">=", "&", "!&")), self.operand(), self.span()
            ),
            lambda: Return(self.random.choice((None, self.operand())), self.span()),
            lambda: Unparsed(self.sorted_names(), self.span()),
        )
        return self.random.choice(makers)()

    def function(self) -> Function:
        blocks = tuple(
            Block(
                tuple(self.instr() for _ in range(self.random.randrange(4))),
                tuple(self.random.sample(range(3), self.random.randrange(3))),
                self.random.choice(("", self.name())),
                self.random.choice((None, self.span())),
                self.random.random() < 0.3,
            )
            for _ in range(3)
        )
        return Function(
            FunctionKey("a/b.c", self.name()),
            tuple(self.name() for _ in range(self.random.randrange(3))),
            blocks,
            self.span(),
            self.random.choice(((), ("static", "noreturn"))),
            self.random.choice(((), (("s", "KVMState"),))),
            self.random.choice(((), ("cd", "fds"))),
            self.random.choice((0, 5)),
        )


@pytest.mark.parametrize("seed", range(200))
def test_any_function_round_trips(seed: int) -> None:
    function = _Maker(seed).function()
    assert parse_function(print_function(function)) == function


def test_a_mistake_names_its_line() -> None:
    with pytest.raises(ValueError, match="line 3"):
        parse_function("function f()\nb0:\n  x = = 1\n")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("function f()\n", "no entry"),
        ("function f(a, a)\nb0:\n  return\n", "parameter occurs twice"),
        ("function f()\nb0:\n  -> b3\n", "does not exist"),
        ("function f()\nb0:\n  return\n  -> b0\n", "successor after a return"),
        ("function f()\nb0:\n  return\n  x = 1\n", "after a return"),
        ("function f()\nb0:\n  x = 1\n  assume x == 1\n", "assume after"),
        ("function f()\nb0:\n  return\nb1:\n  return\n", "b1: not reachable"),
        ("function f()  @1:1-2:1\nb0:\n  return  @5:1\n", "outside"),
        ("function f()\nb0:\n  return  @{other.c}2:1\n", "outside"),
        ("function f()\nb0:\n  x = {B|A}\n", "not sorted"),
    ],
)
def test_validate_finds(text: str, problem: str) -> None:
    assert any(problem in line for line in validate(parse_function(text)))
