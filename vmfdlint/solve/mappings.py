"""Transfer functions of calls that make, end, shrink or mark a mapping: all of it, or only a part.

In: the fact of a mapping, or of what is mapped, and the operands of a call. Out: the facts after it. A part
that goes leaves the reference in place: what stays is an area that holds the file (mm/mmap.c: __split_vma(),
get_file()).
"""

import msgspec

from vmfdlint.ir import Const, Place
from vmfdlint.models import DontFork, Kind, Map, Port, Truth, Unmap
from vmfdlint.solve.descriptors import use
from vmfdlint.solve.facts import Cut, Fact, Object, match_path
from vmfdlint.solve.invocation import Invocation, Observe
from vmfdlint.solve.observe import Happening
from vmfdlint.solve.ports import cell_at, match_port, operand_of
from vmfdlint.solve.typestate import Event, Life, State
from vmfdlint.solve.values import NEGATIVE, POSITIVE
from vmfdlint.summary import RESULT, VIEW, Path, port_path

_MAPPED = {Kind.VCPU: Kind.RUN_MAPPING, Kind.GUEST_MEMFD: Kind.MEMFD_MAPPING}
_PAGE = 4096
"""Bytes of the smallest page. KVM_GET_VCPU_MMAP_SIZE tells three pages on x86 and two elsewhere, but one on
s390, which has no coalesced MMIO (virt/kvm/kvm_main.c: kvm_dev_ioctl()): one page is taken for a part."""


def map_descriptor(fact: Fact, effect: Map, call: Invocation, observe: Observe) -> list[Fact]:
    """The descriptor goes on, and beside it the mapping of it that holds a VM."""
    if effect.at.arg is None:
        # MAP_FAILED or an address, never a null pointer: callers test the pointer that is handed on.
        fact = fact.knowing(RESULT, NEGATIVE | POSITIVE)
    if fact.is_mapping or fact.object is None or not match_port(fact, effect.fd, call):
        return [fact]
    if fact.state.life is Life.CLOSED:
        use(fact, match_port(fact, effect.fd, call), None, call, observe)
        return [fact]
    kind = _MAPPED.get(fact.object.kind)
    if kind is None or not fact.is_open:
        return [fact]
    length = mapped_bytes(effect.length, call)
    made = Object(
        kind,
        call.site,
        call.at,
        call.api,
        many=call.repeated,
        rounds=call.flow.rounds(call.site.block),
        length=length,
        self_closing=effect.owner,
        numbered=effect.numbered is not Truth.NO,
    )
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


def dont_fork(fact: Fact, effect: DontFork, call: Invocation) -> list[Fact]:
    """The mapping after madvise(MADV_DONTFORK) or its opposite: marked where all of it is spoken of."""
    if effect.on is Truth.MAYBE or not speaks_of_all(fact, effect.at, effect.length, call):
        return [fact]
    event = Event.SET_CLOEXEC if effect.on is Truth.YES else Event.CLEAR_CLOEXEC
    return [after for after in (fact.after(event),) if after]


def unmap(fact: Fact, effect: Unmap, call: Invocation, observe: Observe) -> list[Fact]:
    """The mapping after munmap: gone, or cut where only a part of it went, or nothing for a view of it; what
    is ended may be a view itself."""
    at, length = effect.at, effect.length
    if effect.asks_views and (without := _view_ended(fact, at, call)) is not None:
        return [without]
    if not _is_at(fact, at, call):
        return [fact]
    if effect.asks_views and any(_is_view(path) for path in fact.places):
        return [_cut(fact, call, None, viewed=True)]
    if not speaks_of_all(fact, at, length, call):
        if not call.flow.unmaps_by_parts:
            return [_cut(fact, call, None)]
        observe(Happening.CLOSE, fact)
        return []
    if fact.cut is not None:
        observe(Happening.CLOSE, fact)
    made = fact.object
    return [fact] if made is not None and made.outnumbers(call.flow.closed_by(call.site)) else []


def export(fact: Fact, of: Port, at: Port, call: Invocation) -> Fact:
    """The mapping after a view of it, or of a view of it, was made."""
    source, path = port_path(of, call.args), port_path(at, call.args)
    if path is None or source is None or not fact.is_open or not fact.is_mapping:
        return fact
    viewed = any(held[:-1] == source and _is_view(held) for held in fact.places) or _is_at(fact, of, call)
    view = f"{VIEW}{call.site.block}.{call.site.index}"
    return fact.with_places({*fact.places, (*path, view)}) if viewed else fact


def _view_ended(fact: Fact, view: Port, call: Invocation) -> Fact | None:
    """The mapping after a view of it has ended, whichever variables have that view; None where there is
    none."""
    path = port_path(view, call.args)
    ended = {held[-1] for held in fact.places if held[:-1] == path and _is_view(held)}
    return fact.with_places({held for held in fact.places if held[-1] not in ended}) if ended else None


def _is_view(path: Path) -> bool:
    return path[-1].startswith(VIEW)


def resize(fact: Fact, at: Port, length: Port, call: Invocation) -> Fact:
    """The mapping after mremap: cut where less than before is left."""
    left = operand_of(length, call)
    if not isinstance(left, Const) or speaks_of_all(fact, at, length, call) or not _is_at(fact, at, call):
        return fact
    return _cut(fact, call, left.value)


def speaks_of_all(fact: Fact, at: Port, length: Port | None, call: Invocation) -> bool:
    """Whether a call speaks of all of the mapping at ``at``: not where its length is a number and surely
    smaller than that of the mapping, of which at least a variable tells it."""
    given = operand_of(length, call)
    return _is_at(fact, at, call) and not is_part(fact, given.value if isinstance(given, Const) else None)


def mapped_bytes(length: Port | None, call: Invocation) -> int | None:
    """The bytes of a new mapping: the number where there is one, 0 where a variable has it, None where it may
    be anything: an expression, or what a harmless function answers (the size of a page)."""
    given = operand_of(length, call)
    if isinstance(given, Const):
        return given.value
    if not isinstance(given, Place):
        return None
    known = call.flow.sources(given)
    if len(known) == 1 and isinstance(known[0], Const):
        return known[0].value
    return None if any(call.flow.is_neutral_call(source) for source in known) else 0


def is_part(fact: Fact, length: int | None) -> bool:
    """Whether a number of bytes is surely less than a mapping has; None is a number that is not known."""
    if length is None or fact.object is None:
        return False
    whole = fact.object.length if fact.cut is None or fact.cut.left is None else fact.cut.left
    if whole is None:
        return False
    return length < whole if whole else length <= _PAGE


def _is_at(fact: Fact, at: Port, call: Invocation) -> bool:
    path = port_path(at, call.args)
    if path is None or fact.object is None or not fact.object.is_mapping:
        return False
    return match_path(fact, path, cell_at(path, call)) is not None


def _cut(fact: Fact, call: Invocation, left: int | None, viewed: bool = False) -> Fact:
    assert fact.object is not None
    if fact.object.kind is not Kind.RUN_MAPPING and not viewed:
        return fact
    first = fact.cut or Cut(call.site, call.at, call.api, viewed=viewed)
    return msgspec.structs.replace(fact, cut=msgspec.structs.replace(first, left=left))
