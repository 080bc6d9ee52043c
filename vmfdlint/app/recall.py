"""What an analysis made of the same sources before, out of the cache."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec

from vmfdlint.base import SourceText
from vmfdlint.cache import NOTHING, Coding, Rows, UnusableError, digest, identity, open_store
from vmfdlint.config import Options
from vmfdlint.finding import Outcome
from vmfdlint.repair import wants_fixes

_CODING = Coding(Outcome)


class _Asked(msgspec.Struct, frozen=True):
    """What an outcome hangs on besides the sources."""

    rules: tuple[str, ...]
    models: tuple[tuple[str, bytes], ...]
    target_python: str
    ignore_suppressions: bool
    show_safe: bool
    statistics: bool
    inventory: bool
    subjects: bool
    built: Mapping[str, tuple[str, ...]]


class Kept(msgspec.Struct, frozen=True):
    """The cache of one analysis: ``asked`` stands for its options, ``key`` for these and its sources."""

    rows: Rows
    asked: bytes = b""
    key: bytes = b""


@contextmanager
def rows_for(options: Options, tell: Callable[[str], None]) -> Iterator[Rows]:
    """The cache of a run; one that remembers nothing where the options or the disk want none. ``tell`` hears
    at the end what is wrong with the disk."""
    rows, broken = NOTHING, ""
    if options.cache_dir and not (options.no_cache or options.exhaustive):
        try:
            rows = open_store(Path(options.cache_dir))
        except UnusableError as error:
            broken = str(error)
    try:
        yield rows
    finally:
        rows.close()
        broken = broken or rows.broken
        if broken:
            remedy = "--cache-dir names another place"
            tell(f"nothing is kept in {options.cache_dir} for the next run: {broken}; {remedy}")


def kept_for(
    rows: Rows,
    options: Options,
    built: Mapping[str, tuple[str, ...]] | None,
    sources: tuple[SourceText, ...],
) -> Kept:
    """The cache of an analysis of ``sources``, which are built into ``built``; without keys where nothing is
    kept: hashing takes time."""
    if rows is NOTHING:
        return Kept(rows)
    asked = asked_key(options, built)
    return Kept(rows, asked, key_of(asked, sources))


def asked_key(options: Options, built: Mapping[str, tuple[str, ...]] | None) -> bytes:
    """Everything the outcome of an analysis hangs on but the sources, as a key."""
    asked = _Asked(
        tuple(sorted(options.rules)),
        tuple(_models(options)),
        options.target_python,
        options.ignore_suppressions,
        options.show_safe,
        options.statistics,
        options.inventory,
        wants_fixes(options),
        built or {},
    )
    return digest((identity(), b"outcome", msgspec.msgpack.encode(asked, order="deterministic")))


def _models(options: Options) -> Iterator[tuple[str, bytes]]:
    """The files of models that the options name, in order; problems name them, too."""
    for path in map(Path, options.models):
        for each in sorted(path.glob("*.toml")) if path.is_dir() else (path,):
            try:
                data = each.read_bytes()
            except OSError as error:
                data = str(error).encode()
            yield each.as_posix(), data


def key_of(asked: bytes, sources: tuple[SourceText, ...]) -> bytes:
    """Everything the outcome of an analysis hangs on, as a key."""
    texts = (part for source in sources for part in (source.path.encode(), source.content_hash.encode()))
    return digest((asked, *texts))


def speaks_of(rows: Rows, key: bytes, path: str) -> bool:
    """Whether the outcome under a key names a file; True where it is gone."""
    row = rows.get((key,)).get(key)
    return row is None or path.encode() in row


def recalled(rows: Rows, key: bytes) -> Outcome | None:
    """The outcome kept under a key."""
    return _CODING.decode(rows.get((key,)).get(key))


def keep(rows: Rows, key: bytes, outcome: Outcome) -> None:
    """Puts an outcome under its key."""
    row = _CODING.encode(outcome)
    if row is not None:
        rows.put({key: row})
