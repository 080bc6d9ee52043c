"""Delta debugging: the smallest plan that still disagrees in the same way.

A plan is made simpler by one choice at a time, and kept where its program still runs and disagrees alike.
What releases a handle goes only together with the handle, for else a new hazard would take the place of the
one that is looked at.
"""

from collections.abc import Callable, Iterator

import msgspec

from tools.differential.plan import Plan, Step

_KEPT = frozenset({"open", "vm", "attempt", "close", "teardown", "wait", "leave", "forget"})
_HANDLES = ("run", "vcpu", "vcpus", "gmem", "stats", "copy")

Test = Callable[[Plan], bool]
"""Whether a plan still disagrees in the same way."""


def reduced(plan: Plan, test: Test, most: int = 400) -> Plan:
    """The smallest plan found with at most so many runs of ``test``."""
    left = most
    again = True
    while again:
        again = False
        for simpler in candidates(plan):
            left -= 1
            if left < 0:
                return plan
            if test(simpler):
                plan, again = simpler, True
                break
    return plan


def candidates(plan: Plan) -> Iterator[Plan]:
    """Plans that are simpler by one choice, the greatest changes first."""
    for handle in _HANDLES:
        if handle in plan.handles:
            yield msgspec.structs.replace(plan, steps=_without(plan.steps, handle))
    for at, step in enumerate(plan.steps):
        if step.op not in _KEPT:
            yield msgspec.structs.replace(plan, steps=(*plan.steps[:at], *plan.steps[at + 1 :]))
    if plan.apart:
        yield msgspec.structs.replace(plan, apart=False)
    for name in plan.places:
        left = {other: place for other, place in plan.places.items() if other != name}
        yield msgspec.structs.replace(plan, places=left)
    for at, step in enumerate(plan.steps):
        for simpler in _simpler(step):
            yield msgspec.structs.replace(plan, steps=(*plan.steps[:at], simpler, *plan.steps[at + 1 :]))
    if plan.style:
        yield msgspec.structs.replace(plan, style=0)


def _without(steps: tuple[Step, ...], handle: str) -> tuple[Step, ...]:
    """The steps as they are where there is no such handle."""
    found = []
    for step in steps:
        slots = tuple(name for name in step.slots if name != handle)
        child = _without(step.child, handle)
        step = msgspec.structs.replace(step, slots=slots, child=child)
        needs = handle in step.ins or step.out == handle
        if not needs and (slots or step.op not in ("close", "teardown")):
            found.append(step)
    return tuple(found)


def _simpler(step: Step) -> Iterator[Step]:
    change = msgspec.structs.replace
    if step.op == "attempt" and step.how == "close":
        yield change(step, op="vm", how="")
    if step.depth:
        yield change(step, depth=0)
    if step.depth > 1:
        yield change(step, depth=step.depth - 1)
    if step.callback:
        yield change(step, callback=0)
    if step.when:
        yield change(step, when="")
    if step.loop:
        yield change(step, loop=False)
    if step.op == "wait" and step.how not in ("", "pause"):
        yield change(step, how="pause")
    if step.op == "exec" and step.how not in ("system", "in place"):
        yield change(step, how="system")
    for at, inner in enumerate(step.child):
        if inner.op not in _KEPT:
            yield change(step, child=(*step.child[:at], *step.child[at + 1 :]))
        for simpler in _simpler(inner):
            yield change(step, child=(*step.child[:at], simpler, *step.child[at + 1 :]))
