"""Fingerprints: what lets a reader of two reports tell that a finding is the same. No line number goes in."""

import hashlib
from collections import Counter
from collections.abc import Sequence

from vmfdlint.base import SourceText
from vmfdlint.finding import Finding
from vmfdlint.report.context import Context

_WINDOW = 100
_BASE = 37
_MODULUS = 1 << 64
# What stands for the end of the file; zeros follow it.
_END = 65535


def line_hashes(source: SourceText, wanted: frozenset[int]) -> dict[int, str]:
    """Line (from 1) -> the hash GitHub code scanning knows it by, ``c129715d7a2bc9a3:1``.

    The hash covers the 100 characters from the start of the line that are neither space nor tab, as UTF-16
    code units: their polynomial to the base 37, modulo 2^64, in hexadecimal. CR and CRLF count as LF. The
    number after the colon tells lines with the same hash apart.
    """
    text = source.data.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")
    text = text.translate({0x20: None, 0x09: None})
    data = text.encode("utf-16-le", "surrogatepass")
    units = list(memoryview(data).cast("H")) if data else []
    padded = [*units, _END, *[0] * _WINDOW]
    starts = [0, *(index + 1 for index, unit in enumerate(units) if unit == 0x0A)]
    powers = [pow(_BASE, _WINDOW - 1 - index, _MODULUS) for index in range(_WINDOW)]
    seen: Counter[int] = Counter()
    hashes: dict[int, str] = {}
    for number, start in enumerate(starts, 1):
        window = padded[start : start + _WINDOW]
        value = sum(unit * power for unit, power in zip(window, powers, strict=True)) % _MODULUS
        seen[value] += 1
        if number in wanted:
            hashes[number] = f"{value:x}:{seen[value]}"
    return hashes


def trace_prints(findings: Sequence[Finding], context: Context) -> list[str]:
    """For each finding a fingerprint of its rule, its functions and the statements along its trace.

    A finding's own ``fingerprint`` is used where it has one. Equal ones are numbered, in order of the report.
    """
    seen: Counter[str] = Counter()
    prints = []
    for finding in findings:
        value = finding.fingerprint or _trace_print(finding, context)
        seen[value] += 1
        prints.append(f"{value}:{seen[value]}")
    return prints


def _trace_print(finding: Finding, context: Context) -> str:
    parts = [finding.rule, finding.function, " ".join(context.text(finding.at).split())]
    for step in finding.trace:
        parts += [step.role, step.function, " ".join(context.text(step.at).split())]
    return hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()[:32]
