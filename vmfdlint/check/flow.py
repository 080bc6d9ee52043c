"""``show flow``: where each descriptor is created, through which functions it goes, where it rests."""

from collections import defaultdict
from typing import NamedTuple

from vmfdlint.base import Span
from vmfdlint.check.incident import noun
from vmfdlint.check.spoken import spoken
from vmfdlint.ir import FunctionKey
from vmfdlint.link import FILE, EdgeKind, Site
from vmfdlint.models import Kind
from vmfdlint.solve import Object, Solver
from vmfdlint.summary import ESCAPED, OUTER, RESULT, is_cell, is_global, show


def flow_text(solver: Solver) -> str:
    """One paragraph a creating site: its functions, the fields and globals it rests in, the chain from a
    root."""
    by_site: dict[tuple[Kind, Site], list[Object]] = defaultdict(list)
    rests: dict[tuple[Kind, Site], set[str]] = defaultdict(set)
    through: dict[tuple[Kind, Site], set[FunctionKey]] = defaultdict(set)
    for (function, _block, _index), facts in solver.tabulation.at.items():
        for fact in facts:
            if fact.object is None or fact.object.creator or fact.object.copy_of is not None:
                continue
            name = (fact.object.kind, fact.object.site)
            by_site[name].append(fact.object)
            through[name].add(function)
            for path in fact.places:
                if is_cell(path) or is_global(path):
                    rests[name].add(show(path, solver.program.notation(function.path)))
                elif path in (OUTER, RESULT, ESCAPED):
                    continue
    lines: list[str] = []
    for name in sorted(by_site, key=lambda item: (list(Kind).index(item[0]), by_site[item][0].at)):
        made = by_site[name][0]
        at = f"{made.at.path}:{made.at.line}"
        lines.append(f"{noun(made)}: created by {spoken(made.api)} at {at} in {made.site.function.name}")
        if rests[name]:
            lines.append(f"  rests in: {', '.join(sorted(rests[name]))}")
        goes = sorted(f"{key.name} ({key.path})" for key in through[name])
        lines.append(f"  goes through: {', '.join(goes)}")
        handed = [one for one in by_site[name] if one.chain]
        user = min(one.user for one in handed or [made])
        chain = call_chain(solver, user)
        if chain:
            lines.append(f"  {user.name} is called from: " + "\n    <- ".join(chain))
        lines.append("")
    return "\n".join(lines)


class Link(NamedTuple):
    """One call of a chain: ``caller`` calls ``callee`` at a place, directly or in another way."""

    caller: FunctionKey
    callee: FunctionKey
    at: Span
    kind: EdgeKind


def call_chain(solver: Solver, key: FunctionKey) -> list[str]:
    """The chain of callers from ``key`` outwards, for people."""
    lines: list[str] = []
    for link in callers_above(solver, key):
        word = "" if link.kind is EdgeKind.DIRECT else f" by {link.kind.value}"
        lines.append(f"{link.caller.name} ({link.caller.path}:{link.at.line}{word})")
    return lines


def callers_above(solver: Solver, key: FunctionKey) -> list[Link]:
    """The shortest chain of callers from ``key`` to a ``main`` (else to a function without callers), the
    nearest first."""
    parents: dict[FunctionKey, Link | None] = {key: None}
    frontier = [key]
    last = key
    while frontier:
        following: list[FunctionKey] = []
        for current in frontier:
            if solver.program.is_entry(current):
                return _told(parents, current)
            for edge in solver.graph.callers(current):
                caller = edge.site.function
                if caller in parents or caller.name == FILE or edge.kind in (EdgeKind.EXIT, EdgeKind.SIGNAL):
                    continue
                flow = solver.behaviour.flow(caller)
                assert flow is not None  # a call site always lies in a lowered function
                at = flow.function.blocks[edge.site.block].instrs[edge.site.index].at
                parents[caller] = Link(caller, current, at, edge.kind)
                following.append(caller)
                last = caller
        frontier = sorted(following)
    return _told(parents, last) if last != key else []


def _told(parents: dict[FunctionKey, Link | None], top: FunctionKey) -> list[Link]:
    links: list[Link] = []
    current = top
    while (link := parents[current]) is not None:
        links.append(link)
        current = link.callee
    return list(reversed(links))
