"""Changed sources as text: a unified diff, and patches as `git am` takes them, whose messages say why.

Only LF ends a line; what is no UTF-8 stays as it is.
"""

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from difflib import diff_bytes, unified_diff

from vmfdlint.base import SourceText
from vmfdlint.finding import Finding, RuleDoc
from vmfdlint.fix.apply import applied

_WIDTH = 72
_NOTHING = "0" * 40


def diff(
    before: Mapping[str, SourceText], after: Mapping[str, SourceText], prefix: str, git: bool = False
) -> bytes:
    """The unified diff of the files in ``after``, in order of path; ``prefix`` goes before the paths, and in
    the form of git ``a/`` and ``b/`` too."""
    found = []
    for path in sorted(after):
        name = (prefix + path).encode()
        old, new = (b"a/" + name, b"b/" + name) if git else (name, name)
        lines = list(diff_bytes(unified_diff, _lines(before[path].data), _lines(after[path].data), old, new))
        if lines and git:
            found.append(b"diff --git " + old + b" " + new + b"\n")
        for line in lines:
            found.append(line if line.endswith(b"\n") else line + b"\n\\ No newline at end of file\n")
    return b"".join(found)


def patches(
    findings: Sequence[Finding],
    rules: Mapping[str, RuleDoc],
    sources: Mapping[str, SourceText],
    prefix: str,
    author: str,
) -> bytes:
    """One patch a rule for the fixes of the findings, each on top of the one before, as a mailbox.

    ``prefix`` is the way from the top of the work tree to the paths, ``author`` is ``Name <address>``.
    """
    every = sorted({finding.rule for finding in findings})
    steps: list[tuple[list[Finding], bytes]] = []
    before = dict(sources)
    for number, _rule in enumerate(every, 1):
        chosen = [finding for finding in findings if finding.rule in every[:number]]
        # In the order of the rules: of two that change the same bytes, a patch keeps what one before it did.
        chosen.sort(key=lambda finding: finding.rule)
        made = applied(sources, [finding.fixes[0] for finding in chosen])
        new = [
            finding
            for finding, taken in zip(chosen, made.taken, strict=True)
            if taken and finding.rule == every[number - 1]
        ]
        after = {path: source for path, source in made.sources.items() if source.data != before[path].data}
        if new and after:
            steps.append((new, diff(before, after, prefix, git=True)))
        before |= made.sources
    return b"".join(
        _mail(
            found,
            rules[found[0].rule],
            body,
            f"PATCH {n}/{len(steps)}" if len(steps) > 1 else "PATCH",
            author,
        )
        for n, (found, body) in enumerate(steps, 1)
    )


def _mail(found: Sequence[Finding], rule: RuleDoc, body: bytes, mark: str, author: str) -> bytes:
    lines = [
        f"From {_NOTHING} Mon Sep 17 00:00:00 2001",
        f"From: {author}",
        f"Subject: [{mark}] {_subject(found)}",
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=UTF-8",
        "Content-Transfer-Encoding: 8bit",
        "",
        *_message(found, rule),
        "",
        "---",
        "",
    ]
    return "\n".join(lines).encode("utf-8", "replace") + body + b"-- \nvmfdlint\n\n"


def _subject(found: Sequence[Finding]) -> str:
    paths = sorted({finding.at.path for finding in found})
    titles = list(dict.fromkeys(finding.fixes[0].title for finding in found))
    title = titles[0] if len(titles) == 1 else f"Fix {found[0].rule}"
    where = paths[0].rpartition("/")[2] if len(paths) == 1 else f"{len(paths)} files"
    return f"{where}: {title}"


def _message(found: Sequence[Finding], rule: RuleDoc) -> Iterator[str]:
    """What was found where, and why it matters."""
    for finding in found:
        inside = f" in {finding.function}()" if finding.function.isidentifier() else ""
        yield from textwrap.wrap(f"{finding.at.path}{inside}: {finding.message}.", _WIDTH)
    for paragraph in rule.why.strip().split("\n\n"):
        yield ""
        yield from textwrap.wrap(" ".join(paragraph.split()), _WIDTH)
    yield ""
    yield f"Found by vmfdlint: {rule.id} {rule.name}"


def _lines(data: bytes) -> list[bytes]:
    lines = data.split(b"\n")
    return [line + b"\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])
