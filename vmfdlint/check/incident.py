"""What observations add up to: one hazard at one place, with the attributes a rule may ask for."""

import msgspec

from vmfdlint.base import Span
from vmfdlint.check.spoken import spoken
from vmfdlint.finding import Related, Step
from vmfdlint.link import Site
from vmfdlint.models import Kind
from vmfdlint.solve import Fact, Object, Observation


class Incident(msgspec.Struct, frozen=True):
    """One hazard. ``evidence`` is the observation whose path is shown; ``objects`` all references concerned.

    ``attributes`` are words of the rule book, ``fields`` fill the message. A hazard that is found
    without the solver has no evidence but its own ``steps``, and in ``doubts`` what makes it uncertain.
    """

    what: str
    site: Site
    at: Span
    evidence: Observation | None
    objects: tuple[Object, ...]
    attributes: dict[str, str] = {}
    fields: dict[str, str] = {}
    related: tuple[Related, ...] = ()
    steps: tuple[Step, ...] = ()
    doubts: tuple[str, ...] = ()
    mark: str = ""
    """What tells hazards of one function apart, for the fingerprint: the name of a file."""

    @property
    def via(self) -> tuple[str, ...]:
        """What makes the evidence uncertain."""
        seen = self.evidence.fact.via if self.evidence is not None else ()
        return (*seen, *self.doubts)


WORDS: dict[Kind, str] = {
    Kind.SYSTEM: "/dev/kvm descriptor",
    Kind.VM: "VM descriptor",
    Kind.VCPU: "vCPU descriptor",
    Kind.DEVICE: "device descriptor",
    Kind.STATS: "stats descriptor",
    Kind.GUEST_MEMFD: "guest_memfd",
    Kind.TABLE: "TCE or HTAB descriptor",
    Kind.RUN_MAPPING: "kvm_run mapping",
    Kind.MEMFD_MAPPING: "guest_memfd mapping",
    Kind.DEBUGFS: "debugfs file of the VM",
    Kind.CGROUP: "cgroup file",
    Kind.DEBUGFS_DIRECTORY: "descriptor of a debugfs directory",
    Kind.PLAIN: "descriptor",
    Kind.RECEIVED: "descriptor of another process",
    Kind.TAKEN: "descriptor of another process",
}


UNSURE = "unsure "
"""Begins the detail of a wait that an unknown function may do."""


def noun(made: Object) -> str:
    """What a reference is, for people."""
    word = WORDS[made.kind]
    return f"copy of the {word}" if made.copy_of is not None else word


def called(api: str) -> str:
    """An API as a call, for people: ``fork()``, but ``ioctl(KVM_CREATE_VM)``."""
    name = spoken(api)
    return name if not name or name.endswith(")") else f"{name}()"


def waiting(detail: str) -> str:
    """The reason of a linger point as what a process does there: ``waits in read()``."""
    if detail.startswith(UNSURE):
        return f"may wait in {called(detail.removeprefix(UNSURE))}, which is not in the tree"
    if detail.startswith("the return"):
        return f"goes on after {detail}"
    if detail.startswith("a loop"):
        return f"stays in {detail}"
    api, inside, function = detail.partition(" in ")
    return f"waits in {called(api)}" + (f" in {function}()" if inside else "")


def named(held: tuple[Object, ...]) -> str:
    """The kinds of references for people: ``VM descriptor, vCPU descriptor and kvm_run mapping``."""
    words = tuple(dict.fromkeys(WORDS[made.kind] for made in held))
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]


def created(held: tuple[Object, ...]) -> tuple[Related, ...]:
    """Where references were made, as related places."""
    return tuple(Related(made.at, f"{noun(made)} created here") for made in held)


def best(observations: list[Observation], since: Site | None = None) -> Observation:
    """The clearest witness: certain before uncertain, a VM before its handles, a call that waits before a
    return, the nearest behind ``since``, then the first by place."""
    order = list(Kind)
    return min(
        observations,
        key=lambda seen: (
            len(seen.fact.via),
            order.index(seen.fact.object.kind) if seen.fact.object else 99,
            seen.detail.startswith("the return"),
            _distance(seen.site, since) if since is not None else (),
            seen.detail.startswith("a loop"),
            seen.at,
            len(repr(seen.fact)),
            repr(seen.fact),
        ),
    )


def _distance(site: Site, since: Site) -> tuple[bool, bool, bool]:
    """What makes a place far: another file, another function, before the other place in it."""
    here, there = site.function, since.function
    before = (site.block, site.index) < (since.block, since.index)
    return here.path != there.path, here != there, here == there and before


def objects_of(facts: list[Fact]) -> tuple[Object, ...]:
    """The distinct references among facts, VM first, by place of creation."""
    order = list(Kind)
    found = {(fact.object.kind, fact.object.site): fact.object for fact in facts if fact.object is not None}
    return tuple(sorted(found.values(), key=lambda made: (order.index(made.kind), made.at)))
