"""Transfer functions of modelled calls: one effect on one fact.

In: a fact before the effect, with the results of the call held under RESULT. Out: the facts after it, and
observations through ``observe``. API names are not known here.
"""

from typing import assert_never

import msgspec

from vmfdlint.base import Span
from vmfdlint.link import Site
from vmfdlint.models import (
    Acquire,
    Callback,
    Close,
    CloseAll,
    Copy,
    Create,
    Daemon,
    DontFork,
    Duplicate,
    Effect,
    Exec,
    Exit,
    Expose,
    Fork,
    Free,
    Grant,
    Inside,
    Keep,
    Kind,
    Linger,
    Map,
    Migrate,
    Own,
    PassOn,
    Port,
    Raise,
    Register,
    Release,
    Resize,
    SetCloexec,
    Share,
    Spawn,
    Store,
    Truth,
    Unmap,
    Unshare,
    Use,
    Write,
)
from vmfdlint.solve.facts import IN_CHILD, Fact, Match, Object
from vmfdlint.solve.invocation import Invocation, Observe
from vmfdlint.solve.local import forget, hold
from vmfdlint.solve.mappings import mapped_bytes, resize, speaks_of_all, unmap
from vmfdlint.solve.observe import Happening
from vmfdlint.solve.ports import copies_element, holds_whole, match_port
from vmfdlint.solve.process import daemon, fork, unshare
from vmfdlint.solve.registry import kept_behind, register
from vmfdlint.solve.texts import copied, named, write
from vmfdlint.solve.typestate import Event, Life, Process, State
from vmfdlint.solve.values import NEGATIVE, POSITIVE, ZERO
from vmfdlint.summary import ESCAPED, OUTER, RESULT, is_cell, port_path, same_cell, starts_with

CHECKED = frozenset({Kind.VM, Kind.VCPU, Kind.DEVICE})
"""Kinds whose ioctls KVM refuses outside the creating address space (truth.md section 3)."""
_MAPPED = {Kind.VCPU: Kind.RUN_MAPPING, Kind.GUEST_MEMFD: Kind.MEMFD_MAPPING}


def watched(fact: Fact) -> bool:
    """Whether a linger point matters to this fact."""
    return not fact.is_zero and bool(
        fact.state.life is Life.LOST
        or fact.cut is not None
        or (fact.in_child and fact.is_open)
        or (
            fact.object is not None
            and (fact.object.creator or fact.object.copy_of or fact.object.alone_since)
        )
        or (fact.object is not None and fact.object.kind is Kind.DEBUGFS)
    )


