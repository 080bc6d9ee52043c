"""The solver without a front-end: the automaton's laws for all states, and facts through hand-written IR."""

from itertools import product
from pathlib import Path

import pytest

from vmfdlint.base import Problem, SourceText
from vmfdlint.frontends.c import scan
from vmfdlint.frontends.contract import Damage, Index, Sketch
from vmfdlint.ir import Block, Function, FunctionKey
from vmfdlint.ir.text import parse_functions
from vmfdlint.link import Lexicon, Program
from vmfdlint.models import Models, default_models, load_models, rules_directory
from vmfdlint.solve import Happening, Life, Observation, Process, Solver, State
from vmfdlint.solve.typestate import BOTTOM, STATES, TOP, Event, bit, join, leq, lift, members, step

# Each state alone, nothing, everything, and every pair: enough for laws that hold pointwise.
SETS = sorted({BOTTOM, TOP, *(bit(a) | bit(b) for a, b in product(STATES, STATES))})


def test_join_is_a_least_upper_bound() -> None:
    for one, other in product(SETS, SETS):
        both = join(one, other)
        assert both == join(other, one)
        assert leq(one, both) and leq(other, both)
        assert join(one, one) == one and join(one, BOTTOM) == one and join(one, TOP) == TOP
        assert leq(one, other) == (join(one, other) == other)


