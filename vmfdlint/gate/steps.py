"""The steps in their order: comments, settings, the files and lines that were asked about, what was known."""

from collections.abc import Mapping, Sequence

import msgspec

from vmfdlint.baseline import Entry, surely_gone
from vmfdlint.config import Options
from vmfdlint.finding import Outcome
from vmfdlint.gate.narrow import asked_for, on_lines, safe_in, touching, unknown
from vmfdlint.suppress import Sources, suppress


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """What the steps need beside the Options.

    ``root`` is the absolute directory the paths of findings are relative to. ``whole``: nothing of the
    program was left out. ``focus`` are the files asked about, ``lines`` the changed lines by path, ``before``
    what was known; each None where it was not asked for.
    """

    root: str
    sources: Sources
    whole: bool = True
    focus: frozenset[str] | None = None
    lines: Mapping[str, Sequence[tuple[int, int]]] | None = None
    before: Sequence[Entry] | None = None


def narrowed(outcome: Outcome, options: Options, given: Given) -> Outcome:
    """The Outcome without the findings that do not count. Raises ConfigError."""
    if not options.ignore_suppressions:
        outcome = suppress(outcome, given.sources, options.rules, given.whole)
    outcome = asked_for(outcome, options, given.root)
    if given.focus is not None:
        outcome = touching(outcome, given.focus, "elsewhere in the project")
        outcome = safe_in(outcome, given.focus)
    if given.before is not None:
        outcome, gone = unknown(outcome, given.before, given.sources.texts, "known before")
        # What was not read, or lies elsewhere, is not gone; of what a commit knew, no file says anything.
        asked = given.whole and given.focus is None and options.baseline_commit is None
        file = options.baseline if asked else None
        gone = surely_gone(gone, given.sources.texts, file, given.root) if file is not None else []
        if gone:
            were = (
                "1 finding of the baseline is"
                if len(gone) == 1
                else f"{len(gone):,} findings of the baseline are"
            )
            notice = f"{were} gone: `vmfdlint baseline update --prune` takes them out of {file}."
            outcome = msgspec.structs.replace(outcome, notices=(*outcome.notices, notice))
    if given.lines is not None:
        outcome = on_lines(outcome, given.lines, "not on changed lines")
    return outcome
