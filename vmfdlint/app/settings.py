"""What is in force: the options of a command, checked."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from vmfdlint.app.analysis import rule_docs, workers_of
from vmfdlint.app.run import Run
from vmfdlint.config import ConfigError, Options, load, resolve_rules, settings_text
from vmfdlint.report import formats
from vmfdlint.run import ExecutorError, reach

_CACHE = ".vmfdlint_cache"
"""The cache, where none is named: beside the configuration file, else in the current directory."""


def options_for(paths: Sequence[str], given: Mapping[str, object]) -> Options:
    """The merged settings with ``rules`` resolved and a place for the cache. Raises ConfigError."""
    options = load(paths, given)
    bare = [wanted for wanted in options.output_format if ":" not in wanted]
    for wanted in options.output_format:
        if wanted.partition(":")[0] not in formats():
            known = ", ".join(formats())
            raise ConfigError(f"unknown output format {wanted!r}: choose from {known}")
    places = [wanted.partition(":")[2] for wanted in options.output_format if ":" in wanted]
    twice = next((place for place in places if places.count(place) > 1), None)
    if twice is not None:
        raise ConfigError(f"two formats would go to one place, {twice}: give each a file of its own")
    if len(bare) > 1:
        raise ConfigError(f"{' and '.join(bare)} would go to one place: say where, as in {bare[0]}:FILE")
    for path in paths:
        if not path:
            raise ConfigError("an empty path: name a file or a directory")
    for path in options.models:
        if not os.path.exists(path):  # noqa: PTH110 - Path raises where it may not look
            raise ConfigError(f"models: {path}: no such file or directory")
    if sum(bool(given.get(name)) for name in ("fix", "diff", "format_patch")) > 1:
        raise ConfigError("one of --fix, --diff and --format-patch: --diff alone shows what --fix writes")
    if "-" in paths and (options.fix or options.diff or options.format_patch):
        raise ConfigError("fixes are for files: name them in the place of -")
    if "-" in paths and not options.stdin_filename:
        raise ConfigError("- needs --stdin-filename: the name says what the program is part of")
    if options.stdin_filename and "-" not in paths:
        raise ConfigError("--stdin-filename names what the standard input holds: give - as a path, too")
    try:
        reach(workers_of(options))
    except ExecutorError as error:
        raise ConfigError(f"--executor: {error}") from error
    origins = tuple(
        f"--{name}" if given.get(name) or not options.config_file else f"{name} of {options.config_file}"
        for name in ("select", "ignore")
    )
    docs = rule_docs()
    every = [(rule.id, rule.name) for rule in docs]
    select = (*options.select, *options.extend_select)
    optional = {rule.id for rule in docs if rule.optional}
    rules = resolve_rules(select, options.ignore, every, (origins[0], origins[1]), optional)
    beside = Path(options.config_file).parent if options.config_file else Path.cwd()
    cache_dir = options.cache_dir or (beside / _CACHE).as_posix()
    return msgspec.structs.replace(options, rules=rules, cache_dir=cache_dir)


def settings(options: Options) -> Run:
    """``check --show-settings``: what is in force, as TOML."""
    return Run(settings_text(options).encode())
