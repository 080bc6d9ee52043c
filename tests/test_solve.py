"""The solver without a front-end: the automaton's laws for all states, and facts through hand-written IR."""

from itertools import product

import pytest

from vmfdlint.base import Problem, SourceText
from vmfdlint.frontends.c import scan
from vmfdlint.frontends.contract import Damage, Index, Sketch
from vmfdlint.ir import Block, Function, FunctionKey
from vmfdlint.ir.text import parse_functions
from vmfdlint.link import Lexicon, Program
from vmfdlint.models import default_models
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


def solved(text: str) -> Solver:
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
    solver = Solver(Program(lexicon, open_unit), default_models(), lambda _source, _names: frozenset())
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