def apply(fact: Fact, effect: Effect, call: Invocation, observe: Observe) -> list[Fact]:
    """The facts after one effect."""
    if fact.is_zero:
        return _on_zero(fact, effect, call, observe)
    match effect:
        case Close(fd=fd):
            return _close(fact, fd, call, observe)
        case CloseAll(first=_, keep=keep):
            return close_all(fact, (port_path(keep, call.args),) if keep else (), call.site, call.at, observe)
        case SetCloexec(fd=fd, on=on):
            return _set_cloexec(fact, fd, on, call, observe)
        case Duplicate():
            return _duplicate(fact, effect, call, observe)
        case Fork():
            return fork(fact, effect, call, observe)
        case Daemon():
            return daemon(fact, call, observe)
        case Exec():
            if fact.is_open and fact.state.inherit and not _is_mapping(fact):
                observe(Happening.EXEC, fact)
            return [_executed(fact).knowing(RESULT, NEGATIVE)]
        case Spawn(inherits=inherits):
            if fact.is_open and fact.state.inherit and inherits is not Truth.NO and not _is_mapping(fact):
                observe(Happening.SPAWN, fact)
            return [fact]
        case Exit() | Raise():
            if fact.unsure and fact.in_child and fact.is_open:
                observe(Happening.UNSURE, fact, detail=fact.unsure[0])
            return []
        case Linger(brief=brief):
            if watched(fact) and not brief:
                observe(Happening.LINGER, fact)
            return [fact]
        case Map():
            return _map(fact, effect, call, observe)
        case Unmap(at=at, length=length):
            return unmap(fact, at, length, call, observe)
        case Resize(at=at, length=length):
            return [resize(fact, at, length, call)]
        case DontFork(at=at, on=on, length=length):
            if on is Truth.MAYBE or not speaks_of_all(fact, at, length, call):
                return [fact]
            event = Event.SET_CLOEXEC if on is Truth.YES else Event.CLEAR_CLOEXEC
            return [after for after in (fact.after(event),) if after]
        case Use(fd=fd):
            _use(fact, match_port(fact, fd, call), effect, observe)
            return [fact]
        case Free(pointer=pointer):
            return [_free(fact, pointer, call)]
        case Own(fd=src, at=at) | Copy(src=src, at=at):
            if copies_element(src, at, call) and match_port(fact, src, call):
                path = port_path(at, call.args)
                if path and not holds_whole(fact, path):
                    return [hold(fact, path, call.flow.cells.get(path))]
            return [fact]
        case Store(at=at):
            path = port_path(at, call.args)
            return [forget(fact, path, call.flow.cells.get(path))] if path else [fact]
        case Keep(value=value):
            return [fact.with_places({*fact.places, ESCAPED})] if match_port(fact, value, call) else [fact]
        case PassOn(fd=fd):
            if match_port(fact, fd, call) and fact.is_open:
                observe(Happening.PASS_ON, fact)
            return [fact]
        case Share(fd=fd, channel=channel):
            if match_port(fact, fd, call) and fact.is_open:
                observe(Happening.SHARE, fact, detail=channel)
            return [fact]
        case Register():
            return [fact, *register(fact, effect, call, observe)]
        case Unshare():
            return [fact, *unshare(fact, call, observe)]
        case Migrate(through=through):
            if through is not None and _is_cgroup_file(fact) and match_port(fact, through, call):
                observe(Happening.MIGRATE, fact)
            return [fact]
        case Create() | Callback() | Inside() | Write() | Grant() | Expose() | Acquire() | Release():
            return [fact]
        case _:
            assert_never(effect)


def _executed(fact: Fact) -> Fact:
    """The fact behind a failed exec. What a child called before it is taken for set-up (rules.md,
    "Survives")."""
    if not fact.unsure:
        return fact
    return msgspec.structs.replace(fact, via=tuple(one for one in fact.via if not one.endswith(IN_CHILD)))


def _is_cgroup_file(fact: Fact) -> bool:
    return fact.object is not None and fact.object.kind is Kind.CGROUP and fact.is_open


def _is_mapping(fact: Fact) -> bool:
    return fact.object is not None and fact.object.is_mapping


def _on_zero(fact: Fact, effect: Effect, call: Invocation, observe: Observe) -> list[Fact]:
    match effect:
        case Create(kind=kind, at=at, cloexec=cloexec, name=name):
            onward = named(fact, at, name, call) if name else fact
            return [onward, *_create(fact, kind, at, cloexec, call, observe)]
        case Write():
            return [write(fact, effect, call)]
        case Grant(how=how, search=search):
            what = Happening.GRANT_SEARCH if search is Truth.YES else Happening.GRANT
            observe(what, fact, detail=how)
            return [fact]
        case Copy(src=src, at=at):
            source, target = port_path(src, call.args), port_path(at, call.args)
            return [copied(fact, source, target) if source and target else fact]
        case Exit() | Raise():
            return []
        case Store(at=at):
            path = port_path(at, call.args)
            return [fact.knowing(path, None)] if path else [fact]
        case _:
            return [fact]


