"""A witness path told as numbered steps: where the reference comes from, how it moves, what happens to it."""

from itertools import pairwise

import msgspec

from vmfdlint.base import LIMITS
from vmfdlint.check.flow import callers_above
from vmfdlint.check.incident import Incident, called, noun
from vmfdlint.check.spoken import spoken
from vmfdlint.finding import Role, Step
from vmfdlint.ir import Call, Named, Notation
from vmfdlint.solve import Crumb, Fact, Happening, Life, Node, Observation, Solver, witness
from vmfdlint.summary import ESCAPED, OUTER, is_cell, is_temporary, show


def trace(solver: Solver, incident: Incident) -> tuple[Step, ...]:
    """The steps from the creation to the evidence, the incident's own place among them."""
    if incident.evidence is None:
        return incident.steps
    crumbs = witness(solver.tabulation, incident.evidence.node)
    steps: list[Step] = []
    previous: Crumb | None = None
    if crumbs and incident.evidence.fact.is_zero:
        steps.extend(_approach(solver, crumbs[0]))
    for crumb in crumbs:
        if previous is not None:
            steps.extend(_between(solver, previous, crumb))
        previous = crumb
    steps.append(_last(solver, incident.evidence, previous))
    made = incident.evidence.fact.object
    if made is not None and made.at == incident.at and all(step.at != incident.at for step in steps):
        # The path begins behind the creation: it is told first all the same.
        text = f"{noun(made)} created here by {made.api}"
        steps.insert(0, Step(made.at, text, Role.CREATE, steps[0].depth, False, made.site.function.name))
    elif all(step.at != incident.at for step in steps):
        # A goto to the exit stands before the exit by which the reference is lost.
        exits = (number for number, step in enumerate(steps) if _leaves(step, incident))
        position = next(exits, len(steps) - 1)
        steps.insert(position, _own(incident, steps[position - 1].depth if position else 0))
    return _numbered(_shortened(tuple(_without_repeats(steps))))


def way(solver: Solver, node: Node) -> tuple[Step, ...]:
    """The steps from the creation of a node's reference to where the node stands, in short: of the calls
    those that are still going on there."""
    crumbs = witness(solver.tabulation, node)
    steps = [step for before, after in pairwise(crumbs) for step in _between(solver, before, after)]
    lowest = crumbs[-1].depth
    told: list[Step] = []
    for step in reversed(steps):
        returned = step.role is Role.RETURN or (step.role is Role.CALL and step.depth >= lowest)
        if not returned:
            told.append(step)
        lowest = min(lowest, step.depth - (step.role is Role.RETURN))
    return _numbered(_shortened(tuple(_without_repeats(told[::-1]))))


def _approach(solver: Solver, first: Crumb) -> list[Step]:
    """The calls from a ``main`` to where the story of a call that concerns no reference begins."""
    links = callers_above(solver, first.function)
    return [
        Step(link.at, f"calls {link.callee.name}", Role.CALL, first.depth - number, False, link.caller.name)
        for number, link in reversed([*enumerate(links, 1)])
    ]


