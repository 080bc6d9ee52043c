"""What is done, on disk: a run that was ended goes on where it stopped. In: keys, values. Out: the same.

One SQLite file. Each value has the digest of what it was made from and one of itself: what is out of date, or
damaged, is not there. Knows no room.
"""

import contextlib
import hashlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

# "vmfj": tells a journal from other SQLite files (https://sqlite.org/pragma.html#pragma_application_id).
_APPLICATION = 0x766D666A
_FORM = 1
_BUSY = 5.0
"""Seconds to wait for another run that writes to the same file."""


class JournalError(ValueError):
    """A file that is no journal, or one that cannot be used: what is wrong and what to do."""


class Journal:
    """Values by key. ``path`` empty: on disk too, but gone with the process."""

    def __init__(self, path: str = "") -> None:
        self.path = path
        self.moved = ""
        """Where a damaged file was moved to, if there was one."""
        self.failed = ""
        """Why nothing is kept any more; empty while it is."""
        try:
            self._connection = self._opened()
        except sqlite3.OperationalError as error:
            hint = "name a file that can be written, in a directory that exists"
            raise JournalError(f"{path} cannot be opened ({error}): {hint}") from error
        except sqlite3.DatabaseError:
            self.moved = self._put_away()
            self._connection = self._opened()

    def keep(self, key: str, made_from: str, value: bytes) -> None:
        """Writes a value to the disk, in the place of what the key had. Never raises: see ``failed``."""
        if self.failed:
            return
        try:
            with self._connection:
                self._connection.execute(
                    "INSERT OR REPLACE INTO done VALUES (?, ?, ?, ?)", (key, made_from, _digest(value), value)
                )
        except sqlite3.Error as error:  # a full disk, a file that another run holds for too long
            self.failed = str(error)

    def value(self, key: str, made_from: str) -> bytes | None:
        """The value of a key, if it was made from just this; None where it is not there, or damaged."""
        try:
            row = self._connection.execute(
                "SELECT digest, value FROM done WHERE key = ? AND made_from = ?", (key, made_from)
            ).fetchone()
        except sqlite3.Error:
            return None
        intact = row is not None and isinstance(row[1], bytes) and _digest(row[1]) == row[0]
        return bytes(row[1]) if intact else None

    def close(self) -> None:
        """What was kept stays."""
        self._connection.close()

    def __enter__(self) -> "Journal":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _opened(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, timeout=_BUSY)
        with contextlib.ExitStack() as stack:
            stack.callback(connection.close)
            application = connection.execute("PRAGMA application_id").fetchone()[0]
            tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
            if tables and application != _APPLICATION:
                raise JournalError(f"{self.path} is a database of another program: name another file")
            if connection.execute("PRAGMA user_version").fetchone()[0] not in (0, _FORM):
                raise JournalError(f"{self.path} is of another version of vmfdlint: name another file")
            if not tables:
                with connection:
                    connection.execute(f"PRAGMA application_id = {_APPLICATION}")
                    connection.execute(f"PRAGMA user_version = {_FORM}")
                    connection.execute(
                        "CREATE TABLE IF NOT EXISTS done"
                        " (key TEXT PRIMARY KEY, made_from TEXT, digest TEXT, value BLOB)"
                    )
            connection.execute("SELECT count(*) FROM done").fetchone()
            stack.pop_all()
        return connection

    def _put_away(self) -> str:
        """A damaged file, or one that is none of ours, is moved and not overwritten. Its new name."""
        for name in _names(self.path):
            if not Path(name).exists():
                with contextlib.suppress(OSError):
                    Path(self.path).rename(name)
                    return name
                break
        raise JournalError(f"{self.path} is damaged, or no state file of vmfdlint: name another file")


def _names(path: str) -> Iterator[str]:
    yield f"{path}.damaged"
    for number in range(2, 100):
        yield f"{path}.damaged-{number}"


def _digest(value: bytes) -> str:
    return hashlib.sha256(value).hexdigest()
