"""``python -m tools corpus``: trees -> what changed against their sheets, and how they score against labels.

Exit code 0 when all is as expected, 1 when findings were added, lost or never explained, 2 when a tree could
not be read. The score does not change the exit code: a miss is known until someone works on it.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import msgspec

from tools.checked import Checked, Found, check
from tools.drift import drifted
from tools.expected import Difference, compare, update
from tools.labels import Categories, Label
from tools.score import Match, Precision, Score, precision, score
from tools.trees import SHEETS, Expected, Tree, Unreadable

SAME, DIFFERENT, UNREAD = 0, 1, 2


class Result(msgspec.Struct, frozen=True):
    """One tree: either ``unreadable`` says why there is nothing else, or the rest is there.

    ``written`` counts the entries that --update put into the sheet. ``score`` is None without labels;
    ``drifted`` are labels that do not fit the tree, and were not used.
    """

    tree: Tree
    unreadable: str = ""
    checked: Checked = Checked((), 0, 0.0)
    difference: Difference = Difference()
    precision: Precision = Precision(0, 0, 0)
    score: Score | None = None
    drifted: tuple[Label, ...] = ()
    written: int = 0

    @property
    def exit_code(self) -> int:
        if self.unreadable:
            return UNREAD
        return SAME if self.difference.clean else DIFFERENT


def run(tree: Tree, jobs: int, labels: Sequence[Label] | None, categories: Categories, write: bool) -> Result:
    """Checks one tree and compares. ``labels`` of other trees are passed over."""
    try:
        checked = check(tree, jobs)
    except Unreadable as error:
        return Result(tree, str(error))
    difference = compare(checked.findings, tree.sheet.finding)
    scored = None
    astray: tuple[Label, ...] = ()
    if labels is not None:
        own = tuple(label for label in labels if label.tree == tree.name)
        astray = drifted(tree.root, own)
        fitting = tuple(label for label in own if label not in astray)
        scored = score(checked.findings, fitting, categories)
    return Result(
        tree,
        checked=checked,
        difference=difference,
        precision=precision(checked.findings, difference, scored),
        score=scored,
        drifted=astray,
        written=update(tree, difference) if write else 0,
    )


def exit_code(results: Sequence[Result]) -> int:
    return max((result.exit_code for result in results), default=SAME)


def total(results: Sequence[Result]) -> Precision:
    return sum((result.precision for result in results), Precision(0, 0, 0))


# -- for people --------------------------------------------------------------------------------------------


def text(results: Sequence[Result], labels: Sequence[Label] | None) -> str:
    """The report, with a line for each thing to look at."""
    lines: list[str] = []
    for result in results:
        lines += [*_tree_lines(result), ""]
    if labels is not None:
        lines += _labels_lines(results, labels)
    read = [result for result in results if not result.unreadable]
    every = total(results)
    lines.append(
        f"{len(read)} of {len(results)} trees: {every.true + every.false + every.unread} findings, "
        f"{_count(read, 'added')} added, {_count(read, 'lost')} lost, "
        f"{_count(read, 'unexplained')} without a reason; {_precision(every)}"
    )
    return "\n".join(lines) + "\n"


def _tree_lines(result: Result) -> list[str]:
    tree = result.tree
    if result.unreadable:
        return [f"{tree.name}: could not be read", f"  {result.unreadable}"]
    checked, difference = result.checked, result.difference
    lines = [
        f"{tree.name}: {checked.files:,} files, {checked.seconds:.1f} s, {len(checked.findings)} findings, "
        f"{len(difference.kept)} as expected; {_precision(result.precision)}"
    ]
    lines += [f"  added        {_shown(found)}" for found in difference.added]
    lines += [f"  lost         {_entry(entry)}" for entry in difference.lost]
    lines += [
        f"  no reason    {_entry(entry)}: give it a why, or a wrong" for entry in difference.unexplained
    ]
    if result.written:
        lines.append(
            f"  {tree.file}: {result.written} entries written: read each finding and say why it is right"
        )
    if result.score is not None:
        lines += _score_lines(result.score)
    for file, number in sorted(Counter(label.file for label in result.drifted).items()):
        lines.append(
            f"  drifted      {file}: labels outside the functions they name, not used, of another version? "
            f"{number}"
        )
    return lines


def _score_lines(scored: Score) -> list[str]:
    mays = len({id(match.label) for match in scored.may_found})
    lines = [
        f"  labels       {scored.must_found} of {scored.must} musts, {mays} of {scored.may} mays, "
        f"{len(scored.sprung)} traps sprung of {scored.traps}, "
        f"{len(scored.unlabelled)} findings without a label"
    ]
    lines += [f"  missed       {label}: {label.why}" for label in scored.missed]
    lines += [f"  trap sprung  {_match(match)}: {match.label.why}" for match in scored.sprung]
    lines += [f"  trap allowed {_match(match)}" for match in scored.allowed]
    lines += [f"  must found   {_match(match)}" for match in scored.found]
    lines += [f"  may found    {_match(match)}" for match in scored.may_found]
    return lines + [f"  unlabelled   {_shown(found)}" for found in scored.unlabelled]


def _labels_lines(results: Sequence[Result], labels: Sequence[Label]) -> list[str]:
    names = {result.tree.name for result in results if not result.unreadable}
    scores = [result.score for result in results if result.score is not None]
    left = sorted({label.tree for label in labels} - names)
    lines = [
        f"labels: {sum(each.must_found for each in scores)} of {sum(each.must for each in scores)} musts, "
        f"{sum(len(each.sprung) for each in scores)} traps sprung of {sum(each.traps for each in scores)}, "
        f"{sum(len(each.unlabelled) for each in scores)} findings without a label"
    ]
    return lines + ([f"labels not used, their trees were not read: {', '.join(left)}"] if left else [])


def _count(results: Sequence[Result], what: str) -> int:
    return sum(len(getattr(result.difference, what)) for result in results)


def _precision(counts: Precision) -> str:
    if counts.share is None:
        return "no precision without findings"
    every = counts.true + counts.false + counts.unread
    unread = f", {counts.unread} not read by anyone" if counts.unread else ""
    return f"precision {counts.true} of {every} ({counts.share:.0%}{unread})"


def _shown(found: Found) -> str:
    return f"{found}: {found.message}"


def _entry(entry: Expected) -> str:
    return f"{entry.file}:{entry.line} {entry.rule} {entry.level}"


def _match(match: Match) -> str:
    """A finding beside its label, with what the two say differently."""
    finding, label = match.finding, match.label
    allowed = label.max_severity if label.trap else label.severity
    level = "" if finding.level == allowed else f", {'at most' if label.trap else 'label says'} {allowed}"
    at = (
        ""
        if (finding.file, finding.line) == (label.file, label.line)
        else f", label at {label.file}:{label.line}"
    )
    return f"{finding} ({label.category}{level}{at})"


# -- for programs ------------------------------------------------------------------------------------------


def document(results: Sequence[Result]) -> dict[str, Any]:
    """Everything of the text, for --json. Places are relative to the root of their tree."""
    return {
        "schema": 1,
        "exit_code": exit_code(results),
        "precision": _precision_document(total(results)),
        "trees": [_tree_document(result) for result in results],
    }


def _tree_document(result: Result) -> dict[str, Any]:
    tree = result.tree
    if result.unreadable:
        return {"name": tree.name, "unreadable": result.unreadable}
    return {
        "name": tree.name,
        "sheet": tree.file.relative_to(SHEETS).as_posix()
        if tree.file.is_relative_to(SHEETS)
        else str(tree.file),
        "files": result.checked.files,
        "seconds": round(result.checked.seconds, 3),
        "findings": result.checked.findings,
        "as_expected": len(result.difference.kept),
        "added": result.difference.added,
        "lost": result.difference.lost,
        "unexplained": result.difference.unexplained,
        "written": result.written,
        "precision": _precision_document(result.precision),
        "score": None if result.score is None else _score_document(result.score),
        "drifted": result.drifted,
    }


def _score_document(scored: Score) -> dict[str, Any]:
    return {"must_found": scored.must_found, **msgspec.structs.asdict(scored)}


def _precision_document(counts: Precision) -> dict[str, Any]:
    return {**msgspec.structs.asdict(counts), "share": counts.share}
