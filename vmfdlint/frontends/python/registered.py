"""Decorators that keep what they are given, and give it back: ``@command("quit") def quit(): ...``

In: the raw modules. Out: the same where the statements of a file also call such decorators, which are
functions or methods of the project, with what stands below them.
"""

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from vmfdlint.frontends.contract import BODY
from vmfdlint.frontends.python.imports import Names
from vmfdlint.frontends.python.module import Module, Signature
from vmfdlint.ir import Block, Call, FuncRef, Function, Indirect, Instr, Named, Operand, Place, Return, Root


def registered(modules: Mapping[str, Module], names: Names) -> dict[str, Module]:
    """The modules with such decorators called where a file's statements end."""
    return {path: _with_calls(module, names) for path, module in modules.items()}


def _with_calls(module: Module, names: Names) -> Module:
    body = module.functions.get(BODY)
    calls = tuple(_calls(module, names)) if body is not None else ()
    if body is None or not calls:
        return module
    ends = [number for number, block in enumerate(body.blocks) if isinstance(_last(block), Return)]
    blocks = list(body.blocks)
    for number in ends[-1:]:
        instrs = blocks[number].instrs
        blocks[number] = msgspec.structs.replace(blocks[number], instrs=(*instrs[:-1], *calls, instrs[-1]))
    changed = msgspec.structs.replace(body, blocks=tuple(blocks))
    return msgspec.structs.replace(module, functions={**module.functions, BODY: changed})


def _last(block: Block) -> Instr | None:
    return block.instrs[-1] if block.instrs else None


def _calls(module: Module, names: Names) -> Iterator[Instr]:
    """The calls of a file's decorators that keep a function or a class."""
    below = [(local, one.decorators) for local, one in module.signatures.items()]
    below += [(local, one.decorators) for local, one in module.classes.items()]
    count = 0
    for local, decorators in below:
        for decorator in decorators:
            keepers = tuple(_keepers(decorator, module.path, names))
            function = module.functions.get(local) or module.functions[BODY]
            given = FuncRef(f"{module.name}.{local}")
            if not keepers:
                continue
            if all(_gives_back(*one) for one in keepers):
                yield Call(None, Named(decorator), (given,), function.at)
            elif all((inner := _inner(*one)) is not None and _gives_back(one[0], inner) for one in keepers):
                made = Place(Root.LOCAL, f"%d{count}")
                count += 1
                yield Call(made, Named(decorator), (), function.at)
                yield Call(None, Indirect(made), (given,), function.at)


def _keepers(decorator: str, near: str, names: Names) -> Iterator[tuple[Module, str]]:
    """The functions of the project that a decorator may be; of a variable's, all methods of that name."""
    meaning = names.meaning(decorator, near)
    last = decorator.rpartition(".")[2]
    if meaning.kind == "function" and not meaning.rest:
        yield names.modules[meaning.path], meaning.local
    elif meaning.kind == "class" and len(meaning.rest) == 1:
        module = names.modules[meaning.path]
        yield from ((module, name) for name in (f"{meaning.local}.{last}",) if name in module.functions)
    elif meaning.kind == "variable" and meaning.rest:
        for module in names.modules.values():
            methods = (f"{owner}.{last}" for owner in module.classes)
            yield from ((module, name) for name in methods if name in module.functions)


def _gives_back(module: Module, local: str) -> bool:
    """Whether a function returns what it is given first, whatever it does with it, and nothing else."""
    function, signature = module.functions[local], module.signatures.get(local, Signature())
    own = 1 if signature.owner and signature.kind != "static" else 0
    first = [Place(Root.LOCAL, name) for name in function.params[own : own + 1]]
    return first == list(_returned(function))


def _inner(module: Module, local: str) -> str | None:
    """The function inside a function that it returns, and nothing else."""
    returned = _returned(module.functions[local])
    only = returned[0] if len(returned) == 1 else None
    name = only.name.removeprefix(f"{module.name}.") if isinstance(only, FuncRef) else ""
    return name if name.startswith(f"{local}.") and name in module.functions else None


def _returned(function: Function) -> list[Operand]:
    values: Iterable[Operand | None] = (one.value for one in function.instrs if isinstance(one, Return))
    return list(dict.fromkeys(value for value in values if value is not None))
