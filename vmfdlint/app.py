"""The walk: calls each room's door in order. The only module beside cli that knows all rooms.

In: Options. Out: bytes to print and an exit code. Prints nothing itself.
"""

import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

import msgspec

from vmfdlint import __version__
from vmfdlint.base import Problem, ProblemKind, SourceText
from vmfdlint.base.location import rules_directory
from vmfdlint.baseline import Entry, encoded, entries, match_known
from vmfdlint.check import flow_text, load_evidence, load_rules, match, safe_sites, suggestions
from vmfdlint.check.finding import Evidence, Finding, Level, Outcome, Page, RuleDoc, Statistics
from vmfdlint.config import ConfigError, Options, load, resolve_rules, settings_text
from vmfdlint.discover import Discovery
from vmfdlint.engine import Target, load_program, solve
from vmfdlint.frontends.languages import language_of
from vmfdlint.gate import Given, narrowed, only
from vmfdlint.history import changed, known, read_baseline
from vmfdlint.intake import asked_about, is_whole, prefix, take, why_nothing
from vmfdlint.ir import FunctionKey, print_function
from vmfdlint.models import Models, NotAKernel, compare, default_models, load_models, read_kernel
from vmfdlint.report import (
    FATAL,
    PEOPLE,
    Checkout,
    Context,
    closing,
    count,
    formats,
    printable,
    problem_lines,
    rule_markdown,
    rule_table,
    rules_json,
)
from vmfdlint.run import Crash, run_one
from vmfdlint.solve import Solver
from vmfdlint.suppress import UNUSED, WITHOUT_REASON, Sources, add_comments
from vmfdlint.vcs import origin, within

EXIT_CLEAN, EXIT_FINDINGS, EXIT_INCOMPLETE = 0, 1, 2


class Written(msgspec.Struct, frozen=True):
    """Bytes for a file, in the place of what it holds or behind it."""

    path: str
    data: bytes
    append: bool = False


class Run(msgspec.Struct, frozen=True):
    """What a command comes to: ``report`` for the output, ``messages`` for the error stream, exit code."""

    report: bytes
    messages: tuple[str, ...] = ()
    exit_code: int = EXIT_CLEAN
    files: tuple[Written, ...] = ()


class Surroundings(msgspec.Struct, frozen=True, kw_only=True):
    """What a check knows of its caller: the command line, whether the output takes colours, what the standard
    input holds where it was asked for, and the file that GitHub shows as summary of a step, if any."""

    command: str = ""
    color: bool = False
    stdin: bytes | None = None
    step_summary: str = ""


def _silent(_text: str) -> None:
    """Nobody listens."""


# -- the doors to the engine -------------------------------------------------------------------------------


def analyze(
    sources: tuple[SourceText, ...],
    options: Options,
    built: Mapping[str, tuple[str, ...]] | None = None,
    tell: Callable[[str], None] = _silent,
) -> Outcome:
    """Sources, and what they are built into -> everything found by the rules in ``options.rules``."""
    rules = load_rules()
    models, problems = models_for(options)
    solved = solve(sources, models, options.jobs, _target(options, built), tell)
    solver = solved.solver
    started = perf_counter()
    findings = match(solver, rules, options.rules)
    safe = safe_sites(solver, findings) if options.verbose else ()
    lowered = solver.program.lowered
    damage = solver.program.damage(sorted(solver.descriptor_functions) if options.statistics else ())
    statistics = Statistics(
        files=len(sources),
        parsed=len(solver.program.parsed),
        partly_parsed=len({function.key.path for function in lowered if function.damaged}),
        functions=len(lowered),
        descriptor_functions=len(solver.descriptor_functions),
        objects=solver.object_count,
        programs=len({*solver.programs, *(path for one in findings for path in one.programs)}),
        descriptor_bytes=damage.size,
        unread_raw=damage.raw,
        unread_left=damage.left,
        seconds=(*solved.seconds, ("check", perf_counter() - started)),
    )
    return Outcome(
        findings,
        tuple(rule.doc for rule in rules),
        (*problems, *solved.problems),
        safe,
        notices(solver, findings),
        statistics,
    )


def _target(options: Options, built: Mapping[str, tuple[str, ...]] | None) -> Target:
    major, _, minor = options.target_python.partition(".")
    return Target(built or {}, (int(major), int(minor)))


