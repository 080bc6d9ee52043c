"""Incidents of kernel code: debugfs files that give a VM away, and opens that take references wrongly."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from vmfdlint.base import Span
from vmfdlint.check.incident import Incident
from vmfdlint.check.kernel_files import KernelFile, KernelFiles, Operations
from vmfdlint.finding import Role, Step
from vmfdlint.ir import FunctionKey
from vmfdlint.link import Site
from vmfdlint.models import Release
from vmfdlint.solve import UNKNOWN_CALLEE, Solver
from vmfdlint.summary import References, Taken

_OTHERS = 0o077
_WRITING = 0o022


def kernel_files(solver: Solver) -> Iterator[Incident]:
    """One incident a debugfs call whose file others may open, one a reference that an open takes wrongly."""
    references = References(solver.program, solver.models)
    made = list(KernelFiles(solver).found())
    by_site: dict[Site, list[Incident]] = defaultdict(list)
    for file in made:
        incident = _exposed(references, file)
        if incident is not None:
            by_site[file.site].append(incident)
    for site in sorted(by_site):
        yield min(by_site[site], key=_gravity)
    by_operations: dict[tuple[str, str], list[tuple[KernelFile, Operations]]] = defaultdict(list)
    for file in made:
        for operations in file.operations:
            by_operations[(operations.path, operations.name)].append((file, operations))
    for _name, users in sorted(by_operations.items()):
        operations = users[0][1]
        yield from _unbalanced(solver, references, operations, [file for file, _operations in users])
        yield from _unchecked(references, operations, [file for file, _operations in users])


def _gravity(incident: Incident) -> tuple[object, ...]:
    """Several callers may make the file in one place: the worst one is told."""
    attributes = incident.attributes
    return attributes["pins"] != "yes", attributes["access"] != "write", len(incident.steps), incident.steps


def _exposed(references: References, file: KernelFile) -> Incident | None:
    open_modes = [mode for mode in file.modes if mode & _OTHERS]
    pinning = [taken for operations in file.operations for taken in _kept(references, operations)]
    if not open_modes or not (file.subject or pinning):
        return None
    words = " or ".join(f"{mode:04o}" for mode in file.modes)
    computed = f" by {' and '.join(f'{name}()' for name in file.computed)}" if file.computed else ""
    pins = "an open file keeps the VM alive"
    if not pinning:
        pins = (
            "its open takes no reference on the VM" if file.operations else "no reference on the VM is seen"
        )
    told = [Step(file.at, f"file made here with mode {words}", Role.EVENT, 0, False, file.site.function.name)]
    if pinning:
        taken = min(pinning)
        told.append(
            Step(taken.at, "its open takes a reference on the VM", Role.EVENT, 0, False, taken.function.name)
        )
        told += _putting(references, file)
    return Incident(
        "exposed by the kernel",
        file.site,
        file.at,
        None,
        (),
        {
            "pins": "yes" if pinning else "no",
            "access": "write" if any(mode & _WRITING for mode in open_modes) else "read",
        },
        {
            "api": file.api,
            "holders": file.subject or "a VM",
            "reason": f"mode {words}{computed}, and {pins}",
        },
        steps=(*_calls(file), *told),
        mark=file.name,
    )


def _calls(file: KernelFile) -> list[Step]:
    """The callers that give the file its mode, data or operations."""
    following = [key for _at, key in file.calls[1:]] + [file.site.function]
    return [
        Step(at, f"calls {callee.name}", Role.CALL, 0, False, caller.name)
        for (at, caller), callee in zip(file.calls, following, strict=False)
    ]


def _putting(references: References, file: KernelFile) -> list[Step]:
    puts = [
        (at, key)
        for operations in file.operations
        for key in operations.release
        if (at := references.puts(key)) is not None
    ]
    return [
        Step(at, "put when the file is closed", Role.RELEASE, 0, False, key.name)
        for at, key in sorted(puts)[:1]
    ]


def _kept(references: References, operations: Operations) -> list[Taken]:
    """The references that a file of these operations holds after an open that succeeded."""
    ends = [end for key in operations.open for end in references.ends(key)]
    return [end.taken for end in ends if end.held > 0 and end.taken is not None and not end.failed]


def _unbalanced(
    solver: Solver, references: References, operations: Operations, files: Sequence[KernelFile]
) -> Iterator[Incident]:
    """References that stay after the file is closed, or after an open that failed."""
    for key in operations.open:
        for end in references.ends(key):
            if end.failed and end.held > 0 and end.taken is not None:
                last = Step(
                    end.at, "the open fails here, and no release follows", Role.EXIT, 0, False, key.name
                )
                reason = "it is not put where the open fails after it"
                yield _reference(end.taken, files, "unbalanced", reason, last)
    if any(references.puts(key) is not None for key in operations.release):
        return
    if solver.models.names_with(Release).intersection(operations.elsewhere):
        return
    unknown = [
        name
        for name in operations.elsewhere
        if not operations.release and name not in solver.models.apis and not solver.models.is_neutral(name)
    ]
    names = [*(key.name for key in operations.release), *operations.elsewhere]
    for taken in sorted(set(_kept(references, operations))):
        closing = f"{names[0]}() does not put it" if names else "there is no release that would put it"
        if unknown:
            closing = f"{unknown[0]}() is not known to put it"
        where = _release_step(solver, operations.release)
        yield _reference(
            taken,
            files,
            "unbalanced",
            closing,
            *where,
            doubts=tuple(UNKNOWN_CALLEE + name for name in unknown),
        )


def _release_step(solver: Solver, release: Sequence[FunctionKey]) -> list[Step]:
    """The release as a step: the line that opens its definition."""
    for key in release:
        function = solver.program.function(key)
        if function is not None:
            at = Span(key.path, function.at.line, function.at.col, function.at.line, function.at.col)
            return [Step(at, "the release puts no reference", Role.EXIT, 0, False, key.name)]
    return []


def _unchecked(
    references: References, operations: Operations, files: Sequence[KernelFile]
) -> Iterator[Incident]:
    """References taken without a look at the count, where none was held before."""
    taken = {
        end.taken
        for key in operations.open
        for end in references.ends(key)
        if end.held > 0 and end.taken is not None and not end.taken.checked
    }
    for one in sorted(taken):
        yield _reference(
            one, files, "unchecked", "the last reference may be gone already, and this does not ask"
        )


def _reference(
    taken: Taken,
    files: Sequence[KernelFile],
    fault: str,
    reason: str,
    *last: Step,
    doubts: tuple[str, ...] = (),
) -> Incident:
    modes = {mode for file in files for mode in file.modes}
    access = "write" if any(mode & _WRITING for mode in modes) else "read"
    file = min(files, key=lambda one: (one.at, one.calls))
    steps = (
        *_calls(file),
        Step(
            file.at,
            "a debugfs file with this open is made here",
            Role.EVENT,
            0,
            False,
            file.site.function.name,
        ),
        Step(
            taken.at,
            f"{taken.api}() takes a reference for the open file",
            Role.EVENT,
            0,
            False,
            taken.function.name,
        ),
        *last,
    )
    return Incident(
        "kernel reference",
        Site(taken.function, 0, 0),
        taken.at,
        None,
        (),
        {"fault": fault, "access": access if any(mode & _OTHERS for mode in modes) else "owner"},
        {"api": taken.api, "reason": reason},
        steps=steps,
        doubts=doubts,
    )
