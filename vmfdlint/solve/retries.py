"""Loops that run a call again where it failed: ``do { fd = ioctl(...); } while (errno == EINTR)``.

In: a call in a loop that gives a descriptor. Out: whether it can run again once it gave one, and makes
several then.
"""

from vmfdlint.ir import Assign, Assume, Call
from vmfdlint.link import Site
from vmfdlint.models import Kind
from vmfdlint.solve.facts import Fact, Object
from vmfdlint.solve.local import assign, assume
from vmfdlint.summary import Flow, path_of

_STEPS = 200


class Retries:
    """Memoised answers on calls."""

    def __init__(self) -> None:
        self._known: dict[Site, bool] = {}

    def makes_several(self, flow: Flow, block: int, index: int) -> bool:
        """Whether a call can run again in its function after it gave a descriptor."""
        if block not in flow.looping:
            return False
        site = Site(flow.key, block, index)
        known = self._known.get(site)
        if known is None:
            known = self._known[site] = _comes_back(flow, site)
        return known


def _comes_back(flow: Flow, site: Site) -> bool:
    call = flow.call_at(site.block, site.index)
    if call.dst is None:
        return True
    made = Fact(Object(Kind.VM, site, call.at, ""), (path_of(call.dst),))
    round_it = frozenset[int]().union(*(loop for loop in flow.loops if site.block in loop))
    pending = [(site.block, site.index + 1, made)]
    seen = set(pending)
    while pending:
        block, index, given = pending.pop()
        instrs = flow.function.blocks[block].instrs
        fact: Fact | None = given
        while fact is not None and index < len(instrs):
            instr = instrs[index]
            if (block, index) == (site.block, site.index) or len(seen) > _STEPS:
                return True
            if isinstance(instr, Assign):
                fact = assign(fact, instr, flow)
            elif isinstance(instr, Assume):
                fact = assume(fact, instr, flow, (block, index))
            elif isinstance(instr, Call) and instr.dst is not None:
                fact = fact.with_places({path for path in fact.places if path != path_of(instr.dst)})
            index += 1
        for successor in round_it.intersection(flow.function.blocks[block].successors):
            if fact is not None and (successor, 0, fact) not in seen:
                seen.add((successor, 0, fact))
                pending.append((successor, 0, fact))
    return False
