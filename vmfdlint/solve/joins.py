"""Threads that a call waits for: what they do is done when it returns.

In: a call. Out: edges to the functions of the threads that it waits for, as if it called them, with the
calls that made the threads. A thread is known by its handle, which the call that made it filled in or
returned, in the same function.
"""

from vmfdlint.ir import Address, Call, FuncRef, Operand, Place
from vmfdlint.link import CallGraph, Edge, EdgeKind, Site, callback_args
from vmfdlint.models import Callback, Linger, Resolved
from vmfdlint.summary import Behaviour, Flow, Path, path_of, port_path


def joined(
    behaviour: Behaviour, graph: CallGraph, flow: Flow, site: Site, call: Call, modelled: Resolved
) -> list[tuple[Site, Edge]]:
    """``call`` stands at ``site`` in the function of ``flow``; ``modelled`` is what it does."""
    ports = [effect.thread for effect in modelled.effects if isinstance(effect, Linger) and effect.thread]
    handles = {path for port in ports if (path := port_path(port, call.args)) is not None}
    edges: list[tuple[Site, Edge]] = []
    for began, made in flow.placed() if handles else ():
        if handles.isdisjoint(_filled(made)):
            continue
        found = behaviour.modelled(flow.key, made)
        for effect in found.effects if found is not None else ():
            if not isinstance(effect, Callback) or effect.when != EdgeKind.THREAD:
                continue
            position, ordered = effect.function.arg, graph.models.ordered(made)
            known = position is not None and position < len(ordered.args)
            function = ordered.args[position or 0] if known else None
            if isinstance(function, FuncRef):
                given = tuple(_element(one, flow) for one in callback_args(effect, ordered))
                targets = graph.program.resolve(function.name, flow.key.path)
                edges += [(began, Edge(site, target, EdgeKind.NOW, given)) for target in targets]
    return edges


def _filled(call: Call) -> set[Path]:
    """Where a call can put a handle."""
    found = {path_of(argument.place) for argument in call.args if isinstance(argument, Address)}
    return found if call.dst is None else {*found, path_of(call.dst)}


def _element(operand: Operand, flow: Flow) -> Operand:
    """What stands in a sequence that was made for a call, which is gone by now: ``args=(vm,)``."""
    return flow.elements.get(path_of(operand), operand) if isinstance(operand, Place) else operand
