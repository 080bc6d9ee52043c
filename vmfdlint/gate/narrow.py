"""The steps that leave findings out. Whatever is left out is counted, so that silence explains itself."""

from collections.abc import Callable, Collection, Mapping, Sequence

import msgspec
from pathspec import GitIgnoreSpec

from vmfdlint.base import Span
from vmfdlint.baseline import Entry, Texts, entries, match_known
from vmfdlint.config import ConfigError, Options, resolve_rules
from vmfdlint.finding import Certainty, Finding, LeftOut, Outcome


def only(outcome: Outcome, keep: Callable[[Finding], bool], why: str) -> Outcome:
    """The Outcome with the findings that ``keep`` takes; the others are counted under ``why``."""
    kept = tuple(finding for finding in outcome.findings if keep(finding))
    counts = {left.why: left.count for left in outcome.left_out}
    if len(kept) < len(outcome.findings):
        counts[why] = counts.get(why, 0) + len(outcome.findings) - len(kept)
    left_out = tuple(LeftOut(count, reason) for reason, count in counts.items())
    return msgspec.structs.replace(outcome, findings=kept, left_out=left_out)


def asked_for(outcome: Outcome, options: Options, root: str) -> Outcome:
    """What --per-file-ignores and --min-certainty leave. ``root`` is the directory the paths are relative to.

    Raises ConfigError for a pattern or a selector that cannot be used.
    """
    known = [(rule.id, rule.name) for rule in outcome.rules]
    origin = options.config_file if options.config_file and options.per_file_base else ""
    name = f"per-file-ignores of {origin}" if origin else "--per-file-ignores"
    ignores = []
    for pattern, selectors in options.per_file_ignores:
        ids = resolve_rules(selectors, (), known, (name, ""))
        try:
            spec = GitIgnoreSpec.from_lines([pattern])
        except ValueError as error:
            raise ConfigError(f"{name}: {error}: write it as a .gitignore pattern") from error
        ignores.append((ids, _Inside(spec, options.per_file_base or root, root)))

    def wanted(finding: Finding) -> bool:
        return not any(finding.rule in ids and inside(finding.at.path) for ids, inside in ignores)

    outcome = only(outcome, wanted, "ignored in their file")
    if options.min_certainty == "must":
        why = "uncertain, left out by --min-certainty must"
        outcome = only(outcome, lambda one: one.certainty is Certainty.MUST, why)
    return outcome


class _Inside:
    """Whether a path relative to ``root`` matches patterns anchored at ``base``; both are absolute."""

    def __init__(self, spec: GitIgnoreSpec, base: str, root: str) -> None:
        self.spec = spec
        self.base = base.rstrip("/") + "/"
        self.root = root.rstrip("/") + "/"

    def __call__(self, path: str) -> bool:
        full = path if path.startswith("/") else self.root + path
        return full.startswith(self.base) and self.spec.match_file(full[len(self.base) :])


def touching(outcome: Outcome, paths: Collection[str], why: str) -> Outcome:
    """The findings of which some place, step or related place lies in one of ``paths``."""
    return only(outcome, lambda finding: not paths_of(finding).isdisjoint(paths), why)


def safe_in(outcome: Outcome, paths: Collection[str]) -> Outcome:
    """The Outcome with the safe sites that lie in one of ``paths``."""
    safe = tuple(site for site in outcome.safe if site.at.path in paths)
    return msgspec.structs.replace(outcome, safe=safe)


def on_lines(outcome: Outcome, lines: Mapping[str, Sequence[tuple[int, int]]], why: str) -> Outcome:
    """The findings of which some place, step or related place lies on one of ``lines``, by path."""

    def touched(at: Span) -> bool:
        return any(at.line <= last and first <= at.end_line for first, last in lines.get(at.path, ()))

    return only(outcome, lambda finding: any(map(touched, places_of(finding))), why)


def places_of(finding: Finding) -> Sequence[Span]:
    """Every place a finding speaks of."""
    return [finding.at, *(step.at for step in finding.trace), *(one.at for one in finding.related)]


def paths_of(finding: Finding) -> set[str]:
    """Every file a finding speaks of."""
    return {at.path for at in places_of(finding)}


def unknown(
    outcome: Outcome, before: Sequence[Entry], texts: Texts, why: str
) -> tuple[Outcome, Sequence[Entry]]:
    """The findings that were not known before, and what was and is gone."""
    matched = match_known(entries(outcome.findings, texts), before)
    known = {id(one) for one, is_known in zip(outcome.findings, matched.known, strict=True) if is_known}
    return only(outcome, lambda finding: id(finding) not in known, why), matched.gone
