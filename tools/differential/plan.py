"""A program as an abstract plan: what it does to which handle, where the handles rest, and by which detours.

One plan is turned into C by :mod:`emit_c` and into Python by :mod:`emit_python`. It says nothing of what is
to be expected: that is seen when the program runs.
"""

from typing import Literal

import msgspec

Language = Literal["C", "Python"]
Where = Literal["local", "field", "global", "container"]

HANDLES = ("kvm", "vm", "vcpu", "vcpus", "gmem", "stats", "copy", "run")
"""What a place may hold. ``vcpus`` are two in an array, ``run`` is a mapping, the others are descriptors."""
HOLDERS = frozenset(HANDLES) - {"kvm"}

_OUT = {
    "open": "kvm",
    "vm": "vm",
    "attempt": "vm",
    "vcpu": "vcpu",
    "vcpus": "vcpus",
    "run": "run",
    "gmem": "gmem",
    "stats": "stats",
    "dup": "copy",
}
_IN = {
    "vm": ("kvm",),
    "attempt": ("kvm",),
    "vcpu": ("vm",),
    "vcpus": ("vm",),
    "run": ("kvm", "vcpu"),
    "gmem": ("vm",),
    "stats": ("vm",),
}


class Step(msgspec.Struct, frozen=True):
    """One thing that is done.

    ``op`` is what, ``slots`` to which handles, ``how`` in which way where there are several. ``child`` is
    what a forked child does. ``depth`` wrappers lie around it; ``callback`` 1 to 3 is the kind of pointer
    that it is called through. ``when`` names a variable of the environment: "W1" must be there, "!W1" must
    not.
    """

    op: str
    slots: tuple[str, ...] = ()
    how: str = ""
    child: tuple["Step", ...] = ()
    depth: int = 0
    callback: int = 0
    when: str = ""
    loop: bool = False

    @property
    def ins(self) -> tuple[str, ...]:
        """The handles it reads."""
        found = [*_IN.get(self.op, ()), *self.slots]
        for step in self.child:
            found += step.ins
        return tuple(dict.fromkeys(found))

    @property
    def out(self) -> str:
        """The handle whose place it fills; "" if none."""
        if self.op in ("move", "replace", "forget"):
            return self.slots[0]
        return _OUT.get(self.op, "")

    @property
    def is_function(self) -> bool:
        """Whether it stands in a function of its own."""
        return bool(self.depth or self.callback or self.op == "attempt")


class Plan(msgspec.Struct, frozen=True):
    """A whole program. ``rule`` is the rule it was made for, ``places`` where handles rest: local if not
    said. ``apart`` puts the functions into a second file. ``style`` chooses between spellings of the same."""

    seed: int
    rule: str
    language: Language
    steps: tuple[Step, ...]
    places: dict[str, Where] = {}
    apart: bool = False
    style: int = 0

    def where(self, handle: str) -> Where:
        """Where a handle rests. An array or a mapping of C is in no container of descriptors."""
        place = self.places.get(handle, "local")
        if place == "container" and (handle == "vcpus" or (handle == "run" and self.language == "C")):
            return "local"
        return place

    @property
    def every(self) -> tuple[Step, ...]:
        """All steps, those of children too."""
        return _flat(self.steps)

    @property
    def handles(self) -> tuple[str, ...]:
        """The handles it uses, in the order of HANDLES."""
        used = {name for step in self.every for name in (*step.ins, step.out)}
        return tuple(name for name in HANDLES if name in used)

    @property
    def variables(self) -> tuple[str, ...]:
        """The variables of the environment that it asks for."""
        asked = {step.when.lstrip("!") for step in self.every if step.when}
        asked |= {"W3" for step in self.every if step.op == "attempt"}
        return tuple(sorted(asked))


def _flat(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    return tuple(each for step in steps for each in (step, *_flat(step.child)))


_OF_OP = {
    "fork": "fork",
    "daemon": "fork",
    "background": "fork",
    "worker": "fork",
    "exec": "exec",
    "hand": "exec",
    "dup": "dup",
    "copied": "dup",
    "move": "move",
    "replace": "move",
    "send": "SCM_RIGHTS",
    "run": "mapping",
    "close": "close",
    "teardown": "close",
    "attempt": "error path",
}
CONSTRUCTS = (
    "create",
    "wrapper 1",
    "wrapper 2",
    "wrapper 3",
    "wrapper 4",
    "field",
    "global",
    "container",
    "callback",
    "files",
    "branch",
    "loop",
    "fork",
    "exec",
    "dup",
    "move",
    "SCM_RIGHTS",
    "mapping",
    "close",
    "error path",
)


def constructs(plan: Plan) -> frozenset[str]:
    """Which of CONSTRUCTS are in a plan."""
    found = {"create"}
    used = set(plan.handles)
    found |= {plan.where(name) for name in used} - {"local"}
    if plan.apart and any(step.is_function for step in plan.every):
        found.add("files")
    for step in plan.every:
        if step.op in _OF_OP:
            found.add(_OF_OP[step.op])
        if step.depth:
            found.add(f"wrapper {step.depth}")
        if step.callback:
            found.add("callback")
        if step.when:
            found.add("branch")
        if step.loop or step.op == "vcpus":
            found.add("loop")
    return frozenset(found)