def models_for(options: Options) -> tuple[Models, tuple[Problem, ...]]:
    """The models that come with vmfdlint and those the options name."""
    if not options.models:
        return default_models(), ()
    shipped = sorted((rules_directory() / "models").glob("*.toml"))
    return load_models([*shipped, *map(Path, options.models)])


def notices(solver: Solver, findings: Sequence[Finding]) -> tuple[str, ...]:
    """Lines that explain silence: no creation at all, or creations that no program reaches.

    Kernel code creates nothing through ioctls, and may have findings without.
    """
    if not solver.seeds and not findings:
        return ("No source of a KVM descriptor (KVM_CREATE_VM and its kin) was found in these files.",)
    found: list[str] = []
    if solver.object_count and not solver.interest.has_main:
        found.append(
            "These files hold no main(): what callers elsewhere do with the descriptors is not seen. "
            "Name the directory of the whole program to have them followed."
        )
    elif solver.object_count and not solver.programs:
        found.append(
            "KVM descriptors are created, but from no main() could a call chain to them be found; "
            "callers in files that were not given, or calls through unread pointers, may be the reason."
        )
    limits = sum(problem.kind is ProblemKind.LIMIT for problem in solver.program.problems)
    if limits:
        bounds = "1 bound on the work was" if limits == 1 else f"{limits} bounds on the work were"
        found.append(f"{bounds} reached: what lies behind was not followed (-v says where).")
    return tuple(found)


def show_flow(
    sources: tuple[SourceText, ...],
    options: Options,
    built: Mapping[str, tuple[str, ...]] | None = None,
) -> str:
    """Sources, and what they are built into -> where each descriptor is created, goes and rests, as text."""
    models, _problems = models_for(options)
    return flow_text(solve(sources, models, options.jobs, _target(options, built)).solver)


def show_ir(sources: tuple[SourceText, ...], options: Options, path: str, function: str) -> str:
    """The IR of ``function`` in the file ``path`` as text. Raises ConfigError where there is none."""
    models, _problems = models_for(options)
    program = load_program(sources, models, options.jobs, _target(options, None))
    found = program.function(FunctionKey(path, function)) if path in program.lexicon.sources else None
    if found is None:
        raise ConfigError(f"no function {function!r} in {path}")
    return print_function(found)


def rule_docs() -> tuple[RuleDoc, ...]:
    """Every rule's documentation, by id."""
    return tuple(rule.doc for rule in load_rules())


def proven_docs() -> tuple[RuleDoc, ...]:
    """The same, each with its evidence."""
    evidence = load_evidence()
    return tuple(
        msgspec.structs.replace(
            doc, page=msgspec.structs.replace(doc.page, evidence=evidence.get(doc.id, Evidence()))
        )
        if isinstance(doc.page, Page)
        else doc
        for doc in rule_docs()
    )


# -- commands ----------------------------------------------------------------------------------------------


def options_for(paths: Sequence[str], given: Mapping[str, object]) -> Options:
    """The merged settings with ``rules`` resolved. Raises ConfigError."""
    options = load(paths, given)
    bare = [wanted for wanted in options.output_format if ":" not in wanted]
    for wanted in options.output_format:
        if wanted.partition(":")[0] not in formats():
            known = ", ".join(formats())
            raise ConfigError(f"unknown output format {wanted!r}: choose from {known}")
    if len(bare) > 1:
        raise ConfigError(f"{' and '.join(bare)} would go to one place: say where, as in {bare[0]}:FILE")
    for path in paths:
        if not path:
            raise ConfigError("an empty path: name a file or a directory")
    if "-" in paths and not options.stdin_filename:
        raise ConfigError("- needs --stdin-filename: the name says what the program is part of")
    origins = tuple(
        f"--{name}" if given.get(name) or not options.config_file else f"{name} of {options.config_file}"
        for name in ("select", "ignore")
    )
    docs = rule_docs()
    every = [(rule.id, rule.name) for rule in docs]
    select = (*options.select, *options.extend_select)
    optional = {rule.id for rule in docs if rule.optional}
    rules = resolve_rules(select, options.ignore, every, (origins[0], origins[1]), optional)
    return msgspec.structs.replace(options, rules=rules)


