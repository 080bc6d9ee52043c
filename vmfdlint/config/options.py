"""What a run was asked to do: complete, frozen, with every default in one place."""

from typing import Annotated, Literal

import msgspec


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of one run, after the configuration file and the command line are merged.

    ``paths`` and ``models`` are relative to the current directory or absolute. ``exclude`` holds .gitignore
    patterns, anchored at ``exclude_base``, an absolute directory with ``/`` between its parts, or, where
    that is empty, at the directory that the reported paths are relative to. ``select`` and ``ignore`` hold
    selectors (``VMFD101``, ``VMFD1``, ``fork-while-vm-live``, ``ALL``); ``rules`` the ids they come to, empty
    until :func:`vmfdlint.config.resolve_rules` was asked. ``jobs`` 0 means one per usable CPU.
    ``target_python`` is the version that Python sources run on: before 3.14 multiprocessing forks where the
    program does not choose, before 3.4 descriptors are inherited (PEP 446). ``min_certainty`` "must" leaves
    out findings that hang on something unknown.
    """

    paths: tuple[str, ...] = (".",)
    output_format: str = "full"
    output_file: str | None = None
    select: tuple[str, ...] = ("ALL",)
    ignore: tuple[str, ...] = ()
    rules: frozenset[str] = frozenset()
    exclude: tuple[str, ...] = ()
    exclude_base: str = ""
    force_exclude: bool = False
    respect_gitignore: bool = True
    models: tuple[str, ...] = ()
    min_certainty: Literal["may", "must"] = "may"
    target_python: Annotated[str, msgspec.Meta(pattern=r"^[23]\.\d{1,2}$")] = "3.13"
    config_file: str | None = None
    jobs: int = 0
    no_cache: bool = False
    quiet: bool = False
    verbose: bool = False
    exit_zero: bool = False
    statistics: bool = False
