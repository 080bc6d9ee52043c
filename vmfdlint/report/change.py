"""What a change adds and takes away, as Markdown for a review comment and as JSON."""

import msgspec

from vmfdlint.base import Span
from vmfdlint.finding import Finding, Item, Matter
from vmfdlint.held import Change
from vmfdlint.report.context import Context
from vmfdlint.report.markdown import in_cell
from vmfdlint.report.words import count

SCHEMA = 1
_ROWS = 200
_WORDS = {
    Matter.CREATION: "creation",
    Matter.COPY: "copy",
    Matter.TRANSFER: "transfer",
    Matter.FORK: "fork point",
    Matter.PROGRAM: "program start",
    Matter.RELEASE: "release",
}
_PLURALS = {Matter.COPY: "copies"}


def change_markdown(change: Change, context: Context) -> bytes:
    """A Change as Markdown: a sentence, a table of holders and forks, a table of findings."""
    lines = [f"## vmfdlint: what changes since {in_cell(change.since)}", "", _summary(change), ""]
    items = [("+", one) for one in change.added] + [("-", one) for one in change.removed]
    if items:
        lines += ["| | | what | where |", "|---|---|---|---|"]
        lines += [_item(sign, one, context) for sign, one in sorted(items, key=_order)[:_ROWS]]
        lines += _more(len(items))
    findings = [("+", one) for one in change.found] + [("-", one) for one in change.gone]
    if findings:
        lines += ["### Findings", "", "| | | rule | what | where |", "|---|---|---|---|---|"]
        lines += [_finding(sign, one, context) for sign, one in findings[:_ROWS]]
        lines += _more(len(findings))
    return ("\n".join(lines).rstrip() + "\n").encode("utf-8", "replace")


def change_json(change: Change, context: Context) -> bytes:
    """A Change as one JSON object. ``schema`` numbers the form."""
    tool = {"name": "vmfdlint", "version": context.version}
    document = {"schema": SCHEMA, "tool": tool} | msgspec.to_builtins(change)
    return msgspec.json.format(msgspec.json.encode(document), indent=1) + b"\n"


def _summary(change: Change) -> str:
    """``2 creations and 1 fork point more, 1 release less; 1 finding more.``"""
    parts = [
        part
        for word, items in (("more", change.added), ("less", change.removed))
        if (part := _counted(items, word))
    ]
    findings = [
        f"{count(len(found), 'finding')} {word}"
        for word, found in (("more", change.found), ("less", change.gone))
        if found
    ]
    told = "; ".join(part for part in (", ".join(parts), ", ".join(findings)) if part)
    return f"**{told}.**" if told else "No holder, fork point or finding more or less."


def _counted(items: tuple[Item, ...], word: str) -> str:
    counts = [
        count(number, noun, _PLURALS.get(matter, ""))
        for matter, noun in _WORDS.items()
        if (number := sum(one.matter is matter for one in items))
    ]
    if not counts:
        return ""
    return (counts[0] if len(counts) == 1 else f"{', '.join(counts[:-1])} and {counts[-1]}") + f" {word}"


def _order(signed: tuple[str, Item]) -> tuple[int, Span, str]:
    sign, item = signed
    return list(Matter).index(item.matter), item.at, sign


def _item(sign: str, item: Item, context: Context) -> str:
    where = _where(sign, item.at, item.function, context)
    return f"| {sign} | {_WORDS[item.matter]} | {in_cell(item.text)} | {where} |"


def _finding(sign: str, one: Finding, context: Context) -> str:
    where = _where(sign, one.at, one.function, context)
    return f"| {sign} | {one.level} | {one.rule} | {in_cell(one.message)} | {where} |"


def _where(sign: str, at: Span, function: str, context: Context) -> str:
    """The place, as the code host knows it; of what is gone, the place where it was."""
    was = "was " if sign == "-" else ""
    inside = f" in {function}" if function else ""
    return was + in_cell(f"{context.within}{at.path}:{at.line}{inside}")


def _more(total: int) -> list[str]:
    left = total - _ROWS
    return ["", f"{left:,} more rows are left out.", ""] if left > 0 else [""]
