"""The formats there are: every module of this folder that has a NAME and a render()."""

import pkgutil
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import Protocol

from vmfdlint.finding import Outcome
from vmfdlint.report.context import Context


class Format(Protocol):
    """A way to write an Outcome: pure, so that the same values give the same bytes."""

    def __call__(self, outcome: Outcome, context: Context, /) -> bytes: ...


@cache
def formats() -> Mapping[str, Format]:
    """Name -> render, by name."""
    package = __name__.rpartition(".")[0]
    folder = import_module(package).__path__
    modules = (import_module(f"{package}.{found.name}") for found in pkgutil.iter_modules(folder))
    return {module.NAME: module.render for module in modules if hasattr(module, "NAME")}
