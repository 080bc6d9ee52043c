"""Results -> the table for people, and whether all of it agrees."""

from collections.abc import Mapping, Sequence

import msgspec

from tools.evidence.cases import Case, Sheet
from tools.evidence.measure import Result

_HEAD = ("rule", "program", "oracle", "hazard", "vmfdlint", "agree", "observed")


class Row(msgspec.Struct, frozen=True):
    """One program under one oracle. ``agree`` is "yes", "known", "no" or, where nothing was seen, "-"."""

    rule: str
    program: str
    oracle: str
    shown: str
    static: str
    agree: str
    observed: str


def rows(results: Sequence[Result], found: Mapping[str, frozenset[str]]) -> list[Row]:
    """In the order of the results."""
    other = {(one.program, one.oracle): one for one in results}
    return [_row(one, found[one.program], other) for one in results]


def _row(one: Result, found: frozenset[str], other: Mapping[tuple[str, str], Result]) -> Row:
    static = one.case.rule in found
    text = one.observed
    if one.skipped:
        agree, text = "-", f"not asked: {one.skipped}"
    elif one.failed:
        agree, text = "no", f"failed: {one.failed}"
    elif one.shown == one.clean:
        agree, text = "no", text + (" (it is to be clean)" if one.clean else " (it is to show the hazard)")
    elif any(_differs(one, each) for (name, _), each in other.items() if name == one.program):
        agree, text = "no", text + " (the oracles differ)"
    else:
        agree, told = _held(one.case, one.clean, found)
        text += f" ({told})" if told else ""
    shown = "-" if one.skipped or one.failed else "yes" if one.shown else "no"
    return Row(one.case.rule, one.program, one.oracle, shown, "flagged" if static else "clean", agree, text)


def _differs(one: Result, other: Result) -> bool:
    return not (other.skipped or other.failed) and (one.shown, one.observed) != (other.shown, other.observed)


def _held(case: Case, clean: bool, found: frozenset[str]) -> tuple[str, str]:
    """Whether the static verdict is the measured one; nothing else than ``also`` may be found either."""
    known = case.known_clean if clean else case.known
    more = sorted(found - {case.rule} - set(case.also))
    if more or (case.rule in found) == clean:
        wrong = f"also found: {', '.join(more)}" if more else "vmfdlint says otherwise"
        return ("known", known) if known else ("no", wrong)
    return ("no", f"vmfdlint is right now, remove: {known}") if known else ("yes", "")


def text(all_rows: Sequence[Row], sheet: Sheet, every: Sequence[str]) -> str:
    """The table and what it comes to. ``every`` are the ids of the rules that are to have evidence."""
    table = [_HEAD, *(tuple(msgspec.structs.astuple(row)) for row in all_rows)]
    order = (0, 1, 2, 3, 4, 5, 6)
    widths = [max(len(line[column]) for line in table) for column in order[:-1]]
    lines = [
        "  ".join([*(cell.ljust(width) for cell, width in zip(line, widths, strict=False)), line[-1]])
        for line in table
    ]
    run = {row.rule for row in all_rows if row.shown != "-"}
    cited = {source.rule for source in sheet.source} & set(every)
    bare = sorted(set(every) - run - cited)
    agreed = sum(row.agree == "yes" for row in all_rows)
    known = sum(row.agree == "known" for row in all_rows)
    asked = sum(row.agree != "-" for row in all_rows)
    truth = {name for case in sheet.case for name in (*case.flagged, *case.clean)}
    lines += [
        "",
        f"{asked} runs: {agreed} agree, {known} known to differ, {asked - agreed - known} disagree",
        f"rules shown by programs: {len(run)}, by lines of the kernel: {len(cited)}"
        + (f"; not shown here: {', '.join(bare)}" if bare else "; not shown here: none"),
        f"{len(truth)} measurements of the kernel are repeated",
    ]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def agrees(all_rows: Sequence[Row]) -> bool:
    """Whether no row disagrees."""
    return all(row.agree != "no" for row in all_rows)
