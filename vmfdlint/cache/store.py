"""Rows of bytes by key, in one SQLite file that several runs share.

In: keys of 16 bytes. Out: the bytes put under them, checked by a sum, or nothing. Whatever goes wrong with
the file (full disk, a lock of another, damage, a file of another program) turns into "nothing here".
"""

import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing, suppress
from hashlib import blake2b
from pathlib import Path
from time import time
from typing import Protocol

from vmfdlint.base import LIMITS
from vmfdlint.cache.directory import make

_FILE = "cache.sqlite"
_APPLICATION = 0x766D6664
"""``application_id`` of the file: tells ours from any other SQLite database."""
_SCHEMA = 1
_WAIT = 0.5
"""Seconds that another run's write is waited for."""
_SUM = 8
_DAY = 86_400
_AT_ONCE = 500
"""Keys in one question: SQLite takes 999 variables at least."""


class UnusableError(Exception):
    """There can be no cache in a directory; the text says why."""


class Rows(Protocol):
    """What a store does. ``broken`` says why nothing is kept any more, "" as long as it is."""

    broken: str

    def get(self, keys: Iterable[bytes]) -> dict[bytes, bytes]:
        """The rows there are."""

    def put(self, rows: Mapping[bytes, bytes]) -> None:
        """Writes rows over what was there."""

    def close(self) -> None:
        """Ends the use."""


class _Nothing:
    """No cache: remembers nothing."""

    broken = ""

    def get(self, keys: Iterable[bytes]) -> dict[bytes, bytes]:
        return {}

    def put(self, rows: Mapping[bytes, bytes]) -> None:
        pass

    def close(self) -> None:
        pass


NOTHING: Rows = _Nothing()


class Store:
    """One open cache file. After the first failure it answers nothing and writes nothing: ``broken`` says
    why."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._today = int(time() // _DAY)
        self._used: set[bytes] = set()
        self.broken = ""

    def get(self, keys: Iterable[bytes]) -> dict[bytes, bytes]:
        """See :class:`Rows`."""
        wanted = list(keys)
        found: dict[bytes, bytes] = {}
        try:
            for start in range(0, len(wanted), _AT_ONCE):
                part = wanted[start : start + _AT_ONCE]
                marks = ",".join("?" * len(part))
                query = f"SELECT key, value, day FROM rows WHERE key IN ({marks})"
                for key, value, day in self._connection.execute(query, part):
                    if isinstance(value, bytes) and value[:_SUM] == _sum(value[_SUM:]):
                        found[key] = value[_SUM:]
                        if day != self._today:
                            self._used.add(key)
        except sqlite3.Error as error:
            self._give_up(error)
            return {}
        return found

    def put(self, rows: Mapping[bytes, bytes]) -> None:
        """See :class:`Rows`."""
        if self.broken or not rows:
            return
        try:
            self._written(rows)
        except sqlite3.Error as error:
            self._give_up(error)

    def _written(self, rows: Mapping[bytes, bytes]) -> None:
        with self._connection:
            self._connection.executemany(
                "INSERT OR REPLACE INTO rows VALUES (?, ?, ?)",
                ((key, _sum(value) + value, self._today) for key, value in rows.items()),
            )

    def close(self) -> None:
        """Notes which rows were of use, drops those that were not for long, and ends the use."""
        with suppress(sqlite3.Error), closing(self._connection):
            if self.broken:
                return
            with self._connection:
                if self._used:
                    self._connection.executemany(
                        "UPDATE rows SET day = ? WHERE key = ?", ((self._today, key) for key in self._used)
                    )
                    oldest = self._today - LIMITS.cache_days
                    self._connection.execute("DELETE FROM rows WHERE day < ?", (oldest,))

    def _give_up(self, error: sqlite3.Error) -> None:
        self.broken = self.broken or str(error)


def open_store(directory: Path) -> Store:
    """The cache in a directory, made where there is none. Raises UnusableError where that cannot be.

    A file that is no database, or was made by another version of this one, is replaced; the database of
    another program is left alone.
    """
    path = directory / _FILE
    try:
        make(directory)
        connection = _opened(path)
        if connection is None:
            for leftover in (path, path.with_name(_FILE + "-wal"), path.with_name(_FILE + "-shm")):
                leftover.unlink(missing_ok=True)
            connection = _opened(path)
    except (OSError, sqlite3.Error) as error:
        reason = (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
        raise UnusableError(reason) from error
    if connection is None:
        raise UnusableError("the file is no cache of this program, and comes back when it is removed")
    return Store(connection)


def _opened(path: Path) -> sqlite3.Connection | None:
    """A connection to a file of ours; None where it is of no use and may go. Raises sqlite3.Error."""
    connection = sqlite3.connect(path, timeout=_WAIT, isolation_level="DEFERRED", check_same_thread=False)
    try:
        (owner,) = connection.execute("PRAGMA application_id").fetchone()
        (schema,) = connection.execute("PRAGMA user_version").fetchone()
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        if tables and owner != _APPLICATION:
            raise sqlite3.OperationalError("the database of another program")
        if tables and schema != _SCHEMA:
            connection.close()
            return None
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = OFF")  # what a crash of the machine damages, the sums show
        if not tables:
            with connection:
                connection.execute(f"PRAGMA application_id = {_APPLICATION}")
                connection.execute(f"PRAGMA user_version = {_SCHEMA}")
                connection.execute(
                    "CREATE TABLE IF NOT EXISTS rows (key BLOB PRIMARY KEY, value BLOB, day INT)"
                )
    except sqlite3.DatabaseError as error:
        connection.close()
        if isinstance(error, sqlite3.OperationalError):
            raise
        return None
    return connection


def _sum(value: bytes) -> bytes:
    return blake2b(value, digest_size=_SUM).digest()
