"""What an editor asks: what is found in its open documents, how a comment would silence it, what a rule says.

Paths are absolute here, and texts are those in the editor, saved or not.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import msgspec

from vmfdlint import __version__
from vmfdlint.app.analysis import analyze, rule_docs
from vmfdlint.app.rules import rules
from vmfdlint.app.run import silent
from vmfdlint.app.settings import options_for
from vmfdlint.app.verdict import gated, judged, known_entries, look
from vmfdlint.base import ProblemKind, SourceText, Span
from vmfdlint.config import ConfigError
from vmfdlint.discover import Discovery
from vmfdlint.finding import Certainty, Finding, Level, Outcome, RuleDoc, Step
from vmfdlint.frontends.languages import language_of
from vmfdlint.history import known
from vmfdlint.intake import prefix, take, with_texts
from vmfdlint.repair import with_fixes
from vmfdlint.report import FATAL, Context, cwe_page, one_line, problem_lines, rule_table
from vmfdlint.suppress import UNUSED, WITHOUT_REASON, Sources, add_comments, named_at

_REASON = "FIXME: say why"
"""No editor asks for words: the comment says that they are missing."""


class Look(msgspec.Struct, frozen=True):
    """``place`` is the directory of a program, or one file; ``texts`` are the open documents by path."""

    place: str
    texts: Mapping[str, bytes]


class Change(msgspec.Struct, frozen=True):
    """Texts in the place of what stands at their spans. ``safe``: the program does the same otherwise."""

    title: str
    edits: tuple[tuple[Span, str], ...]
    safe: bool = True


class Remark(msgspec.Struct, frozen=True):
    """A finding as an editor shows it. ``steps`` are the places that lead to it, ``page`` the address of a
    page on its kind, "" where there is none. ``about_code``: it is no finding about a comment."""

    rule: str
    level: str
    at: Span
    message: str
    page: str
    steps: tuple[tuple[Span, str], ...]
    fixes: tuple[Change, ...]
    about_code: bool


class Seen(msgspec.Struct, frozen=True):
    """What a look found. ``remarks`` are by document, for every one that was read, ``sources`` the files that
    they speak of. ``errors`` say what could not be done, ``notes`` what else there is to say.

    ``complete``: what is not among the remarks is not there.
    """

    remarks: Mapping[str, tuple[Remark, ...]] = {}
    sources: Mapping[str, SourceText] = {}
    errors: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    complete: bool = False


def looks(asked: Look) -> Iterator[Seen]:
    """What is found, then, where some can be fixed, the same with the fixes that hold, for they take another
    analysis. Settings are those that ``check`` in the directory would read; the current directory is that one
    afterwards."""
    whole = os.path.isdir(asked.place)  # noqa: PTH112 - Path raises where it may not look
    folder = asked.place if whole else str(Path(asked.place).parent)
    try:
        os.chdir(folder)
        yield from _looks(asked, "." if whole else asked.place)
    except OSError as error:
        yield Seen(errors=(f"{asked.place}: cannot be read ({error.strerror})",))
    except ConfigError as error:
        yield Seen(errors=(str(error),))


def _looks(asked: Look, path: str) -> Iterator[Seen]:
    # A format that has a place for fixes; whatever the settings say, nothing is written.
    options = options_for((path,), {"output_format": ("json",)})
    options = msgspec.structs.replace(options, fix=False)
    found, names = with_texts(take(options), asked.texts)
    every = judged(found, options, silent)
    outcome = gated(every, found, options, known(options, lambda then: known_entries(*look(then))))
    mine = tuple(finding for finding in outcome.findings if finding.at.path in names)
    outcome = msgspec.structs.replace(outcome, findings=mine)
    first = _seen(outcome, found, names)
    yield first

    def analysis(sources: tuple[SourceText, ...]) -> Outcome:
        return analyze(sources, options, found.targets)

    fixed = with_fixes(outcome, every, found, options, analysis)
    if any(finding.fixes for finding in fixed.findings):
        yield msgspec.structs.replace(_seen(fixed, found, names), notes=())


def _seen(outcome: Outcome, found: Discovery, names: Mapping[str, str]) -> Seen:
    docs = {rule.id: rule for rule in outcome.rules}

    def full(path: str) -> str:
        return names.get(path) or os.path.normpath(found.root / path)

    remarks: dict[str, list[Remark]] = {path: [] for path in names.values()}
    for finding in outcome.findings:
        remarks[names[finding.at.path]].append(_remark(finding, docs.get(finding.rule), full))
    spoken_of = {path for finding in outcome.findings for path in _paths(finding)}
    files = (source for source in found.files if source.path in spoken_of)
    sources = {full(one.path): SourceText(full(one.path), one.data) for one in files}
    context = Context(version=__version__, prefix=prefix(found.root))
    fatal = [problem for problem in outcome.problems if problem.kind in FATAL]
    others = [problem for problem in outcome.problems if problem.kind not in FATAL]
    return Seen(
        {path: tuple(of_one) for path, of_one in remarks.items()},
        sources,
        tuple(problem_lines(fatal, context)),
        (*outcome.notices, *problem_lines(others, context)),
        # A crash of the whole analysis leaves no finding to speak of.
        complete=not any(problem.kind is ProblemKind.CRASH and not problem.path for problem in fatal),
    )


def _paths(finding: Finding) -> Iterator[str]:
    """The files that a remark on a finding speaks of."""
    yield finding.at.path
    yield from (step.at.path for step in finding.trace)
    yield from (one.at.path for one in finding.related)
    yield from (edit.at.path for fix in finding.fixes for edit in fix.edits)


def _remark(finding: Finding, rule: RuleDoc | None, full: Callable[[str], str]) -> Remark:
    def there(at: Span) -> Span:
        return msgspec.structs.replace(at, path=full(at.path))

    message = one_line(finding.message)
    if finding.certainty is Certainty.MAY:
        message += f" (not certain{', via ' + '; '.join(finding.via) if finding.via else ''})"
    steps = [*_steps(finding.trace), *((one.at, one.text) for one in finding.related)]
    return Remark(
        finding.rule,
        str(finding.level),
        there(finding.at),
        message,
        cwe_page(rule.cwe[0]) if rule and rule.cwe else "",
        tuple((there(at), one_line(text)) for at, text in steps),
        tuple(
            Change(fix.title, tuple((there(edit.at), edit.text) for edit in fix.edits), fix.safe)
            for fix in finding.fixes
        ),
        finding.rule not in (UNUSED, WITHOUT_REASON),
    )


def _steps(trace: tuple[Step, ...]) -> Iterator[tuple[Span, str]]:
    """The steps as lines; who holds the VM is said where that changes."""
    holders: tuple[str, ...] = ()
    for step in trace:
        text = f"{'[child] ' if step.child else ''}{step.text}"
        if step.holders and step.holders != holders:
            text += f" (VM held by: {'; '.join(step.holders)})"
        holders = step.holders or holders
        yield step.at, text


def silencing(source: SourceText, rule: str, at: Span) -> Change | None:
    """The comment that silences a rule at a place, as ``check --add-ignore`` writes it; None where there is
    no room for one."""
    finding = Finding(rule, Level.NOTE, at, "", "", ())
    sources = Sources({source.path: source}, {source.path: language_of(source)})
    added = add_comments([finding], sources, _REASON)
    if added.failed:
        return None
    old, new = source.data, added.files[0][1]
    most = min(len(old), len(new))
    start = next((n for n in range(most) if old[n] != new[n]), most)
    # The comment is ASCII: what is the same before and behind it ends between two characters.
    behind = next((n for n in range(most - start) if old[-1 - n] != new[-1 - n]), most - start)
    text = new[start : len(new) - behind].decode("utf-8", "replace")
    return Change(f"Ignore {rule} on this line", ((source.span(start, len(old) - behind), text),))


def rule_at(source: SourceText, offset: int) -> tuple[Span, str] | None:
    """The rule that a comment names at a byte, and what :func:`rule_page` says of it; of several a table."""
    docs = rule_docs()
    named = named_at(source, language_of(source), offset, [(rule.id, rule.name) for rule in docs])
    if named is None:
        return None
    at, ids = named
    if len(ids) == 1:
        return at, rule_page(next(iter(ids)))
    table = rule_table([rule for rule in docs if rule.id in ids])
    return at, f"```\n{table}```\n"


def rule_page(name: str) -> str:
    """What ``vmfdlint rule`` prints of a rule: Markdown."""
    return rules((name,), every=False).report.decode()
