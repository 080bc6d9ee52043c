"""Transfer functions of calls that make, replace or end a process: what it and its child hold afterwards.

In: a fact before the effect. Out: the facts after it, of the parent and of the child, and observations.
"""

import msgspec

from vmfdlint.models import Fork, Kind, Migrate, Truth
from vmfdlint.solve.facts import IN_CHILD, Fact, Object
from vmfdlint.solve.invocation import Invocation, Observe
from vmfdlint.solve.observe import Happening
from vmfdlint.solve.ports import match_port
from vmfdlint.solve.typestate import Event, Process
from vmfdlint.solve.values import FORKED, NEGATIVE, POSITIVE, ZERO
from vmfdlint.summary import OUTER, RESULT, Path, port_path, waits_again


def fork(fact: Fact, effect: Fork, call: Invocation, observe: Observe) -> list[Fact]:
    """Parent and child after a fork: the parent's fact knows a result that is not 0, the child's is 0."""
    result = (port_path(effect.at, call.args) if effect.at is not None else None) or RESULT
    parent = fact.knowing(result, (POSITIVE if call.raises else NEGATIVE | POSITIVE) | FORKED)
    if fact.object is None or fact.object.creator or fact.object.is_foreign:
        return [fact]
    if effect.shares_files is Truth.YES and not (fact.object.is_mapping and effect.shares_memory is Truth.NO):
        return _one_table(fact, effect)
    if not fact.is_open:
        # A closed or lost number is closed or lost in the child too; only its parent's story is told.
        return [parent]
    found = [parent]
    shared_memory = effect.shares_memory is Truth.YES
    mapped = fact.state.inherit and not shared_memory
    copied = mapped or fact.object.numbered or not fact.object.is_mapping
    if fact.state.process is Process.OWN:
        observe(Happening.FORK, fact, detail="vfork" if effect.suspends_parent else "")
        found.append(_creator(fact, call, result))
    if copied:
        child = fact.after(Event.FORK_CHILD_MM if shared_memory else Event.FORK_CHILD)
        if child is not None:
            child = msgspec.structs.replace(child, fork=fact.fork or call.site)
            found.append(child.knowing(result, ZERO | FORKED))
    return found


def _one_table(fact: Fact, effect: Fork) -> list[Fact]:
    """CLONE_FILES: a close counts for both, so the child keeps nothing; in its own memory its ioctls fail.

    Such a child's fact names no fork: nothing survives in it.
    """
    child = fact.after(Event.FORK_CHILD)
    if effect.shares_memory is not Truth.NO or not fact.is_open or child is None:
        return [fact]
    return [fact.knowing(RESULT, NEGATIVE | POSITIVE | FORKED), child.knowing(RESULT, ZERO | FORKED)]


def hears_once(fact: Fact, call: Invocation) -> bool:
    """Whether a call that waits for a message is a parent's, which waits for no other one there: a daemon's
    parent ends when it has heard that its child is up."""
    parent = fact.is_parent
    return parent and not waits_again(call.flow, call.site.block, call.site.index)


def _creator(fact: Fact, call: Invocation, result: Path) -> Fact:
    """The stand-in for the parent of a fork: whether it lives on decides between fork and daemon."""
    made = Object(Kind.PLAIN, call.site, call.at, call.api, creator=True)
    return Fact(made, (OUTER,), env=fact.env, fork=call.site).knowing(result, POSITIVE | FORKED)


def worker(fact: Fact, observe: Observe) -> None:
    """A worker process gets a copy of the reference."""
    if copied(fact):
        observe(Happening.WORKER, fact)


def copied(fact: Fact) -> list[Fact]:
    """What a worker process has of a reference: its copy, or nothing. It names no fork: that the worker stays
    is told of the call that forks it.
    """
    if fact.object is None or not fact.object.holds_vm or fact.object.creator:
        return []
    if not fact.is_open or fact.in_child:
        return []
    if fact.is_mapping and not (fact.state.inherit or fact.object.numbered):
        return []
    child = fact.after(Event.FORK_CHILD)
    return [child] if child is not None else []


def daemon(fact: Fact, call: Invocation, observe: Observe) -> list[Fact]:
    """The child that goes on, and the caller where no child was made."""
    if fact.object is None or fact.object.creator or fact.object.is_foreign:
        return [fact]
    if not fact.is_open or fact.in_child:
        return [fact]
    observe(Happening.DAEMON, fact)
    child = fact.after(Event.FORK_CHILD)
    found = [fact.knowing(RESULT, NEGATIVE | FORKED)]
    if child is not None:
        found.append(msgspec.structs.replace(child, fork=call.site).knowing(RESULT, ZERO | FORKED))
    return found


def unshare(fact: Fact, call: Invocation, observe: Observe) -> list[Fact]:
    """The reference of the calling task's new descriptor table, under the same number; what other threads
    close is the old one. Whether there are others is not known here."""
    if fact.object is None or not fact.object.holds_vm or fact.object.is_mapping:
        return []
    if not fact.is_open or fact.in_child or fact.object.copy_of is not None:
        return []
    made = msgspec.structs.replace(
        fact.object, site=call.site, at=call.at, api=call.api, chain=(), copy_of=fact.object, own_table=True
    )
    copy = msgspec.structs.replace(fact, object=made).knowing(RESULT, ZERO)
    observe(Happening.UNSHARE, fact, made=copy)
    return [copy]


def execute(fact: Fact, observe: Observe) -> Fact:
    """The fact behind a failed exec. What a child called before it is taken for set-up (rules.md,
    "Survives")."""
    if fact.is_open and fact.state.inherit and not fact.is_mapping:
        observe(Happening.EXEC, fact)
    if fact.unsure:
        fact = msgspec.structs.replace(fact, via=tuple(one for one in fact.via if not one.endswith(IN_CHILD)))
    return fact.knowing(RESULT, NEGATIVE)


def spawn(fact: Fact, inherits: Truth, observe: Observe) -> None:
    """A child that only execs: it inherits as after an exec of this process."""
    if fact.is_open and fact.state.inherit and inherits is not Truth.NO and not fact.is_mapping:
        observe(Happening.SPAWN, fact)


def end(fact: Fact, observe: Observe) -> None:
    """The process or the thread ends: a child's doubt about what it did can be told now."""
    if fact.unsure and fact.in_child and fact.is_open:
        observe(Happening.UNSURE, fact, detail=fact.unsure[0])


def migrate(fact: Fact, effect: Migrate, call: Invocation, observe: Observe) -> None:
    """A write to a file of a control group moves a process."""
    if effect.through is None or not fact.is_open or fact.object is None:
        return
    if fact.object.kind is Kind.CGROUP and match_port(fact, effect.through, call):
        observe(Happening.MIGRATE, fact)