def _between(solver: Solver, before: Crumb, after: Crumb) -> list[Step]:
    """What happened at ``before`` that made its fact the one of ``after``."""
    old, new = before.fact, after.fact
    found: list[Step] = []
    notation = solver.program.notation(before.function.path)

    def add(role: Role, text: str, fact: Fact) -> None:
        found.append(
            Step(
                before.at,
                text,
                role,
                before.depth,
                fact.in_child,
                before.function.name,
                holders(fact, notation),
            )
        )

    if new.is_zero:
        if after.function != before.function and after.depth > before.depth:
            add(Role.CALL, _calling(solver, before, after), new)
        return found
    if old.object != new.object and (old.is_zero or new.object is None or not _same(old, new)):
        made = new.object
        assert made is not None
        if made.copy_of is not None and not old.is_zero:
            add(Role.CREATE, f"{called(made.api)} makes a second reference", new)
        elif old.is_zero or made.is_mapping:
            came = "comes in" if made.is_foreign else "created"
            add(Role.CREATE, f"{noun(made)} {came} here by {made.api}", new)
    elif after.function != before.function or after.depth != before.depth:
        if after.depth > before.depth:
            add(Role.CALL, _calling(solver, before, after), new)
        elif old.state.life is Life.OPEN and new.state.life is Life.LOST:
            add(
                Role.EXIT,
                f"returns to {after.function.name}, and the last variable that holds it is gone",
                new,
            )
        elif after.depth < before.depth:
            add(Role.RETURN, f"returns to {after.function.name}", new)
    elif not old.in_child and new.in_child:
        add(Role.EVENT, "the child process gets its own reference here", new)
    elif old.state.life is Life.OPEN and new.state.life is Life.CLOSED:
        add(Role.RELEASE, "closed here", new)
    elif old.state.life is Life.OPEN and new.state.life is Life.LOST:
        add(Role.EXIT, "the last variable that holds it is gone after this", new)
    elif old.cut is None and new.cut is not None:
        text = "fails here, for a view of it is alive" if new.cut.viewed else "only a part is unmapped here"
        add(Role.RELEASE, text, new)
    elif old.state.inherit != new.state.inherit:
        add(Role.EVENT, "close-on-exec " + ("cleared here" if new.state.inherit else "set here"), new)
    else:
        gained = [path for path in new.places if path not in old.places and not is_temporary(path)]
        told = [path for path in gained if not is_cell(path) and path not in (OUTER, ESCAPED)]
        if told:
            add(Role.MOVE, f"stored in {show(told[0], notation)}", new)
        elif ESCAPED in gained:
            add(Role.MOVE, "given to code outside the tree", new)
    return found


def _calling(solver: Solver, before: Crumb, after: Crumb) -> str:
    """How the path gets from one function into another: by its name, through a pointer, or by an API that
    runs what was registered."""
    flow = solver.behaviour.flow(before.function)
    instrs = flow.function.blocks[before.site.block].instrs if flow is not None else ()
    call = instrs[before.site.index] if before.site.index < len(instrs) else None
    name = after.function.name
    if not isinstance(call, Call) or after.function in solver.program.targets(before.function, call):
        return f"calls {name}"
    if isinstance(call.target, Named):
        modelled = solver.behaviour.modelled(before.function, call)
        if modelled is not None and modelled.threads:
            return f"{called(call.target.name)} waits for the thread that runs {name}"
        return f"while {called(call.target.name)} runs, the callback {name} may run"
    return f"calls {name} through a pointer"


def _same(old: Fact, new: Fact) -> bool:
    """Whether two facts are about the same reference under names that differ only by call chain or
    follow-up."""
    return (
        old.object is not None
        and new.object is not None
        and old.object.site == new.object.site
        and old.object.kind is new.object.kind
    )


def holders(fact: Fact, notation: Notation) -> tuple[str, ...]:
    """Who holds the VM through this reference, for people."""
    if fact.object is None or not fact.object.holds_vm or fact.state.life is Life.CLOSED:
        return ()
    who = "child" if fact.in_child else "process"
    if fact.state.life is Life.LOST:
        return (f"{noun(fact.object)} that no variable names any more ({who})",)
    named = [path for path in fact.places if not is_cell(path) and not is_temporary(path)]
    # A member of all objects of a record says more than an object without a name.
    places = named or [path for path in fact.places if is_cell(path)] or list(fact.places)
    text = ", ".join(dict.fromkeys(show(path, notation) for path in places[:2]))
    return (f"{noun(fact.object)} in {text} ({who})",)


