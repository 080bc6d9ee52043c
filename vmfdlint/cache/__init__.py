"""What earlier runs found out, on disk. In: keys that say all an answer hangs on. Out: bytes, or nothing.

A row that is missing, broken, or could not be written costs time and changes no answer.
"""

from vmfdlint.cache.coding import Coding
from vmfdlint.cache.directory import clean
from vmfdlint.cache.identity import digest, identity
from vmfdlint.cache.store import NOTHING, Rows, Store, UnusableError, open_store

__all__ = ["NOTHING", "Coding", "Rows", "Store", "UnusableError", "clean", "digest", "identity", "open_store"]