def _create(
    fact: Fact, kind: Kind, at: Port, cloexec: Truth, call: Invocation, observe: Observe
) -> list[Fact]:
    path = port_path(at, call.args)
    if kind is Kind.PLAIN:
        return []
    made = Object(kind, call.site, call.at, call.api, many=call.looping)
    places = frozenset() if path is None else frozenset({path})
    inherit = cloexec is Truth.NO
    fresh = Fact(made, state=State(inherit=inherit), env=fact.env, cause=call.site if inherit else None)
    fresh = fresh.with_places(places)
    if path is not None and path != RESULT:
        cell = call.flow.cells.get(path)
        if cell is not None:
            fresh = hold(fresh, path, cell)
        # A message has come where a descriptor has.
        fresh = fresh.knowing(RESULT, POSITIVE if made.is_foreign else ZERO)
    if cloexec is Truth.MAYBE and kind is Kind.SYSTEM:
        return []
    observe(Happening.CREATE, fresh)
    # /dev/kvm holds nothing: it is followed only where an exec could inherit it.
    # A directory holds nothing either, but others may get at what it leads to; nor does the file of a cgroup.
    followed = made.holds_vm or made.is_foreign or inherit or kind in (Kind.CGROUP, Kind.DEBUGFS_DIRECTORY)
    return [fresh] if followed else []


def _close(fact: Fact, port: Port, call: Invocation, observe: Observe) -> list[Fact]:
    matched = match_port(fact, port, call) or kept_behind(fact, port, call)
    if matched is None or _is_mapping(fact):
        return [fact]
    return close(fact, matched, call.site, observe)


def close(fact: Fact, matched: Match, site: Site, observe: Observe) -> list[Fact]:
    """The fact after its number was closed through a place that ``matched``."""
    if fact.state.life is Life.LOST:
        return [fact]
    if fact.state.life is Life.CLOSED:
        if matched.must and fact.object is not None and not fact.object.many:
            observe(Happening.DOUBLE_CLOSE, fact)
            return []
        return [fact]
    observe(Happening.CLOSE, fact)
    return closed(fact, site, matched.must)


def closed(fact: Fact, site: Site, must: bool) -> list[Fact]:
    """A closed reference: its number stays where it is surely known; a VM is remembered in any case.

    One that only may be the closed one ends here: nothing is known to hold a stale number.
    """
    after = fact.after(Event.CLOSE, site)
    if not must or after is None or fact.object is None or not fact.object.holds_vm or fact.object.channel:
        return []
    sure = {
        path
        for path in fact.places
        if not is_cell(path) and path not in (OUTER, ESCAPED) and not any("[]" in step for step in path)
    }
    if OUTER in fact.places:
        sure.add(OUTER)
    if fact.object.kind is Kind.VM:
        sure = sure or {OUTER}
    return [after.with_places(sure)] if sure else []


def close_all(fact: Fact, keep: tuple[object, ...], site: Site, at: Span, observe: Observe) -> list[Fact]:
    """Every descriptor is closed, save those in ``keep`` (paths); mappings stay."""
    if (
        _is_mapping(fact)
        or fact.state.life is Life.CLOSED
        or (fact.object is not None and fact.object.creator)
    ):
        return [fact]
    if any(path in fact.places for path in keep):
        return [fact]
    observe(Happening.CLOSE, fact, detail="close all")
    return []


def _set_cloexec(fact: Fact, port: Port | None, on: Truth, call: Invocation, observe: Observe) -> list[Fact]:
    if _is_mapping(fact) or not fact.is_open or (port is not None and match_port(fact, port, call) is None):
        return [fact]
    if on is Truth.MAYBE:
        return [fact]
    if on is Truth.YES:
        observe(Happening.SET, fact)
        after = fact.after(Event.SET_CLOEXEC)
        return [msgspec.structs.replace(after, cause=None)] if after else []
    if fact.state.inherit:
        return [fact]
    observe(Happening.CLEARED, fact)
    after = fact.after(Event.CLEAR_CLOEXEC)
    return [msgspec.structs.replace(after, cause=call.site)] if after else []


