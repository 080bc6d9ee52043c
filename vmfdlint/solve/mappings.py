"""Transfer functions of calls that end, shrink or mark a mapping: all of it, or only a part.

In: a mapping's fact and the operands of a call. Out: the facts after it. A part that goes leaves the
reference in place: what stays is an area that holds the file (mm/mmap.c: __split_vma(), get_file()).
"""

import msgspec

from vmfdlint.ir import Const, Operand, Place
from vmfdlint.models import Kind, Port
from vmfdlint.solve.facts import Cut, Fact, match_path
from vmfdlint.solve.invocation import Invocation, Observe
from vmfdlint.solve.observe import Happening
from vmfdlint.summary import port_path

_PAGE = 4096
"""Bytes of the smallest page. KVM_GET_VCPU_MMAP_SIZE tells three pages on x86 and two elsewhere, but one on
s390, which has no coalesced MMIO (virt/kvm/kvm_main.c: kvm_dev_ioctl()): one page is taken for a part."""


def unmap(fact: Fact, at: Port, length: Port | None, call: Invocation, observe: Observe) -> list[Fact]:
    """The mapping after munmap: gone, or cut where only a part of it went."""
    if not _is_at(fact, at, call):
        return [fact]
    if not speaks_of_all(fact, at, length, call):
        if not call.flow.unmaps_by_parts:
            return [_cut(fact, call, None)]
        observe(Happening.CLOSE, fact)
        return []
    if fact.cut is not None:
        observe(Happening.CLOSE, fact)
    return []


def resize(fact: Fact, at: Port, length: Port, call: Invocation) -> Fact:
    """The mapping after mremap: cut where less than before is left."""
    left = operand(length, call)
    if not isinstance(left, Const) or speaks_of_all(fact, at, length, call) or not _is_at(fact, at, call):
        return fact
    return _cut(fact, call, left.value)


def speaks_of_all(fact: Fact, at: Port, length: Port | None, call: Invocation) -> bool:
    """Whether a call speaks of all of the mapping at ``at``: not where its length is a number and surely
    smaller than that of the mapping, of which at least a variable tells it."""
    given = operand(length, call)
    return _is_at(fact, at, call) and not is_part(fact, given.value if isinstance(given, Const) else None)


def mapped_bytes(length: Port | None, call: Invocation) -> int | None:
    """The bytes of a new mapping: the number where there is one, 0 where a variable has it, None where it may
    be anything: an expression, or what a harmless function answers (the size of a page)."""
    given = operand(length, call)
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


def operand(port: Port | None, call: Invocation) -> Operand | None:
    """The argument that a port names."""
    if port is None or port.arg is None or port.arg >= len(call.args):
        return None
    return call.args[port.arg]


def _is_at(fact: Fact, at: Port, call: Invocation) -> bool:
    path = port_path(at, call.args)
    if path is None or fact.object is None or not fact.object.is_mapping:
        return False
    return match_path(fact, path, call.flow.cells.get(path)) is not None


def _cut(fact: Fact, call: Invocation, left: int | None) -> Fact:
    assert fact.object is not None
    if fact.object.kind is not Kind.RUN_MAPPING:
        return fact
    first = fact.cut or Cut(call.site, call.at, call.api)
    return msgspec.structs.replace(fact, cut=msgspec.structs.replace(first, left=left))