_LAST = {
    Happening.EXEC: (Role.EVENT, "a program is executed here and inherits it"),
    Happening.SPAWN: (Role.EVENT, "a program is started here and inherits it"),
    Happening.PASS_ON: (Role.EVENT, "handed to the program that is started"),
    Happening.DOUBLE_CLOSE: (Role.EVENT, "closed a second time here"),
    Happening.USE_CLOSED: (Role.EVENT, "used here after it was closed"),
    Happening.CHILD_USE: (Role.EVENT, "KVM refuses this with EIO: another address space created the VM"),
    Happening.WORKER: (Role.SURVIVE, "a worker process is forked here with a reference of its own"),
    Happening.CLEARED: (Role.EVENT, "close-on-exec cleared here"),
    Happening.KNOWN: (Role.EVENT, "used here as a holder"),
    Happening.SHARE: (Role.EVENT, "handed on here: a second reference to the same file"),
    Happening.MIGRATE: (Role.EVENT, "the process goes to another control group here, the charge stays"),
    Happening.DUPLICATE: (Role.EVENT, "a second descriptor for the same file is made here"),
}


def _last(solver: Solver, seen: Observation, crumb: Crumb | None) -> Step:
    """The step at the evidence itself."""
    fact = seen.fact
    depth = crumb.depth if crumb is not None else 0
    if seen.what is Happening.LINGER:
        who = "the child" if fact.in_child else "the process"
        text = f"{who} can wait here ({seen.detail}) with the reference in place"
        if seen.detail.startswith("the return into"):
            text = f"{who} goes on after {seen.detail}"
        role = Role.SURVIVE
    elif seen.what is Happening.UNSURE:
        role, text = Role.EXIT, f"the child ends; whether {called(seen.detail)} waited before is not known"
    elif seen.what is Happening.CREATE:
        assert fact.object is not None
        role, text = Role.CREATE, f"{noun(fact.object)} created here by {fact.object.api}"
    elif seen.what in (Happening.GRANT, Happening.GRANT_SEARCH):
        role, text = Role.EVENT, f"this call {seen.detail}"
    else:
        role, text = _LAST.get(seen.what, (Role.EVENT, seen.what.value))
    shown = seen.made if seen.made is not None else fact
    function = seen.site.function
    held = holders(shown, solver.program.notation(function.path))
    return Step(seen.at, text, role, depth, fact.in_child, function.name, held)


def _leaves(step: Step, incident: Incident) -> bool:
    return step.role is Role.EXIT and step.function == incident.site.function.name


def _own(incident: Incident, depth: int) -> Step:
    """The incident's place where the path does not name it (a goto, a closing call of a helper)."""
    text = {
        "lost": "leaves without releasing it",
        "remains after close": "the VM's own descriptor is closed here",
    }.get(incident.what, "this is the place")
    return Step(incident.at, text, Role.EXIT, depth, False, incident.site.function.name)


def _without_repeats(steps: list[Step]) -> list[Step]:
    found: list[Step] = []
    for step in steps:
        if found and (found[-1].at, found[-1].text) == (step.at, step.text):
            continue
        if found and _stores(found[-1], step):
            found[-1] = msgspec.structs.replace(found[-1], holders=step.holders)
            continue
        found.append(step)
    return found


def _stores(made: Step, step: Step) -> bool:
    """Whether a step only puts what the one before gave into its variable: one statement, told once."""
    inside = (step.at.line, step.at.col) <= (made.at.line, made.at.col) and made.at != step.at
    ends = (made.at.end_line, made.at.end_col) <= (step.at.end_line, step.at.end_col)
    same = made.at.path == step.at.path and made.function == step.function
    return same and inside and ends and step.role is Role.MOVE and made.role in (Role.CREATE, Role.RETURN)


def _shortened(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """At most the limit of steps, the middle left out with a word."""
    if len(steps) <= LIMITS.trace_steps:
        return steps
    half = LIMITS.trace_steps // 2
    gap = steps[half]
    left_out = Step(gap.at, f"({len(steps) - 2 * half} steps left out)", Role.MOVE, gap.depth, gap.child)
    return (*steps[:half], left_out, *steps[-half:])


def _numbered(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """Depths moved so that the shallowest step is at 0, the texts as people write names."""
    lowest = min((step.depth for step in steps), default=0)
    return tuple(
        Step(s.at, spoken(s.text), s.role, s.depth - lowest, s.child, s.function, s.holders) for s in steps
    )