def _duplicate(fact: Fact, effect: Duplicate, call: Invocation, observe: Observe) -> list[Fact]:
    found: list[Fact] = []
    numbered = not (_is_mapping(fact) or (fact.object is not None and fact.object.channel))
    source = match_port(fact, effect.src, call) if numbered else None
    replaced = match_port(fact, effect.replaces, call) if effect.replaces is not None else None
    if source is not None and replaced is not None:
        return [fact]
    if fact.state.life is Life.CLOSED:
        _use(fact, source, None, observe)
    if replaced is not None and not _is_mapping(fact):
        found.extend(close(fact, replaced, call.site, observe))
    else:
        found.append(fact)
    if source is not None and fact.is_open and fact.object is not None:
        made = Object(
            fact.object.kind,
            call.site,
            call.at,
            call.api,
            copy_of=msgspec.structs.replace(fact.object, copy_of=None),
            many=call.looping,
        )
        inherit = effect.cloexec is Truth.NO
        path = port_path(effect.at, call.args)
        target = port_path(effect.replaces, call.args) if effect.replaces is not None else None
        places = {item for item in (path, target) if item is not None} or {RESULT}
        if effect.replaces is not None and target is None:
            places.add(ESCAPED)  # a number written as a constant stays reachable by that number
        copy = Fact(
            made,
            state=State(inherit=inherit, process=fact.state.process),
            env=fact.env,
            fork=fact.fork,
            cause=call.site if inherit else None,
            via=fact.via,
        ).with_places(places)
        observe(Happening.DUPLICATE, fact, made=copy)
        found.append(copy)
    return found


def _map(fact: Fact, effect: Map, call: Invocation, observe: Observe) -> list[Fact]:
    if effect.at.arg is None:
        # MAP_FAILED or an address, never a null pointer: callers test the pointer that is handed on.
        fact = fact.knowing(RESULT, NEGATIVE | POSITIVE)
    if _is_mapping(fact) or fact.object is None or not match_port(fact, effect.fd, call):
        return [fact]
    if fact.state.life is Life.CLOSED:
        _use(fact, match_port(fact, effect.fd, call), None, observe)
        return [fact]
    kind = _MAPPED.get(fact.object.kind)
    if kind is None or not fact.is_open:
        return [fact]
    length = mapped_bytes(effect.length, call)
    made = Object(kind, call.site, call.at, call.api, many=call.looping, length=length)
    path = port_path(effect.at, call.args) or RESULT
    mapping = Fact(
        made,
        state=State(inherit=True, process=fact.state.process),
        env=fact.env,
        fork=fact.fork,
        via=fact.via,
    ).with_places({path})
    observe(Happening.CREATE, mapping)
    return [fact, mapping]


def _use(fact: Fact, matched: Match | None, effect: Use | None, observe: Observe) -> None:
    if matched is None or fact.object is None or _is_mapping(fact) or fact.object.channel:
        return
    if fact.state.life is Life.CLOSED:
        if matched.must and not fact.object.many:
            observe(Happening.USE_CLOSED, fact)
        return
    if fact.object.copy_of is not None:
        observe(Happening.USE, fact)
    checked = effect is not None and effect.checked
    if effect is not None and effect.kind is not None and fact.object.is_foreign:
        known = msgspec.structs.replace(fact, object=msgspec.structs.replace(fact.object, kind=effect.kind))
        observe(Happening.KNOWN, fact, made=known)
        if checked:
            observe(Happening.CHILD_USE, known)
    if checked and fact.state.process is Process.CHILD and fact.object.kind in CHECKED:
        observe(Happening.CHILD_USE, fact)


def _free(fact: Fact, pointer: Port, call: Invocation) -> Fact:
    path = port_path(pointer, call.args)
    if path is None or not fact.is_open:
        return fact
    below = {held for held in fact.places if len(held) > len(path) and starts_with(held, path)}
    if not below:
        return fact
    # A further pointer leads out of the memory that goes: what it points to may be reached in other ways.
    inside = [held for held in below if not any(step.startswith("->") for step in held[len(path) + 1 :])]
    cells = {cell for held in inside if (cell := call.flow.cell_at(held)) is not None}
    kept = {
        held
        for held in fact.places
        if held not in below and not (is_cell(held) and any(same_cell(held, cell) for cell in cells))
    }
    return fact.with_places(kept)