def test_join_is_associative() -> None:
    few = SETS[:: len(SETS) // 20]
    for one, other, third in product(few, few, few):
        assert join(join(one, other), third) == join(one, join(other, third))


@pytest.mark.parametrize("event", list(Event), ids=lambda event: event.name)
def test_events_distribute_over_join_and_are_monotone(event: Event) -> None:
    assert lift(event, BOTTOM) == BOTTOM
    for one, other in product(SETS, SETS):
        assert lift(event, join(one, other)) == join(lift(event, one), lift(event, other))
        if leq(one, other):
            assert leq(lift(event, one), lift(event, other))


@pytest.mark.parametrize("event", list(Event), ids=lambda event: event.name)
def test_lift_is_step_on_each_state(event: Event) -> None:
    for state in STATES:
        after = step(state, event)
        assert members(lift(event, bit(state))) == (() if after is None else (after,))


def test_each_component_moves_on_its_own() -> None:
    for state in STATES:
        closed = step(state, Event.CLOSE)
        assert closed == State(Life.CLOSED, state.inherit, state.process)
        for event in (Event.SET_CLOEXEC, Event.CLEAR_CLOEXEC):
            after = step(state, event)
            assert after == State(state.life, event is Event.CLEAR_CLOEXEC, state.process)
        child = step(state, Event.FORK_CHILD)
        assert child is not None and child.process is not Process.OWN


class Unit:
    """A file whose functions are given in the IR; its bytes only say which names they mention."""

    def __init__(self, source: SourceText, functions: dict[str, Function]) -> None:
        self._source = source
        self._functions = functions

    @property
    def sketches(self) -> tuple[Sketch, ...]:
        found = []
        for name in self._functions:
            start = self._source.data.index(f"int {name}(".encode())
            found.append(Sketch(name, start, self._source.data.index(b"\n}", start) + 2))
        return tuple(sorted(found, key=lambda sketch: sketch.start))

    @property
    def outline(self) -> dict[str, tuple[str, ...]]:
        return {}

    def holders(self, _offset: int) -> tuple[str, ...] | None:
        return None

    @property
    def problems(self) -> tuple[Problem, ...]:
        return ()

    def lower(self, sketch: Sketch) -> Function:
        return self._functions[sketch.name]

    def forget(self) -> None:
        pass

    def damage(self, sketch: Sketch) -> Damage:
        return Damage(sketch.end - sketch.start, 0, 0)

    def toplevel(self) -> Function:
        any_function = next(iter(self._functions.values()))
        return Function(FunctionKey(self._source.path, "<file>"), (), (Block((), ()),), any_function.at)


def solved(text: str, models: Models | None = None) -> Solver:
    """IR of one file, ``vm.c`` -> its program, solved."""
    functions = {function.key.name: function for function in parse_functions(text)}
    stubs = []
    for name in functions:
        body = text.split(f"function vm.c::{name}(")[1].split("function vm.c::")[0]
        stubs.append(f"int {name}(void)\n{{\n{body}\n}}\n".replace("call ", "").replace("{KVM", "KVM"))
    source = SourceText("vm.c", "\n".join(stubs).encode())

    def open_unit(given: SourceText, _index: Index) -> Unit:
        return Unit(given, functions)

    lexicon = Lexicon({"vm.c": source}, {"vm.c": scan(source.data)})
    known = default_models() if models is None else models
    solver = Solver(Program(lexicon, open_unit), known, lambda _source, _names: frozenset())
    solver.run()
    return solver


def happened(solver: Solver, what: Happening) -> list[Observation]:
    return [seen for seen in solver.observations if seen.what is what]


FORKED = """
function vm.c::main()
b0:
  vm = call ioctl(kvm, {{KVM_CREATE_VM}}, 0)
  pid = call fork()
  -> b1, b2
b1:
  assume pid == 0
{child}
  return 0
b2:
  assume pid != 0
  return 0
"""


def test_a_child_that_waits_is_seen_with_its_copy() -> None:
    seen = happened(solved(FORKED.format(child="  call pause()")), Happening.LINGER)
    assert any(one.fact.in_child and one.fact.is_open and one.fact.places == (("vm",),) for one in seen)


def test_a_child_that_closes_first_holds_nothing_where_it_waits() -> None:
    seen = happened(solved(FORKED.format(child="  call close(vm)\n  call pause()")), Happening.LINGER)
    assert not any(one.fact.in_child and one.fact.is_open for one in seen)


LEAKING = """
function vm.c::make()
b0:
  vm = call ioctl(kvm, {{KVM_CREATE_VM}}, 0)
  -> b1, b2
b1:
  assume vm < 0
  return -1
b2:
  assume vm >= 0
{release}
  return 0
function vm.c::main()
b0:
  call make()
  call pause()
  return 0
"""


def test_a_local_that_dies_open_is_lost_where_the_caller_waits() -> None:
    solver = solved(LEAKING.format(release=""))
    assert len(happened(solver, Happening.LOST)) == 1
    assert [one.fact.state.life for one in happened(solver, Happening.LINGER)] == [Life.LOST]


def test_a_local_that_is_closed_is_not_lost() -> None:
    solver = solved(LEAKING.format(release="  call close(vm)"))
    assert not happened(solver, Happening.LOST)
    assert len(happened(solver, Happening.CLOSE)) == 1


def test_a_request_that_the_caller_chooses_creates_in_its_context_only() -> None:
    solver = solved("""
function vm.c::request(fd, type)
b0:
  ret = call ioctl(fd, type, 0)
  return ret
function vm.c::main()
b0:
  vm = call request(kvm, {KVM_CREATE_VM})
  version = call request(kvm, {KVM_GET_API_VERSION})
  call close(vm)
  return 0
""")
    created = happened(solver, Happening.CREATE)
    assert [(one.site.function.name, one.detail) for one in created] == [("request", "ioctl(KVM_CREATE_VM)")]
    closed = happened(solver, Happening.CLOSE)
    assert [one.fact.places for one in closed] == [(("vm",),)]


# --- exceptions ---

ROWS = """
[[api]]
names = ["create_vm"]
failure = "raises"
effects = [ { create = { kind = "vm", at = "ret", cloexec = "yes" } } ]

[[api]]
names = ["ask"]
failure = "raises"
effects = [ { use = { fd = "arg 0" } } ]

[[api]]
names = ["replace"]
failure = "raises"
effects = [ { exec = {} } ]

[[neutral]]
names = ["harmless"]
"""


@pytest.fixture
def raising(tmp_path: Path) -> Models:
    """The shipped models, and calls that fail by an exception."""
    path = tmp_path / "rows.toml"
    path.write_text(ROWS)
    models, problems = load_models([rules_directory() / "models", path])
    assert not problems
    return models


HANDLED = """
function vm.c::main()
b0:
  vm = call create_vm({{KVM_CREATE_VM}})
  -> b1, b2
b1:
  assume %raised == 0
  x = call {call}
  -> b3, b4
b2:
  assume %raised != 0
  %raised = 0
  call sleep(1)
  return 0
b3:
  assume %raised == 0
  call pause()
  return 0
b4:
  assume %raised != 0
  %raised = 0
  vm = -1
  call poll(0)
  return 0
"""


def lost_where(solver: Solver) -> list[str]:
    """The waits of a process that has lost its VM."""
    waits = happened(solver, Happening.LINGER)
    return [one.detail for one in waits if one.fact.state.life is Life.LOST]


def followed_to(solver: Solver, block: int) -> bool:
    """Whether a reference is followed into a block of main, past the question it begins with."""
    return any(fact.object for fact in solver.tabulation.at.get((FunctionKey("vm.c", "main"), block, 1), {}))


@pytest.mark.parametrize(
    ("call", "normal", "handler"),
    [
        ("ask(vm)", True, True),
        ("harmless(vm)", True, False),
        ("close_range(3, 3, 0)", True, False),
        ("replace()", False, True),
        ("unheard_of()", True, False),
    ],
)
def test_a_call_goes_on_as_its_model_says(raising: Models, call: str, normal: bool, handler: bool) -> None:
    solver = solved(HANDLED.format(call=call), raising)
    assert (followed_to(solver, 3), followed_to(solver, 4)) == (normal, handler)
    assert lost_where(solver) == (["poll"] if handler else [])
    assert not followed_to(solver, 2)  # there is a VM only where the call that makes it returned


CALLEE = """
function vm.c::work({params})
b0:
  n = call {call}
  -> b1, b2
b1:
  assume %raised == 0
  return 0
b2:
  assume %raised != 0
{handler}
  return
"""


@pytest.mark.parametrize("params", ["", "fd"])
@pytest.mark.parametrize(
    ("call", "handler", "raises"),
    [
        ("ask(fd)", "  %raised = 1", True),
        ("ask(fd)", "  %raised = 0", False),
        ("harmless(fd)", "  %raised = 1", False),
    ],
)
def test_an_exception_leaves_the_callee(
    raising: Models, params: str, call: str, handler: str, raises: bool
) -> None:
    """With the VM as an argument the callee is entered or not; its summary says the same."""
    text = HANDLED.format(call="work(vm)" if params else "work()")
    solver = solved(text + CALLEE.format(params=params, call=call, handler=handler), raising)
    assert solver.behaviour.endings.raises(FunctionKey("vm.c", "work")) is raises
    assert followed_to(solver, 3) and followed_to(solver, 4) is raises


def test_what_a_callee_closed_before_it_raised_is_closed_in_the_handler(raising: Models) -> None:
    text = (
        HANDLED.format(call="work(vm)")
        + """
function vm.c::work(fd)
b0:
  call close(fd)
  n = call ask(0)
  -> b1, b2
b1:
  assume %raised == 0
  return 0
b2:
  assume %raised != 0
  %raised = 1
  return
"""
    )
    solver = solved(text, raising)
    assert lost_where(solver) == []
    assert len(happened(solver, Happening.CLOSE)) == 1


MADE_BELOW = """
function vm.c::make()
b0:
  fd = call create_vm({{KVM_CREATE_VM}})
  -> b1, b2
b1:
  assume %raised == 0
  n = call ask(fd)
  -> b3, b2
b2:
  assume %raised != 0
  %raised = 1
  return
b3:
  assume %raised == 0
  return fd
{main}
"""


def test_what_an_exception_leaves_behind_is_lost_where_a_handler_goes_on(raising: Models) -> None:
    text = MADE_BELOW.format(
        main="""
function vm.c::main()
b0:
  vm = call make()
  -> b1, b2
b1:
  assume %raised == 0
  call pause()
  return 0
b2:
  assume %raised != 0
  %raised = 0
  call poll(0)
  return 0
"""
    )
    solver = solved(text, raising)
    assert [(one.site.function.name, one.at.line) for one in happened(solver, Happening.LOST)] == [
        ("make", 13)
    ]
    assert lost_where(solver) == ["poll"]


def test_an_exception_that_nobody_handles_ends_the_process(raising: Models) -> None:
    solver = solved(MADE_BELOW.format(main=""), raising)
    assert len(happened(solver, Happening.LOST)) == 1
    assert lost_where(solver) == []


def test_the_end_of_a_program_that_is_no_main_loses_nothing(raising: Models) -> None:
    text = """
function vm.c::statements()
  {attributes}
b0:
  vm = call create_vm({{KVM_CREATE_VM}})
  return
"""
    assert not happened(solved(text.format(attributes="attributes entry"), raising), Happening.LOST)
    assert happened(solved(text.format(attributes=""), raising), Happening.LOST)