def check(options: Options, seen: Surroundings | None = None, tell: Callable[[str], None] = _silent) -> Run:
    """discover -> analyze -> gate -> report. ``tell`` hears what is being done."""
    started = _now()
    seen = seen or Surroundings()
    found = take(options, seen.stdin)
    before = known(options, lambda then: _entries(*_look(then, tell)))
    outcome = _gated(_judged(found, options, tell), found, options, before)
    context = Context(
        version=__version__,
        root=found.root.as_posix(),
        prefix=prefix(found.root),
        within=within(found.root),
        checkout=_checkout(found.root) if _wants(options, "sarif") else None,
        sources={source.path: source for source in found.files},
        languages={source.path: language_of(source) for source in found.files},
        command=seen.command if options.statistics else "",
        started=started if options.statistics else "",
        ended=_now() if options.statistics else "",
        exit_code=_exit_code(outcome, options),
        verbose=options.verbose,
        quiet=options.quiet,
        statistics=options.statistics,
        show_suppressed=options.show_suppressed,
        compared=before is not None,
        color=seen.color,
    )
    return _reported(outcome, context, options, seen.step_summary)


def add_ignore(options: Options, reason: str, tell: Callable[[str], None] = _silent) -> Run:
    """``check --add-ignore``: a comment with the reason for each finding, written into the files."""
    if not reason.strip() or "*/" in reason or len(reason.splitlines()) != 1:
        raise ConfigError("--add-ignore needs a reason on one line, without */")
    found = take(options)
    outcome = _gated(
        _judged(found, options, tell),
        found,
        options,
        known(options, lambda then: _entries(*_look(then, tell))),
    )
    sources = _sources(found)
    wanted = [finding for finding in outcome.findings if finding.rule not in (UNUSED, WITHOUT_REASON)]
    added = add_comments(wanted, sources, reason.strip())
    context = Context(version=__version__, prefix=prefix(found.root))
    messages = problem_lines(outcome.problems, context)
    messages += [
        f"error: {prefix(found.root)}{one.at}: no place for a comment on {one.rule}" for one in added.failed
    ]
    told = f"Added {count(added.count, 'comment')} in {count(len(added.files), 'file')}\n"
    changed = tuple(Written(os.path.normpath(found.root / path), data) for path, data in added.files)
    failed = added.failed or any(problem.kind in FATAL for problem in outcome.problems)
    return Run(told.encode(), tuple(messages), EXIT_INCOMPLETE if failed else EXIT_CLEAN, changed)


def baseline_create(options: Options, path: str) -> Run:
    """``baseline create``: what is found now, as a new file. Raises ConfigError where there is one."""
    if Path(path).exists():
        raise ConfigError(f"{path} is there already: `vmfdlint baseline update` brings it up to date")
    found, outcome = _look(options)
    now = _entries(found, outcome)
    return _baseline(path, now, f"{path}: {count(len(now), 'finding')}", found, outcome)


def baseline_update(options: Options, path: str, prune: bool) -> Run:
    """``baseline update``: what is found now in the place of what was known; ``prune`` adds nothing."""
    before = read_baseline(path)
    found, outcome = _look(options)
    now = _entries(found, outcome)
    matched = match_known(now, before)
    kept = [entry for entry, known in zip(now, matched.known, strict=True) if known or not prune]
    new = count(matched.known.count(False), "new finding")
    done = f"{new}{' not' if prune else ''} added, {len(matched.gone):,} gone"
    told = f"{path}: {count(len(kept), 'finding')} ({done})"
    return _baseline(path, kept, told, found, outcome)


def _baseline(path: str, known: Sequence[Entry], told: str, found: Discovery, outcome: Outcome) -> Run:
    """The file and what is said of it; no file where not all could be done."""
    context = Context(version=__version__, prefix=prefix(found.root))
    messages = problem_lines(outcome.problems, context)
    if any(problem.kind in FATAL for problem in outcome.problems):
        messages.append("error: no baseline is made of a tree that was not read in full")
        return Run(b"", tuple(messages), EXIT_INCOMPLETE)
    return Run(f"{told}\n".encode(), tuple(messages), EXIT_CLEAN, (Written(path, encoded(known)),))


def baseline_show(path: str) -> Run:
    """``baseline show``: what is known, a line each, and the count by rule."""
    known = read_baseline(path)
    lines = [f"{one.path}: {one.rule} in {one.function or 'the file'}: {one.text}" for one in known]
    rules = Counter(one.rule for one in known)
    by_rule = ", ".join(f"{number:,} {rule}" for rule, number in sorted(rules.items()))
    lines.append(by_rule or "Nothing is known")
    return Run("".join(printable(line) + "\n" for line in lines).encode("utf-8", "replace"))


