"""What a run was asked to do: complete, frozen, with every default in one place."""

from typing import Annotated, Literal

import msgspec

PYTHON_VERSIONS = r"2\.7|3\.\d{1,2}"
"""The versions that Python sources may run on, as a regular expression."""


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of one run, after the configuration files and the command line are merged.

    ``paths``, ``project`` and ``models`` are relative to the current directory or absolute; ``-`` among the
    paths is the standard input, which stands for the file ``stdin_filename``. Where ``project`` is given, its
    sources are read too, and what is reported touches ``paths``.

    ``exclude`` holds .gitignore patterns, anchored at ``exclude_base``, an absolute directory with ``/``
    between its parts, or, where that is empty, at the directory that the reported paths are relative to;
    ``per_file_ignores`` pairs of such a pattern and selectors, anchored at ``per_file_base`` in the same way.
    ``select``, ``extend_select`` and ``ignore`` hold selectors (``VMFD101``, ``VMFD1``,
    ``fork-while-vm-live``, ``ALL``); ``rules`` the ids they come to, empty until
    :func:`vmfdlint.config.resolve_rules` was asked.

    ``output_format`` holds ``FORMAT`` or ``FORMAT:PATH``, one of them at most without a path; that one goes
    to ``output_file``, or where this is None to the standard output. ``jobs`` 0 means one per usable CPU.
    ``executor`` is the address of what does the work instead of processes; no configuration file can set it:
    a tree that is checked has no say in where the work is done.
    ``min_certainty`` "must" leaves out findings that hang on something unknown, and ``fail_level`` says from
    which level on a finding makes the exit code 1; ``fail_fast`` ends a run with those that are new in files
    that changed since the last one, where there are such. ``target_python`` is the version that Python
    sources run on: before 3.14 multiprocessing forks where the program does not choose, before 3.4
    descriptors are inherited (PEP 446). ``config_file`` is the nearest configuration file.
    ``ignore_suppressions`` reads no comment that silences, ``show_suppressed`` puts what is silenced into the
    reports that have a place for it, ``show_safe`` what was judged safe. ``inventory`` lists what makes and
    ends holders, for a comparison.
    ``fix`` changes the files, ``diff`` and ``format_patch`` show what it would change; ``unsafe_fixes`` takes
    the fixes that may change what a program does as well.
    ``cache_dir`` is the directory of the cache; without one, or with ``no_cache``, there is none.
    ``exhaustive`` reads every file to its end, without the cache, for the same answers.
    ``baseline`` is a file of known findings, ``baseline_commit`` a commit whose findings are known,
    ``diff_base`` one from which the changed lines are told.
    """

    paths: tuple[str, ...] = (".",)
    project: str | None = None
    stdin_filename: str | None = None
    output_format: tuple[str, ...] = ("full",)
    output_file: str | None = None
    select: tuple[str, ...] = ("ALL",)
    extend_select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    per_file_ignores: tuple[tuple[str, tuple[str, ...]], ...] = ()
    per_file_base: str = ""
    rules: frozenset[str] = frozenset()
    exclude: tuple[str, ...] = ()
    exclude_base: str = ""
    force_exclude: bool = False
    respect_gitignore: bool = True
    models: tuple[str, ...] = ()
    min_certainty: Literal["may", "must"] = "may"
    target_python: Annotated[str, msgspec.Meta(pattern=f"^(?:{PYTHON_VERSIONS})$")] = "3.13"
    fail_level: Literal["error", "warning", "note"] = "note"
    fail_fast: bool = False
    config_file: str | None = None
    jobs: int = 0
    executor: str = ""
    no_cache: bool = False
    cache_dir: str | None = None
    exhaustive: bool = False
    quiet: bool = False
    verbose: bool = False
    exit_zero: bool = False
    statistics: bool = False
    fix: bool = False
    unsafe_fixes: bool = False
    diff: bool = False
    format_patch: bool = False
    baseline: str | None = None
    baseline_commit: str | None = None
    diff_base: str | None = None
    ignore_suppressions: bool = False
    show_suppressed: bool = False
    show_safe: bool = False
    inventory: bool = False
    color: Literal["auto", "always", "never"] = "auto"
