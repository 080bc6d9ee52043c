"""``show flow``: where each descriptor is created, through which functions it goes, where it rests."""

from collections import defaultdict

from vmfdlint.check.incident import noun
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
                    rests[name].add(show(path))
                elif path in (OUTER, RESULT, ESCAPED):
                    continue
    lines: list[str] = []
    for name in sorted(by_site, key=lambda item: (list(Kind).index(item[0]), by_site[item][0].at)):
        made = by_site[name][0]
        at = f"{made.at.path}:{made.at.line}"
        lines.append(f"{noun(made)}: created by {made.api} at {at} in {made.site.function.name}")
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


def call_chain(solver: Solver, key: FunctionKey) -> list[str]:
    """The shortest chain of callers from ``key`` to a ``main`` (else to a function without callers), for
    people."""
    parents: dict[FunctionKey, tuple[FunctionKey, str] | None] = {key: None}
    frontier = [key]
    last = key
    while frontier:
        following: list[FunctionKey] = []
        for current in frontier:
            if current.name == "main":
                return _told(parents, current)
            for edge in solver.graph.callers(current):
                caller = edge.site.function
                if caller in parents or caller.name == FILE or edge.kind in (EdgeKind.EXIT, EdgeKind.SIGNAL):
                    continue
                flow = solver.behaviour.flow(caller)
                line = flow.function.blocks[edge.site.block].instrs[edge.site.index].at.line if flow else 0
                word = "" if edge.kind is EdgeKind.DIRECT else f" by {edge.kind.value}"
                parents[caller] = (current, f"{caller.name} ({caller.path}:{line}{word})")
                following.append(caller)
                last = caller
        frontier = sorted(following)
    return _told(parents, last) if last != key else []


def _told(parents: dict[FunctionKey, tuple[FunctionKey, str] | None], top: FunctionKey) -> list[str]:
    lines: list[str] = []
    current = top
    while (entry := parents[current]) is not None:
        below, text = entry
        lines.append(text)
        current = below
    return list(reversed(lines))