def files(options: Options, stdin: bytes | None = None) -> Run:
    """``check --show-files``: the paths that would be checked, one a line."""
    found = take(options, stdin)
    before = prefix(found.root)
    return _shown("".join(f"{before}{source.path}\n" for source in found.files), found)


def settings(options: Options) -> Run:
    """``check --show-settings``: what is in force, as TOML."""
    return Run(settings_text(options).encode())


def flow(options: Options) -> Run:
    """``show flow``: discover -> the engine's picture of every descriptor."""
    found = take(options)
    return _told(lambda sources: show_flow(sources, options, found.targets), found, options, "show flow")


def ir(options: Options, target: str) -> Run:
    """``show ir FILE::FUNC``. Raises ConfigError where there is no such function."""
    path, colons, function = target.rpartition("::")
    if not colons or not path or not function:
        raise ConfigError(f"{target!r} is not FILE::FUNCTION, as in accel/kvm/kvm-all.c::kvm_init")
    found = take(msgspec.structs.replace(options, paths=(path, *options.paths)))
    absolute = Path(os.path.normpath(Path.cwd() / path))
    shown = absolute.relative_to(found.root).as_posix() if absolute.is_relative_to(found.root) else path
    return _shown(show_ir(found.files, options, shown, function), found)


def rules(names: Sequence[str], every: bool, output_format: str = "") -> Run:
    """``rule ID...`` or ``rule --all``: pages, or for all of them a table where no format is asked for.

    Raises ConfigError for an unknown rule.
    """
    docs = proven_docs()
    if every and not output_format:
        return Run(rule_table(docs).encode())
    known = [(rule.id, rule.name) for rule in docs]
    wanted = frozenset(name for name, _ in known) if every else resolve_rules(names, (), known, ("", ""))
    asked = [rule for rule in docs if rule.id in wanted]
    if output_format == "json":
        return Run(rules_json(asked))
    return Run("\n".join(rule_markdown(rule) for rule in asked).encode())


def models_suggest(options: Options) -> Run:
    """``models suggest``: rows for the unknown functions that are given a holder, as TOML."""
    found = take(options)

    def suggested(sources: tuple[SourceText, ...]) -> str:
        models, _problems = models_for(options)
        rows = list(suggestions(solve(sources, models, options.jobs, _target(options, found.targets)).solver))
        return "\n".join(rows) if rows else "# Every function that is given a KVM descriptor is known.\n"

    return _told(suggested, found, options, "models suggest")


def models_check(files: Sequence[str]) -> Run:
    """Reads model files (without any, the ones shipped) the way ``check --models`` does."""
    paths = [Path(file) for file in files] or sorted((rules_directory() / "models").glob("*.toml"))
    _, problems = load_models(paths)
    context = Context(version=__version__)
    if problems:
        return Run(b"", tuple(problem_lines(problems, context)), EXIT_INCOMPLETE)
    return Run(f"{len(paths)} model file{'' if len(paths) == 1 else 's'}: no problem\n".encode())


def models_verify(kernel: str) -> Run:
    """``models verify --kernel DIR``: what a kernel's source says of descriptors, against the models."""
    try:
        read = read_kernel(Path(kernel))
    except NotAKernel as error:
        raise ConfigError(str(error)) from error
    verdicts = compare(read, default_models())
    width = max((len(verdict.request) for verdict in verdicts), default=0)
    lines = [
        f"{'drift' if verdict.drift else 'ok':<5}  {verdict.request:<{width}}  {verdict.text}"
        for verdict in verdicts
    ]
    drift = sum(verdict.drift for verdict in verdicts)
    told = "no drift" if not drift else f"{drift} of them differ from the models"
    version = f"Linux {read.version}" if read.version else "A Linux tree without a version"
    lines += ["", f"{version}: {len(verdicts)} requests that return a descriptor or differ, {told}"]
    return Run(("\n".join(lines) + "\n").encode(), (), EXIT_FINDINGS if drift else EXIT_CLEAN)


# -- steps -------------------------------------------------------------------------------------------------


