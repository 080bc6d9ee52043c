"""The kinds of executors: every module of this folder that has SCHEMES and ``opened``.

A kind is found by the scheme of its address, as in ``dask://HOST:PORT``; one that needs none is named by the
scheme alone.
"""

import pkgutil
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import Protocol

from vmfdlint.run.executors.contract import Backend, ExecutorError, Prepare


class Opener(Protocol):
    """``address`` as the user wrote it -> the backend. Raises ExecutorError."""

    def __call__(self, address: str, jobs: int, prepare: Prepare, /) -> Backend: ...


@cache
def kinds() -> Mapping[str, Opener]:
    """Scheme -> what opens an address of it."""
    modules = [import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__)]
    return {scheme: module.opened for module in modules for scheme in getattr(module, "SCHEMES", ())}


def open_executor(address: str, jobs: int, prepare: Prepare) -> Backend:
    """The backend at an address. Raises ExecutorError."""
    scheme = address.partition("://")[0]
    opener = kinds().get(scheme)
    if opener is None:
        known = ", ".join(sorted(kinds()))
        raise ExecutorError(f"no executor {address!r}: choose from {known}, as in dask://HOST:8786")
    return opener(address, jobs, prepare)


__all__ = ["Backend", "ExecutorError", "Prepare", "kinds", "open_executor"]
