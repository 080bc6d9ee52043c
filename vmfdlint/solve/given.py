"""What a call and a fact have to do with each other, as their words alone show it: which of its places an
argument gives away, whether a use or a test says something. In: facts, arguments. Out: truths, paths."""

from collections.abc import Iterable

from vmfdlint.ir import Address, Call, Operand
from vmfdlint.link import Edge
from vmfdlint.models import Kind
from vmfdlint.solve.boundary import given_names, names_inside
from vmfdlint.solve.facts import Fact
from vmfdlint.solve.typestate import Life
from vmfdlint.summary import Flow, Path, given_path, operand_path, path_of, starts_with, step_name


def member_of(cell: Path) -> str:
    """The member that a cell stands for: its last one, or the array whose element is the last."""
    return step_name(cell[1] if step_name(cell[-1]).startswith("[") else cell[-1])


def gives(fact: Fact, args: tuple[Operand, ...]) -> bool:
    """Whether an argument is a place of the fact itself, an array with one in an element, or the address of a
    variable with one in it."""
    for argument in args:
        if isinstance(argument, Address):
            base = path_of(argument.place)
            if any(starts_with(held, base) for held in fact.places):
                return True
        elif (path := operand_path(argument)) is not None and in_elements(fact, path):
            return True
    return False


def in_elements(fact: Fact, path: Path) -> bool:
    """Whether what an argument names holds the reference in an element: a list, an array, a number that is
    pointed to. No member tells by its name who touches that."""
    return any(
        starts_with(held, path) and all("[" in step for step in held[len(path) :]) for held in fact.places
    )


def use_matters(fact: Fact) -> bool:
    """Whether a mere use says something: in a child it fails, of a closed number it hits another file, of a
    copy it shows a move, of another process's descriptor it tells what it
    is, of a debugfs file that it does not wait, of a cgroup file it moves a process."""
    return (
        fact.in_child
        or fact.state.life is Life.CLOSED
        or (fact.object is not None and (fact.object.copy_of is not None or fact.object.is_foreign))
        or (fact.object is not None and fact.object.kind in (Kind.DEBUGFS, Kind.CGROUP))
    )


def leads_to(args: Iterable[Operand], fact: Fact) -> bool:
    """Whether some argument is a place of the fact, or leads to one."""
    given = filter(None, map(given_path, args))
    return any(starts_with(held, path) for path in given for held in fact.places)


def is_tested(edge: Edge, flow: Flow) -> bool:
    """Whether what a call answers decides a branch of its caller."""
    call = flow.function.blocks[edge.site.block].instrs[edge.site.index]
    return isinstance(call, Call) and call.dst is not None and path_of(call.dst) in flow.tested


def asks(fact: Fact, edge: Edge, flow: Flow, callee: Flow) -> bool:
    """Whether a call asks a question whose answer hangs on the reference, or on what is known beside it:
    ``if (fd_ok(vm->fd))``."""
    if not callee.is_predicate or not is_tested(edge, flow):
        return False
    known = (*fact.places, *(path for path, _value in fact.env))
    inside = {name for path in known for name in names_inside(path, edge.args, callee)}
    if not inside.isdisjoint(callee.tested):
        return True
    return any(given_path(argument) in inside for call in callee.calls for argument in call.args)


def decides(fact: Fact, edge: Edge, callee: Flow) -> bool:
    """Whether a child knows a member that the callee tests: what the callee waits for may hang on it."""
    return fact.in_child and any(
        len(path) > 1 and inside in callee.tested
        for path, _value in fact.env
        for inside in given_names(path, edge.args, callee)
    )
