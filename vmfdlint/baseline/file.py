"""The baseline file: JSON, an entry a line, sorted, so that changes to it can be reviewed and merged."""

from collections.abc import Sequence

import msgspec

from vmfdlint.baseline.entry import Entry

SCHEMA = 1


class BaselineError(ValueError):
    """Says what is wrong with a baseline file and what to do."""


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    schema: int
    tool: str
    findings: tuple[Entry, ...]


def encoded(known: Sequence[Entry]) -> bytes:
    """Entries -> the bytes of a file; the same entries give the same bytes."""
    lines = [msgspec.json.encode(entry).decode() for entry in sorted(known)]
    body = ",\n".join(f"  {line}" for line in lines)
    inner = f"\n{body}\n " if lines else ""
    return f'{{\n "schema": {SCHEMA},\n "tool": "vmfdlint",\n "findings": [{inner}]\n}}\n'.encode()


def decoded(data: bytes) -> tuple[Entry, ...]:
    """The bytes of a file -> entries. Raises BaselineError."""
    try:
        read = msgspec.json.decode(data, type=_File)
    except msgspec.DecodeError as error:
        raise BaselineError(f"is no baseline ({error}): make it with `vmfdlint baseline create`") from error
    if read.schema != SCHEMA or read.tool != "vmfdlint":
        raise BaselineError(f"is of schema {read.schema}, this version reads {SCHEMA}: create it anew")
    return read.findings
