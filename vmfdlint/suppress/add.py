"""Comments for findings that are to stay (--add-ignore). In: sources and findings. Out: new bytes."""

import re
from collections import defaultdict
from collections.abc import Sequence

import msgspec

from vmfdlint.base import SourceText
from vmfdlint.finding import Finding
from vmfdlint.frontends.comments import WRITTEN
from vmfdlint.suppress.apply import Sources
from vmfdlint.suppress.comments import Comment, comments
from vmfdlint.suppress.directives import IGNORE, directives

_LIST = re.compile(rb"\bvmfdlint:\s*ignore\s*\[[^\]]*")


class Added(msgspec.Struct, frozen=True):
    """New bytes by path, the number of comments, and the findings that none could be added for."""

    files: tuple[tuple[str, bytes], ...]
    count: int
    failed: tuple[Finding, ...]


def add_comments(findings: Sequence[Finding], sources: Sources, reason: str) -> Added:
    """A comment with ``reason`` for every finding, at the end of its line or above it."""
    by_file: dict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        by_file[finding.at.path].append(finding)
    files, count, failed = [], 0, []
    for path, found in sorted(by_file.items()):
        source, language = sources.texts.get(path), sources.languages.get(path, "")
        if source is None or language not in WRITTEN:
            failed += found
            continue
        lines: dict[tuple[int, int], list[Finding]] = defaultdict(list)
        for finding in found:
            lines[finding.at.line, finding.at.end_line].append(finding)
        # From the end of the file, so that the lines above keep their numbers.
        for (first, last), here in sorted(lines.items(), reverse=True):
            rules = sorted({finding.rule for finding in here})
            changed = _with_comment(source, language, first, last, rules, reason)
            if changed is None:
                failed += here
            else:
                source = changed
                count += 1
        files.append((path, source.data))
    return Added(tuple(files), count, tuple(failed))


def _with_comment(
    source: SourceText, language: str, first: int, last: int, rules: Sequence[str], reason: str
) -> SourceText | None:
    """The file with the comment; None where no place was found in which it is read as one."""
    text = WRITTEN[language].format(f"vmfdlint: {IGNORE}[{', '.join(rules)}] {reason}")
    before = len(list(comments(source, language)))
    for number in dict.fromkeys((last, first)):
        extended = _extended(source, number, rules)
        if extended is not None and _reads(extended, language, before, rules, number, alone=False):
            return extended
        behind = _behind(source, language, number, text)
        if behind is not None and _reads(behind, language, before + 1, rules, number, alone=False):
            return behind
    above = _above(source, language, first, text)
    if above is not None and _reads(above, language, before + 1, rules, first, alone=True):
        return above
    return None


def _extended(source: SourceText, number: int, rules: Sequence[str]) -> SourceText | None:
    """The list of a comment that is there already, made longer."""
    start, end = source.line_starts[number - 1], _line_end(source, number)
    found = _LIST.search(source.data, start, end)
    return None if found is None else _inserted(source, found.end(), f", {', '.join(rules)}")


def _behind(source: SourceText, language: str, number: int, text: str) -> SourceText | None:
    """The comment at the end of a line; in C before the backslash that continues it."""
    end = _line_end(source, number)
    gap = "  " if language == "python" else " "
    if not source.data[:end].endswith(b"\\"):
        return _inserted(source, end, gap + text)
    if language == "python":
        return None
    kept = len(source.data[:end].removesuffix(b"\\").rstrip())
    return _inserted(source, kept, gap + text)


def _above(source: SourceText, language: str, number: int, text: str) -> SourceText | None:
    """The comment on a line of its own, indented like the line below it."""
    start = source.line_starts[number - 1]
    blank = source.data[start : len(source.data) - len(source.data[start:].lstrip(b" \t"))].decode()
    above = source.data[:start]
    newline = "\r\n" if above.endswith(b"\r\n") else "\n"
    if not above.rstrip(b"\r\n").endswith(b"\\"):
        return _inserted(source, start, f"{blank}{text}{newline}")
    # In a macro of several lines the new line is continued as the one above it.
    return None if language == "python" else _inserted(source, start, f"{blank}{text} \\{newline}")


def _line_end(source: SourceText, number: int) -> int:
    """The offset behind the last byte of a line, before what ends it."""
    start = source.line_starts[number - 1]
    end = source.data.find(b"\n", start)
    end = len(source.data) if end < 0 else end
    return end - source.data[start:end].endswith(b"\r")


def _inserted(source: SourceText, offset: int, text: str) -> SourceText:
    return SourceText(source.path, source.data[:offset] + text.encode() + source.data[offset:])


def _reads(
    made: SourceText, language: str, count: int, rules: Sequence[str], number: int, *, alone: bool
) -> bool:
    """Whether a file has so many comments, and the rules are ignored by one on line ``number``."""
    every = list(comments(made, language))
    return len(every) == count and any(_asks(one, language, rules, number, alone) for one in every)


def _asks(comment: Comment, language: str, rules: Sequence[str], number: int, alone: bool) -> bool:
    if comment.alone is not alone or not comment.at.line <= number <= comment.at.end_line:
        return False
    return any(one.verb == IGNORE and set(rules) <= set(one.rules) for one in directives(comment, language))
