"""Transfer functions of calls that make, copy, close, use or mark a descriptor.

In: a descriptor's fact before the effect, the results of the call held under RESULT. Out: the facts after it,
and observations.
"""

import msgspec

from vmfdlint.base import Span
from vmfdlint.ir import Flags, Place, Root
from vmfdlint.link import Site
from vmfdlint.models import Create, Duplicate, Kind, Port, ReadCloexec, Truth, Use
from vmfdlint.solve.facts import Fact, Match, Object
from vmfdlint.solve.invocation import Invocation, Observe
from vmfdlint.solve.local import hold
from vmfdlint.solve.observe import Happening
from vmfdlint.solve.ports import match_port, number_at
from vmfdlint.solve.registry import kept_behind
from vmfdlint.solve.typestate import Event, Life, Process, State
from vmfdlint.solve.values import POSITIVE, ZERO
from vmfdlint.summary import ESCAPED, OUTER, RESULT, is_cell, is_vague, port_path

CHECKED = frozenset({Kind.VM, Kind.VCPU, Kind.DEVICE})
"""Kinds whose ioctls KVM refuses outside the creating address space (truth.md section 3)."""


def create(fact: Fact, effect: Create, call: Invocation, observe: Observe) -> list[Fact]:
    """The new reference, where it is one to follow."""
    kind, cloexec = effect.kind, effect.cloexec
    path = port_path(effect.at, call.args)
    if kind is Kind.PLAIN:
        return []
    rounds = call.flow.rounds(call.site.block)
    made = Object(
        kind, call.site, call.at, call.api, many=call.repeated, self_closing=effect.owner, rounds=rounds
    )
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


def close(fact: Fact, port: Port, call: Invocation, observe: Observe) -> list[Fact]:
    """The fact after the number in a port was closed."""
    matched = match_port(fact, port, call) or kept_behind(fact, port, call)
    if matched is None or fact.is_mapping or fact.object is None:
        return [fact]
    if not matched.must and fact.is_open and fact.object.outnumbers(call.flow.closed_by(call.site)):
        observe(Happening.CLOSE, fact)
        return [fact]
    return close_matched(fact, matched, call, observe)


def close_matched(fact: Fact, matched: Match, call: Invocation, observe: Observe) -> list[Fact]:
    """The fact after its number was closed through a place that ``matched``."""
    if fact.state.life is Life.LOST:
        return [fact]
    if fact.state.life is Life.CLOSED:
        if matched.must and fact.object is not None and _is_the_one(fact, call):
            observe(Happening.DOUBLE_CLOSE, fact)
            return []
        return [fact]
    observe(Happening.CLOSE, fact)
    return closed(fact, call.site, matched.must)


def _is_the_one(fact: Fact, call: Invocation) -> bool:
    """Whether the closed number that a call is given is that of the very descriptor which was closed: of
    several that a loop made only behind the close in the same function, by the same name."""
    if fact.object is None or not fact.object.many:
        return True
    mark, here = fact.mark, call.site
    if mark is None or mark.function != here.function:
        return False
    if mark.block == here.block:
        return mark.index < here.index
    return mark.block in call.flow.above(here.block)


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
        if not is_cell(path) and path not in (OUTER, ESCAPED) and not is_vague(path)
    }
    if OUTER in fact.places:
        sure.add(OUTER)
    if fact.object.kind is Kind.VM:
        sure = sure or {OUTER}
    return [after.with_places(sure)] if sure else []


def close_all(fact: Fact, keep: tuple[object, ...], site: Site, at: Span, observe: Observe) -> list[Fact]:
    """Every descriptor is closed, save those in ``keep`` (paths); mappings stay, but for those of which a
    fork copied the number alone."""
    number_alone = fact.is_mapping and fact.object is not None and fact.object.numbered and fact.in_child
    mapped = fact.is_mapping and (fact.state.inherit or not number_alone)
    if mapped or fact.state.life is Life.CLOSED or fact.is_parent:
        return [fact]
    if any(path in fact.places for path in keep):
        return [fact]
    observe(Happening.CLOSE, fact, detail="close all")
    return []


def set_cloexec(fact: Fact, port: Port | None, on: Truth, call: Invocation, observe: Observe) -> list[Fact]:
    """The fact after close-on-exec was set or cleared on one number, or on all."""
    if fact.is_mapping or not fact.is_open or (port is not None and match_port(fact, port, call) is None):
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


def read_cloexec(fact: Fact, effect: ReadCloexec, call: Invocation) -> Fact:
    """The fact that knows whether a number that was just read has the bit of close-on-exec."""
    match, at = match_port(fact, effect.fd, call), port_path(effect.at, call.args)
    if match is None or not match.must or at is None or fact.is_mapping or not fact.is_open:
        return fact
    bit = (effect.bit,)
    on, off = ((), bit) if fact.state.inherit else (bit, ())
    return fact.knowing(at, Flags(Place(Root.LOCAL, at[0]), on, off))


def duplicate(fact: Fact, effect: Duplicate, call: Invocation, observe: Observe) -> list[Fact]:
    """The fact of the original, closed where its number was taken over, and that of the copy."""
    found: list[Fact] = []
    numbered = not (fact.is_mapping or (fact.object is not None and fact.object.channel))
    source = match_port(fact, effect.src, call) if numbered else None
    replaced = match_port(fact, effect.replaces, call) if effect.replaces is not None else None
    if source is not None and replaced is not None:
        return [fact]
    if fact.state.life is Life.CLOSED:
        use(fact, source, None, call, observe)
    if replaced is not None and not fact.is_mapping:
        found.extend(close_matched(fact, replaced, call, observe))
    else:
        found.append(fact)
    if source is not None and fact.is_open and fact.object is not None:
        made = Object(
            fact.object.kind,
            call.site,
            call.at,
            call.api,
            copy_of=fact.object.original,
            many=call.repeated,
            self_closing=effect.owner,
        )
        inherit = effect.cloexec is Truth.NO
        path = port_path(effect.at, call.args)
        target = port_path(effect.replaces, call.args) if effect.replaces is not None else None
        places = {item for item in (path, target) if item is not None} or {RESULT}
        if effect.replaces is not None and target is None:
            # Under a number that the program says, it stays reachable by that number.
            places.add(number_at(effect.replaces, call) or ESCAPED)
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


def use(fact: Fact, matched: Match | None, effect: Use | None, call: Invocation, observe: Observe) -> None:
    """Observes what a use of the number tells: of a closed one, in a child, of what it is."""
    if matched is None or fact.object is None or fact.is_mapping or fact.object.channel:
        return
    if fact.state.life is Life.CLOSED:
        if matched.must and _is_the_one(fact, call):
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