def _judged(found: Discovery, options: Options, tell: Callable[[str], None]) -> Outcome:
    """The engine's outcome with what discovery knows put in; a crash of the engine is a Problem."""
    result = run_one(
        lambda sources: analyze(sources, options, found.targets, tell), found.files, "the analysis"
    )
    if isinstance(result, Crash):
        problem = Problem(ProblemKind.CRASH, _crashed(result, options))
        outcome = Outcome((), rule_docs(), (problem,), statistics=Statistics(files=len(found.files)))
    else:
        outcome = result.value
    notices = outcome.notices
    if not found.files:
        notices = () if found.problems else (why_nothing(found, options),)
    outcome = only(outcome, lambda finding: finding.rule in options.rules, "of rules that are off")
    return msgspec.structs.replace(
        outcome,
        problems=(*found.problems, *outcome.problems),
        notices=notices,
        statistics=msgspec.structs.replace(outcome.statistics, cpp_files=found.cpp_files),
    )


def _wants(options: Options, name: str) -> bool:
    return any(wanted.partition(":")[0] == name for wanted in options.output_format)


def _checkout(root: Path) -> Checkout | None:
    found = origin(root)
    return None if found is None else Checkout(found.repository, found.revision, found.branch)


def _gated(outcome: Outcome, found: Discovery, options: Options, before: Sequence[Entry] | None) -> Outcome:
    """The outcome without the findings that do not count. Raises ConfigError."""
    given = Given(
        root=found.root.as_posix(),
        sources=_sources(found),
        whole=is_whole(options),
        focus=asked_about(found, options),
        lines=changed(found.root, options),
        before=before,
    )
    return narrowed(outcome, options, given)


def _look(options: Options, tell: Callable[[str], None] = _silent) -> tuple[Discovery, Outcome]:
    """The sources and what is found in them, without a word about what was before."""
    found = take(options)
    return found, _gated(_judged(found, options, tell), found, options, None)


def _entries(found: Discovery, outcome: Outcome) -> tuple[Entry, ...]:
    return entries(outcome.findings, {source.path: source for source in found.files})


def _sources(found: Discovery) -> Sources:
    texts = {source.path: source for source in found.files}
    return Sources(texts, {path: language_of(source) for path, source in texts.items()})


def _reported(outcome: Outcome, context: Context, options: Options, step_summary: str) -> Run:
    """The reports that were asked for, each for its place, and what is said beside them."""
    report, told = b"", False
    written = []
    for wanted in options.output_format:
        name, _, path = wanted.partition(":")
        path = path or options.output_file or ""
        data = formats()[name](outcome, msgspec.structs.replace(context, color=context.color and not path))
        if path:
            written.append(Written(path, data))
        else:
            report, told = data, name in PEOPLE
        if name == "github" and step_summary:
            written.append(Written(step_summary, formats()["markdown"](outcome, context), append=True))
    messages = problem_lines(outcome.problems, context)
    if not told:
        messages += closing(outcome, context)
    return Run(report, tuple(messages), context.exit_code, tuple(written))


def _crashed(crash: Crash, options: Options) -> str:
    text = f"vmfdlint crashed in {crash.item}: {crash.text}; please report this, with the output of -v"
    return text + "\n" + crash.trace if options.verbose else text


def _exit_code(outcome: Outcome, options: Options) -> int:
    if any(problem.kind in FATAL for problem in outcome.problems):
        return EXIT_INCOMPLETE
    levels = list(Level)
    failing = levels[: levels.index(Level(options.fail_level)) + 1]
    failed = any(finding.level in failing for finding in outcome.findings)
    return EXIT_FINDINGS if failed and not options.exit_zero else EXIT_CLEAN


def _told(job: Callable[[tuple[SourceText, ...]], str], found: Discovery, options: Options, name: str) -> Run:
    """The text that a job makes of the sources; a crash of it ends with exit code 2."""
    result = run_one(job, found.files, name)
    if isinstance(result, Crash):
        return Run(b"", (f"error: {_crashed(result, options)}",), EXIT_INCOMPLETE)
    return _shown(result.value, found)


def _shown(text: str, found: Discovery) -> Run:
    context = Context(version=__version__, prefix=prefix(found.root))
    messages = problem_lines(found.problems, context)
    failed = any(problem.kind in FATAL for problem in found.problems)
    return Run(text.encode("utf-8", "replace"), tuple(messages), EXIT_INCOMPLETE if failed else EXIT_CLEAN)


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
