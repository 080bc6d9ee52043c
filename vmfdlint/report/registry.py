"""The formats there are: every module of this folder that has a NAME and a render().

One with a merged() too can put the reports of several trees into one.
"""

import pkgutil
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Protocol

from vmfdlint.finding import Outcome
from vmfdlint.report.context import Context


class Format(Protocol):
    """A way to write an Outcome: pure, so that the same values give the same bytes."""

    def __call__(self, outcome: Outcome, context: Context, /) -> bytes: ...


class Merge(Protocol):
    """The reports of several trees, each with the tree's name -> the parts of one report, in that order."""

    def __call__(self, reports: Iterable[tuple[str, bytes]], /) -> Iterator[bytes]: ...


@cache
def formats() -> Mapping[str, Format]:
    """Name -> render, by name."""
    return {module.NAME: module.render for module in _modules()}


@cache
def merges() -> Mapping[str, Merge]:
    """Name -> merge, of the formats that can say of which tree something is."""
    return {module.NAME: module.merged for module in _modules() if hasattr(module, "merged")}


@cache
def _modules() -> tuple[ModuleType, ...]:
    package = __name__.rpartition(".")[0]
    folder = import_module(package).__path__
    modules = (import_module(f"{package}.{found.name}") for found in pkgutil.iter_modules(folder))
    return tuple(module for module in modules if hasattr(module, "NAME"))
