"""What is done with fixes: offered, shown as a diff or as patches, written. Options and an Outcome in."""

import os
from collections.abc import Mapping

import msgspec

from vmfdlint.base import SourceText
from vmfdlint.config import Options
from vmfdlint.discover import Discovery
from vmfdlint.finding import Finding, Outcome
from vmfdlint.fix import Analysis, Applied, applied, diff, fixable, offer, patches
from vmfdlint.intake import asked_about, prefix
from vmfdlint.report import WITH_FIXES, count
from vmfdlint.vcs import author, within

_NOBODY = "vmfdlint <vmfdlint@localhost>"
"""Writes the patches where git names no author."""


def wants_fixes(options: Options) -> bool:
    """Whether fixes are written, shown, or reported in a form that has a place for them."""
    asked = options.fix or options.diff or options.format_patch
    return asked or any(wanted.partition(":")[0] in WITH_FIXES for wanted in options.output_format)


def with_fixes(
    outcome: Outcome, every: Outcome, found: Discovery, options: Options, analysis: Analysis
) -> Outcome:
    """The outcome with the fixes that hold, in files that were asked about. ``every`` is what it was before
    anything was left out."""
    sources = _sources(found)
    focus = asked_about(found, options)
    version = tuple(map(int, options.target_python.split(".")))
    inside = [one for one in outcome.findings if focus is None or one.at.path in focus]
    offered = {(one.rule, one.at): one for one in offer(inside, every, sources, analysis, version)}
    findings = tuple(offered.get((one.rule, one.at), one) for one in outcome.findings)
    return msgspec.structs.replace(outcome, findings=findings)


def fixed(outcome: Outcome, found: Discovery, options: Options) -> tuple[dict[str, bytes], int]:
    """The new bytes of the files that fixes change, by the path to write, and how many findings they
    remove."""
    made, chosen = _chosen(outcome, found, options)
    files = {os.path.normpath(found.root / path): source.data for path, source in made.sources.items()}
    return files, len(chosen)


def shown(outcome: Outcome, found: Discovery, options: Options) -> tuple[bytes, str]:
    """The fixes as a diff or as patches, and what is said of them."""
    made, chosen = _chosen(outcome, found, options)
    sources = _sources(found)
    if options.format_patch:
        rules = {rule.id: rule for rule in outcome.rules}
        data = patches(chosen, rules, sources, within(found.root), author(found.root) or _NOBODY)
    else:
        data = diff(sources, made.sources, prefix(found.root))
    return data, f"Would fix {count(len(chosen), 'finding')}{_held_back(outcome, options)}"


def told(outcome: Outcome, options: Options, done: int) -> Outcome:
    """The outcome that says how many findings were fixed before, or that some may be."""
    if (
        options.output_format == ("full",)
        and not wants_fixes(options)
        and any(one.rule in fixable() for one in outcome.findings)
    ):
        notice = "`vmfdlint check --diff` shows which of these it can fix."
        return msgspec.structs.replace(outcome, notices=(*outcome.notices, notice))
    more = _held_back(outcome, options)
    if not options.fix or not (done or more):
        return outcome
    notice = f"Fixed {count(done, 'finding')}{more}."
    return msgspec.structs.replace(outcome, notices=(*outcome.notices, notice))


def _chosen(outcome: Outcome, found: Discovery, options: Options) -> tuple[Applied, list[Finding]]:
    """The fixes that may be applied, as many as go together."""
    wanted = [one for one in outcome.findings if one.fixes and (options.unsafe_fixes or one.fixes[0].safe)]
    made = applied(_sources(found), [one.fixes[0] for one in wanted])
    return made, [one for one, taken in zip(wanted, made.taken, strict=True) if taken]


def _held_back(outcome: Outcome, options: Options) -> str:
    unsafe = sum(bool(one.fixes) and not one.fixes[0].safe for one in outcome.findings)
    if not unsafe or options.unsafe_fixes:
        return ""
    return f" ({count(unsafe, 'more', 'more')} with --unsafe-fixes)"


def _sources(found: Discovery) -> Mapping[str, SourceText]:
    return {source.path: source for source in found.files}
