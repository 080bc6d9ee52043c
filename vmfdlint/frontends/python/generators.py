"""Context managers made of generators: ``@contextmanager def vm(): ...; yield fd; ...`` as a class.

In: such a function. Out: a class of its name whose object holds the locals: ``__init__`` takes the arguments,
``__enter__`` runs to the ``yield`` and returns what it gives, ``__exit__`` runs what follows, ``__throw__``
what an exception thrown there comes to.
"""

import libcst as cst
import msgspec

from vmfdlint.frontends.python import scopes
from vmfdlint.frontends.python.lower_stmt import Statements
from vmfdlint.frontends.python.module import Class, Parameter, Signature
from vmfdlint.frontends.python.scopes import Scope
from vmfdlint.frontends.python.state import NONE, File
from vmfdlint.frontends.python.syntax import walk
from vmfdlint.ir import Block, Function, FunctionKey, Place, Root

_MANAGERS = ("contextmanager", "asynccontextmanager")
_OBJECT = "%gen"


class Made(msgspec.Struct, frozen=True):
    """What a generator becomes."""

    made: Class
    functions: dict[str, Function]
    signatures: dict[str, Signature]


def is_manager(node: cst.FunctionDef, names: Statements) -> bool:
    """Whether a function is decorated as a context manager and yields."""
    decorators = [
        (names.static_name(each.decorator) or "").rpartition(".")[2]
        for each in node.decorators
        if not isinstance(each.decorator, cst.Call)
    ]
    if not any(each in _MANAGERS for each in decorators):
        return False
    return any(isinstance(each, cst.Yield) for statement in node.body.body for each in walk(statement))


def split(node: cst.FunctionDef, file: File, around: tuple[Scope, ...], name: str, owner: str) -> Made | None:
    """The class that stands for a context manager; None where no ``yield`` is reached."""
    scope = around[0]
    record = f"{file.module}.{name}"
    place = Place(Root.LOCAL, _OBJECT)
    params = [each.name.value for each in scopes.parameters(node)]
    lowering = Statements(file, around, "")
    lowering.generator = place
    if owner and params:
        lowering.receiver = params[0]
    lowering.suite(node.body)
    lowering.falls_off(node)
    if not lowering.stops:
        return None
    whole = lowering.graph
    whole.keep([block for pair in lowering.stops for block in pair])
    blocks, kept = whole.numbered()
    at = file.positions.span(node)
    functions: dict[str, Function] = {}
    signatures: dict[str, Signature] = {}

    def add(method: str, params: tuple[str, ...], body: tuple[Block, ...], given: Signature) -> None:
        key = f"{name}.{method}"
        functions[key] = Function(FunctionKey(file.path, key), params, body, at, (), ((_OBJECT, record),))
        signatures[key] = given

    own = Parameter(_OBJECT)
    store = Statements(file, around, "")
    store.generator = place
    for each in params:
        store.assign(store.variable(each, scope), Place(Root.LOCAL, each), node)
    store.returns(NONE, node)
    from_node = [
        Parameter(each.name.value, "plain", each.default is not None) for each in scopes.parameters(node)
    ]
    init = Signature((own, *from_node), "method", name)
    add("__init__", (_OBJECT, *params), store.graph.blocks(), init)
    alone = Signature((own,), "method", name)
    add("__enter__", (_OBJECT,), _from(blocks, 0), alone)
    add("__exit__", (_OBJECT,), _from(blocks, *(kept[behind] for behind, _raised in lowering.stops)), alone)
    add("__throw__", (_OBJECT,), _from(blocks, *(kept[raised] for _behind, raised in lowering.stops)), alone)
    methods = ("__init__", "__enter__", "__exit__", "__throw__")
    return Made(Class(name, (), methods), functions, signatures)


def _from(blocks: tuple[Block, ...], *starts: int) -> tuple[Block, ...]:
    """The part of a graph that is reached from some blocks, the entry before it."""
    seen = list(dict.fromkeys(starts))
    for number in seen:
        seen.extend(each for each in blocks[number].successors if each not in seen)
    shift = 0 if len(starts) == 1 and not _led_to(blocks, seen, starts[0]) else 1
    number_of = {old: new + shift for new, old in enumerate(seen)}
    found = [
        msgspec.structs.replace(
            blocks[old], successors=tuple(number_of[each] for each in blocks[old].successors)
        )
        for old in seen
    ]
    if shift:
        entry = Block((), tuple(dict.fromkeys(number_of[each] for each in starts)))
        return (entry, *found)
    return tuple(found)


def _led_to(blocks: tuple[Block, ...], seen: list[int], start: int) -> bool:
    return any(start in blocks[each].successors for each in seen)
