"""What a run came to, and whether it shows the hazard of its case."""

from errno import errorcode
from typing import Any

import msgspec

from tools.evidence.family import Holder
from tools.trees import Unreadable


class Seen(msgspec.Struct, frozen=True):
    """What an oracle saw when a program had come to rest.

    ``made`` is how many VMs were made, ``left`` how many of them are still alive. ``released`` says that
    all were gone once the rest of its processes was killed. ``status`` is the exit status of the first
    process, None while it waits. ``outside`` is what was seen of the machine: "mode=755", "charge=stays".
    """

    made: int
    left: int
    holders: tuple[Holder, ...]
    released: bool
    status: int | None = None
    outside: str = ""


def told(what: str, seen: Seen) -> str:
    """What was seen, for people and for rules/evidence: the same on every run."""
    if what.startswith("outside "):
        return seen.outside
    if what.startswith("ends "):
        error = errorcode.get(seen.status or 0)
        return f"ended with {error}" if error else "ended without an error"
    parts = [_vms(seen)]
    holders = [holder for holder in seen.holders if not holder.what.startswith("/dev/kvm")]
    if what.startswith("inherits "):
        holders = [holder for holder in seen.holders if holder.who not in ("creator", "child")]
    if holders:
        return f"{parts[0]}; {', and '.join(str(holder) for holder in holders)}"
    return f"{parts[0]}; no descriptor and no mapping of any process shows it" if seen.left else parts[0]


def _vms(seen: Seen) -> str:
    if seen.made == 0:
        return "no VM was made"
    if seen.made == 1:
        return "the VM lives on" if seen.left else "the VM was destroyed"
    return f"{seen.left} of {seen.made} VMs live on"


def shows(what: str, seen: Seen) -> bool:
    """Whether the hazard is there. Raises Unreadable for a word that says nothing.

    ``lives``: a VM is alive when all is done; ``all live``: each of several is; ``gone``: the last VM that
    was made is not, though the program goes on with it; ``ends E``: the program ended with that errno;
    ``inherits NAME``: a program that was executed has that file; ``outside WORD``: the machine is left so.
    """
    word, _, rest = what.partition(" ")
    asked: dict[str, Any] = {
        "lives": seen.left > 0,
        "all": seen.left == seen.made > 1,
        "gone": seen.made > 0 and seen.left == 0,
        "ends": errorcode.get(seen.status or 0) == rest,
        "inherits": any(_inherited(holder, rest) for holder in seen.holders),
        "outside": seen.outside == rest,
    }
    if word not in asked:
        raise Unreadable(f"shows = {what!r}: known are {', '.join(asked)}")
    return bool(asked[word])


def _inherited(holder: Holder, name: str) -> bool:
    return holder.who not in ("creator", "child") and holder.what.startswith(name + ",")
