"""Objects that close what they have, through hand-written IR: what goes with a variable, and what stays."""

from pathlib import Path

import pytest
from test_solve import happened, lost_where, solved

from vmfdlint.check import match
from vmfdlint.models import Models, load_models, rules_directory
from vmfdlint.rulebook import load_rules
from vmfdlint.solve import Happening, Solver

ROWS = """
[[api]]
names = ["create_vm"]
failure = "raises"
effects = [ { create = { kind = "vm", at = "ret", cloexec = "yes" } } ]

[[api]]
names = ["create_vcpu"]
effects = [ { create = { kind = "vcpu", at = "ret", cloexec = "yes" } } ]

[[api]]
names = ["file_of"]
effects = [ { own = { fd = "arg 0", at = "ret", owner = true } } ]

[[api]]
names = ["map_of"]
effects = [ { map = { fd = "arg 0", at = "ret", owner = true } } ]

[[api]]
names = ["map_close"]
effects = [ { unmap = { at = "arg 0", asks_views = true } } ]

[[api]]
names = ["view_of"]
effects = [ { export = { of = "arg 0", at = "ret" } } ]

[[api]]
names = ["let_go"]
effects = [ { drop = { pointer = "arg 0" } } ]

[[api]]
names = ["start_worker"]
effects = [ { worker = {} } ]

[[api]]
names = ["keep_it"]
effects = [ { keep = { value = "arg 0" } } ]

[[api]]
names = ["fork_pair"]
failure = "raises"
effects = [ { fork = { shares_files = "no", shares_memory = "no", at = "ret [0]" } } ]
"""


@pytest.fixture
def objects(tmp_path: Path) -> Models:
    """The shipped models, and calls that make and drop objects."""
    path = tmp_path / "rows.toml"
    path.write_text(ROWS)
    models, problems = load_models([rules_directory() / "models", path])
    assert not problems
    return models


MADE = """
function vm.c::main()
b0:
  vm = call create_vm({{KVM_CREATE_VM}})
  -> b1, b2
b1:
  assume %raised == 0
{body}
  call pause()
  return 0
b2:
  assume %raised != 0
  return 0
"""


def made(body: str, models: Models) -> Solver:
    """A VM in ``vm``, then what ``body`` does, then a wait."""
    lines = "\n".join(f"  {line}" for line in body.strip().splitlines())
    return solved(MADE.format(body=lines), models)


def findings(solver: Solver) -> list[str]:
    rules = load_rules()
    return [found.rule for found in match(solver, rules, frozenset(rule.doc.id for rule in rules))]


@pytest.mark.parametrize(
    ("body", "closed", "lost"),
    [
        ("file = call file_of(vm)\nvm = 0\nfile = 0", True, False),
        ("file = call file_of(vm)\nvm = 0\ncall let_go(file)", True, False),
        ("vm = 0", False, True),
        ("file = call file_of(vm)\nfile = 0", False, False),
        ("file = call file_of(vm)\nother = file\nvm = 0\ncall let_go(file)", False, False),
    ],
)
def test_an_object_closes_what_it_has_when_nothing_refers_to_it(
    objects: Models, body: str, closed: bool, lost: bool
) -> None:
    solver = made(body, objects)
    assert bool(happened(solver, Happening.CLOSE)) is closed
    assert (lost_where(solver) == ["pause"]) is lost


@pytest.mark.parametrize(
    ("body", "lost"),
    [
        ("box->fd<Box> = vm\nvm = 0\ncall let_go(box)", True),
        ("box->fd<Box> = vm\nvm = 0\n@shared = box\ncall let_go(box)", False),
        ("box->fd<Box> = vm\nvm = 0\nlist->[] = box\ncall let_go(box)", False),
        ("list->[] = box\nbox->fd<Box> = vm\nvm = 0\ncall let_go(box)", False),
        ("call keep_it(box)\nbox->fd<Box> = vm\nvm = 0\ncall let_go(box)", False),
        ("box->fd<Box> = vm\nvm = 0\ncall harmless(box)\ncall let_go(box)", False),
        ("box->fd<Box> = vm\nvm = 0\ncall strlen(box)\ncall let_go(box)", True),
        ("list->[0] = vm\nvm = 0\ncall let_go(list)", True),
        ("list->[] = vm\nvm = 0\nfirst = list->[3]\ncall let_go(list)", False),
    ],
)
def test_what_a_variable_lets_go_of(objects: Models, body: str, lost: bool) -> None:
    assert (lost_where(made(body, objects)) == ["pause"]) is lost


def test_the_result_that_nobody_takes_is_lost_at_its_call(objects: Models) -> None:
    solver = solved(
        """
function vm.c::main()
b0:
  %t0 = call create_vm({KVM_CREATE_VM})
  -> b1, b2
b1:
  assume %raised == 0
  call pause()
  return 0
b2:
  assume %raised != 0
  return 0
""",
        objects,
    )
    assert [one.at.line for one in happened(solver, Happening.LOST)] == [4]
    assert lost_where(solver) == ["pause"]


def test_a_worker_is_seen_with_all_that_is_open(objects: Models) -> None:
    solver = made("vcpu = call create_vcpu(vm)\ncall start_worker()", objects)
    kinds = {one.fact.object.kind.value for one in happened(solver, Happening.WORKER) if one.fact.object}
    assert kinds == {"vm", "vcpu"}
    assert findings(solver).count("VMFD105") == 1


@pytest.mark.parametrize(
    "body", ["call close(vm)\ncall start_worker()", "x = call dup(3)\ncall start_worker()"]
)
def test_a_worker_that_gets_nothing_is_none(objects: Models, body: str) -> None:
    found = findings(made(body, objects))
    assert ("VMFD105" in found) is ("close" not in body)


@pytest.mark.parametrize(
    ("body", "fails"),
    [
        ("view = call view_of(run)\ncall map_close(run)", True),
        ("view = call view_of(run)\nsecond = call view_of(view)\nview = 0\ncall map_close(run)", True),
        ("view = call view_of(run)\nother = view\nview = 0\ncall map_close(run)", True),
        ("view = call view_of(run)\ncall let_go(view)\ncall map_close(run)", False),
        ("view = call view_of(run)\nview = 0\ncall map_close(run)", False),
        ("view = call view_of(run)\ncall map_close(run)\ncall let_go(view)\ncall map_close(run)", False),
        ("call map_close(run)", False),
    ],
)
def test_a_view_keeps_the_mapping(objects: Models, body: str, fails: bool) -> None:
    before = "vcpu = call create_vcpu(vm)\nrun = call map_of(vcpu)\ncall close(vcpu)\ncall close(vm)\n"
    assert ("VMFD505" in findings(made(before + body, objects))) is fails


def test_the_child_of_a_fork_that_gives_a_pair(objects: Models) -> None:
    solver = made("call close(vm)", objects)
    assert not happened(solver, Happening.FORK)
    forked = solved(
        """
function vm.c::main()
b0:
  vm = call create_vm({KVM_CREATE_VM})
  -> b1, b5
b1:
  assume %raised == 0
  %t1 = call fork_pair()
  -> b2, b5
b2:
  assume %raised == 0
  pid = %t1->[0]
  -> b3, b4
b3:
  assume pid == 0
  call pause()
  return 0
b4:
  assume pid != 0
  call sleep(1)
  return 0
b5:
  assume %raised != 0
  return 0
""",
        objects,
    )
    waits = {(one.detail, one.fact.in_child) for one in happened(forked, Happening.LINGER)}
    assert ("pause", True) in waits and ("pause", False) not in waits
    assert ("sleep", True) not in waits
