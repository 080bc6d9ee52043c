"""Decorated functions: a function under a decorator of the project is what that returns, a copy for each.

In: the raw modules. Out: the same where such a function has the body of its decorator's inner function, and
itself stands behind it under a name of its own. ``@logged def run(vm)`` is read as if ``logged`` had been
written out in ``run``: calls of one decorated function never run another one.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import msgspec

from vmfdlint.frontends.python.imports import Names
from vmfdlint.frontends.python.module import Module, Signature
from vmfdlint.ir import (
    Assign,
    Call,
    FuncRef,
    Function,
    FunctionKey,
    Indirect,
    Named,
    Place,
    Return,
    Root,
    reads,
    rewritten,
)

BARE = "-undecorated"
"""Ends the name of a function as it stands below its decorators."""


class _Wrapper(NamedTuple):
    """What a decorator of a ``module`` returns, and the variable in which that finds what it was given.
    ``makers``: the decorator, and the function inside it that returns the other one, if there is one."""

    module: Module
    makers: tuple[str, ...]
    function: Function
    signature: Signature
    given: Place


def decorated(modules: Mapping[str, Module], names: Names) -> dict[str, Module]:
    """The modules with their decorated functions written out."""
    found = dict(modules)
    used: dict[FunctionKey, _Wrapper] = {}
    for path, module in modules.items():
        for local, signature in module.signatures.items():
            wrappers = [
                wrapper
                for decorator in reversed(signature.decorators)
                if (wrapper := _wrapper(decorator, signature, path, names)) is not None
            ]
            if wrappers and local in module.functions:
                found[path] = _written_out(found[path], local, wrappers)
                used |= {wrapper.function.key: wrapper for wrapper in wrappers}
    named = frozenset(_named(modules)) if used else frozenset()
    for key, wrapper in used.items():
        if named.isdisjoint(f"{wrapper.module.name}.{maker}" for maker in wrapper.makers):
            functions = {name: body for name, body in found[key.path].functions.items() if name != key.name}
            found[key.path] = msgspec.structs.replace(found[key.path], functions=functions)
    return found


def _named(modules: Mapping[str, Module]) -> Iterator[str]:
    """The names of functions that are called or used as values anywhere."""
    for module in modules.values():
        for function in module.functions.values():
            for instr in function.instrs:
                if isinstance(instr, Call) and isinstance(instr.target, Named):
                    yield instr.target.name
                yield from (operand.name for operand in reads(instr) if isinstance(operand, FuncRef))


def _written_out(module: Module, local: str, wrappers: list[_Wrapper]) -> Module:
    """A module with one of its functions below ``wrappers``, the innermost first."""
    functions, signatures = dict(module.functions), dict(module.signatures)
    own = signatures[local]
    inner = local
    for number, wrapper in enumerate(wrappers):
        below = local + BARE + (str(number) if number else "")
        functions[below] = _moved(functions[inner], module.path, below)
        signatures[below] = msgspec.structs.replace(signatures[inner], decorators=())
        body = _filled_in(wrapper, f"{module.name}.{below}")
        functions[local] = _moved(body, module.path, local)
        signatures[local] = msgspec.structs.replace(
            wrapper.signature, kind=own.kind, owner=own.owner, decorators=own.decorators
        )
        inner = local
    return msgspec.structs.replace(module, functions=functions, signatures=signatures)


def _filled_in(wrapper: _Wrapper, name: str) -> Function:
    """A wrapper's function with the function of a name in the place of what it was given."""
    body: Function = rewritten(wrapper.function, lambda part: _replaced(part, wrapper.given, name))
    return body


def _moved(function: Function, path: str, name: str) -> Function:
    return msgspec.structs.replace(function, key=FunctionKey(path, name))


def _wrapper(decorator: str, signature: Signature, path: str, names: Names) -> _Wrapper | None:
    """What stands around a function with a decorator; None where that is none of the project's, or does
    something else than return a function of its own."""
    meaning = names.meaning(decorator, path)
    if meaning.kind != "function" or meaning.rest:
        return None
    module, local = names.modules[meaning.path], meaning.local
    returned = _returned(module, local)
    if returned is None:
        return None
    makers: tuple[str, ...] = (local,)
    if decorator in signature.factories:
        makers, local, returned = (local, returned), returned, _returned(module, returned)
    given = _given(module.functions[local], local)
    if returned is None or given is None:
        return None
    function, own = module.functions[returned], module.signatures.get(returned, Signature())
    if any(isinstance(one, Assign | Call) and one.dst == given for one in function.instrs):
        return None  # it calls another one the next time
    wrapper = _Wrapper(module, makers, function, own, given)
    first = wrapper.signature.parameters[:1]
    takes_self = bool(first) and first[0].kind == "plain"
    return wrapper if takes_self or signature.kind in ("function", "static") else None


def _returned(module: Module, local: str) -> str | None:
    """The function inside a function that it returns, and nothing else."""
    function = module.functions.get(local)
    values = [] if function is None else [one.value for one in function.instrs if isinstance(one, Return)]
    given = {one for one in values if one is not None}
    only = given.pop() if len(given) == 1 else None
    name = only.name.removeprefix(f"{module.name}.") if isinstance(only, FuncRef) else ""
    return name if name.startswith(f"{local}.") and name in module.functions else None


def _given(function: Function, local: str) -> Place | None:
    """The variable that a function inside this one sees its first parameter in."""
    first = function.params[0] if function.params else ""
    for instr in function.instrs:
        if isinstance(instr, Assign) and instr.src == Place(Root.LOCAL, first) and instr.dst.is_global:
            return instr.dst if instr.dst.name == f"{local}.{first}" else None
    return None


def _replaced(value: object, variable: Place, name: str) -> object:
    """A place or a call of one, which is the function of a name where the place is a variable; None for what
    is none of these."""
    if isinstance(value, Call) and value.target == Indirect(variable):
        called = msgspec.structs.replace(value, target=Named(name))
        return rewritten(called, lambda part: _replaced(part, variable, name))
    if isinstance(value, Place):
        return FuncRef(name) if value == variable else value
    return None
