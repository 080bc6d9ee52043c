"""Findings against the sheet of their tree: what is as expected, new, gone, or never explained.

New entries are written without a reason: a person has to read the finding to get past the next run.
"""

import json
from collections import defaultdict

import msgspec

from tools.checked import Found
from tools.trees import Expected, Tree


class Difference(msgspec.Struct, frozen=True):
    """A comparison. ``kept`` pairs findings with their entries; ``unexplained`` entries have no reason, or
    two."""

    kept: tuple[tuple[Found, Expected], ...] = ()
    added: tuple[Found, ...] = ()
    lost: tuple[Expected, ...] = ()
    unexplained: tuple[Expected, ...] = ()

    @property
    def clean(self) -> bool:
        return not (self.added or self.lost or self.unexplained)


def compare(findings: tuple[Found, ...], expected: tuple[Expected, ...]) -> Difference:
    """Each finding takes one entry with its file, line, rule and level; a changed level is a loss and an
    addition."""
    waiting: dict[tuple[str, int, str, str], list[Expected]] = defaultdict(list)
    for entry in expected:
        waiting[entry.file, entry.line, entry.rule, entry.level].append(entry)
    kept, added = [], []
    for found in findings:
        entries = waiting[found.file, found.line, found.rule, found.level]
        if entries:
            kept.append((found, entries.pop(0)))
        else:
            added.append(found)
    lost = [entry for entries in waiting.values() for entry in entries]
    unexplained = [entry for entry in expected if not entry.explained]
    return Difference(tuple(kept), tuple(added), tuple(lost), tuple(unexplained))


def update(tree: Tree, difference: Difference) -> int:
    """Appends what is new to the tree's sheet, with an empty reason; makes the sheet where there is none.

    Lost entries stay: their deletion is a decision. Returns how many entries were written.
    """
    if not difference.added:
        return 0
    text = tree.file.read_text(encoding="utf-8") if tree.file.exists() else 'version = ""\n'
    entries = [entry_text(found) for found in difference.added]
    tree.file.parent.mkdir(parents=True, exist_ok=True)
    tree.file.write_text("\n".join([text.rstrip("\n") + "\n", *entries]), encoding="utf-8")
    return len(entries)


def entry_text(found: Found) -> str:
    """A finding as an entry of a sheet. A JSON string without escapes beyond it is a TOML string too."""
    return (
        "[[finding]]\n"
        f"file = {json.dumps(found.file, ensure_ascii=False)}\n"
        f"line = {found.line}\n"
        f'rule = "{found.rule}"\n'
        f'level = "{found.level}"\n'
        'why = ""\n'
    )
