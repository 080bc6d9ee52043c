"""One Outcome, one golden per format; and what a SARIF consumer trips over."""

import json
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest

from vmfdlint.base import Problem, ProblemKind, SourceText, Span
from vmfdlint.finding import (
    Certainty,
    Finding,
    Level,
    Outcome,
    Related,
    Role,
    RuleDoc,
    SafeSite,
    Statistics,
    Step,
)
from vmfdlint.report import Context, closing, formats, problem_lines, rule_markdown
from vmfdlint.report.prints import line_hashes
from vmfdlint.report.words import printable, statistics

GOLDENS = Path(__file__).parent / "report"

VM_C = """\
int vm_create(struct vm *vm)
{
\tvm->vm_fd = kvm_ioctl(vm, KVM_CREATE_VM, 0); /* größer 😀 */
\treturn start(vm);
}
"""
HELPER_C = """\
int start(struct vm *vm)
{
    /* 😀é */ pid_t pid = fork();
    if (pid == 0)
        serve(fds[0](1));
    return dup(vm->vm_fd);
}
"""
TEXTS = {"vm.c": VM_C, "sub dir/helper.c": HELPER_C}
SOURCES = {path: SourceText(path, text.encode()) for path, text in TEXTS.items()}


def at(path: str, text: str) -> Span:
    """The span of the first ``text`` in a source."""
    start = SOURCES[path].data.index(text.encode())
    return SOURCES[path].span(start, start + len(text.encode()))


CREATE = at("vm.c", "kvm_ioctl(vm, KVM_CREATE_VM, 0)")
FORK = at("sub dir/helper.c", "fork()")
SERVE = at("sub dir/helper.c", "serve(fds[0](1))")
DUP = at("sub dir/helper.c", "dup(vm->vm_fd)")

RULES = (
    RuleDoc(
        id="VMFD101",
        name="fork-while-vm-live",
        family="fork",
        level=Level.ERROR,
        summary="A process is forked while a VM descriptor is open",
        why="The child holds the VM: struct kvm and one mm_struct\nstay until it ends.",
        fix="Fork before KVM_CREATE_VM,\nor close the descriptors in the child.",
        cwe=(403, 772),
        cert=("FIO22-C", "POS38-C"),
        refs=("linux: Documentation/virt/kvm/api.rst",),
    ),
    RuleDoc(
        id="VMFD303",
        name="duplicate-inheritable",
        family="cloexec",
        level=Level.WARNING,
        summary="A VM descriptor is duplicated without close-on-exec",
        why="Every program the process execs gets it.",
        fix="Use F_DUPFD_CLOEXEC.",
        cwe=(403,),
    ),
)
TRACE = (
    Step(CREATE, "VM descriptor created here", Role.CREATE, 0, False, "vm_create", ("vm->vm_fd (parent)",)),
    Step(at("vm.c", "start(vm)"), "calls start", Role.CALL, 0, False, "vm_create", ("vm->vm_fd (parent)",)),
    Step(FORK, "the child gets it too", Role.EVENT, 1, False, "start", ("vm->vm_fd (parent and child)",)),
    Step(at("sub dir/helper.c", "pid == 0"), "in the child", Role.GUARD, 1, True, "start"),
    Step(SERVE, "the child waits in fds[0](1)", Role.SURVIVE, 1, True, "start", ("vm->vm_fd (child)",)),
)
OUTCOME = Outcome(
    findings=(
        Finding(
            rule="VMFD101",
            level=Level.ERROR,
            at=FORK,
            function="start",
            message="fork() while VM descriptor 'vm->vm_fd' is open: the child keeps the VM alive",
            trace=TRACE,
            programs=("main.c",),
        ),
        Finding(
            rule="VMFD303",
            level=Level.NOTE,
            at=DUP,
            function="start",
            message="dup() of 'fds[0](1)' is inheritable.",
            trace=(),
            related=(Related(CREATE, "VM [0] created here"),),
            certainty=Certainty.MAY,
            via=("unknown callee serve",),
        ),
    ),
    rules=RULES,
    problems=(
        Problem(ProblemKind.PARSE, "1 statement could not be parsed", "vm.c", at("vm.c", "return")),
        Problem(ProblemKind.IO, "cannot be read (Permission denied): check its permissions", "lost.c"),
    ),
    safe=(SafeSite(at("vm.c", "start"), "vm_create", "the child execs at once"),),
    notices=("3 of 12 files are reached by no program: name their root",),
    statistics=Statistics(
        files=6442,
        parsed=400,
        partly_parsed=5,
        functions=59561,
        descriptor_functions=412,
        objects=9,
        programs=3,
        unreached_files=3,
        cpp_files=2,
        seconds=(("discover", 0.25), ("solve", 1.5)),
    ),
)
CONTEXT = Context(version="0.1.0", root="/src/my vmm", sources=SOURCES, exit_code=2)


@pytest.mark.parametrize("name", sorted(formats()))
def test_golden(name: str, golden: Callable[[Path, str], None]) -> None:
    golden(GOLDENS / f"{name}.txt", _indented(formats()[name](OUTCOME, CONTEXT).decode()))


def test_golden_verbose(golden: Callable[[Path, str], None]) -> None:
    context = msgspec.structs.replace(
        CONTEXT, verbose=True, show_safe=True, statistics=True, prefix="../", color=True
    )
    text = formats()["full"](OUTCOME, context).decode()
    text += "".join(line + "\n" for line in problem_lines(OUTCOME.problems, context))
    golden(GOLDENS / "full-verbose.txt", text.replace("\x1b", "\\e"))


def test_golden_rule(golden: Callable[[Path, str], None]) -> None:
    golden(GOLDENS / "rule.txt", rule_markdown(RULES[0]))


def _indented(text: str) -> str:
    """Compact JSON spread over lines, so that a change can be read; other text as it is."""
    if not text.startswith("{"):
        return text
    values = [json.loads(text)] if text.count("\n{") == 0 else [json.loads(x) for x in text.splitlines()]
    return "".join(json.dumps(value, indent=1, ensure_ascii=False) + "\n" for value in values)


@pytest.mark.parametrize("name", sorted(formats()))
def test_same_values_same_bytes(name: str) -> None:
    again = msgspec.json.decode(msgspec.json.encode(OUTCOME), type=Outcome)
    assert formats()[name](OUTCOME, CONTEXT) == formats()[name](again, CONTEXT)


@pytest.mark.parametrize("name", sorted(formats()))
def test_nothing_found_and_no_sources(name: str) -> None:
    render = formats()[name]
    assert isinstance(render(Outcome((), ()), Context(version="0.1.0")), bytes)
    # A finding whose file is not at hand is reported all the same.
    assert b"VMFD101" in render(OUTCOME, msgspec.structs.replace(CONTEXT, sources={}))


def test_formats_are_named_after_their_modules() -> None:
    for name, render in formats().items():
        assert render.__module__ == f"vmfdlint.report.{name.replace('-', '_')}"


def test_closing_line() -> None:
    assert closing(OUTCOME, CONTEXT)[-1] == (
        "Checked 6,442 files (5 partly parsed), 412 functions that touch VM descriptors"
        " in 3 programs: 2 findings"
    )
    one = Outcome((), (), statistics=Statistics(files=1, descriptor_functions=1, programs=1))
    assert closing(one, CONTEXT) == [
        "Checked 1 file, 1 function that touches VM descriptors in 1 program: 0 findings"
    ]
    quiet = msgspec.structs.replace(CONTEXT, quiet=True)
    assert closing(OUTCOME, quiet) == []
    asked = closing(OUTCOME, msgspec.structs.replace(quiet, statistics=True))
    assert asked and asked == statistics(OUTCOME), "what was asked for is said"


def test_scanned_text_cannot_steer_the_terminal() -> None:
    assert printable("a\x1b[31mb\u202ec\r\n") == "a\\x1b[31mb\\u202ec\\r\\n"
    assert printable("tab\tgrößer 😀") == "tab\tgrößer 😀"


def test_a_path_that_the_text_happens_to_begin_with() -> None:
    problems = (
        Problem(ProblemKind.IO, "directory cannot be read", "d"),
        Problem(ProblemKind.IO, "e: gone", "e"),
    )
    assert problem_lines(problems, CONTEXT) == ["error: d: directory cannot be read", "error: e: gone"]


def test_long_lines_are_cut_around_the_place() -> None:
    line = "x" * 500 + "fork()" + "y" * 500
    source = SourceText("vm.c", line.encode())
    finding = msgspec.structs.replace(OUTCOME.findings[1], at=source.span(500, 506), related=())
    context = msgspec.structs.replace(CONTEXT, sources={"vm.c": source})
    text = formats()["full"](msgspec.structs.replace(OUTCOME, findings=(finding,)), context).decode()
    shown, marks = (line for line in text.splitlines() if "|" in line)
    assert len(shown) < 200
    assert shown[marks.index("^") : marks.rindex("^") + 1] == "fork()"


def test_a_place_in_bytes_that_are_not_utf8() -> None:
    source = SourceText("vm.c", b"/* \xff\xfe */ fork();\n")
    assert CONTEXT.column("gone.c", 1, 7) == 7
    context = msgspec.structs.replace(CONTEXT, sources={"vm.c": source})
    assert context.text(source.span(9, 15)) == "fork()"
    assert context.marked(source.span(9, 15)) == ("/* \ufffd\ufffd */ ", "fork()", ";")
    assert context.column("vm.c", 1, 10) == 10


# -- SARIF: what its public validator does not notice ------------------------------------------------------


@cache
def sarif() -> dict[str, Any]:
    log: dict[str, Any] = json.loads(formats()["sarif"](OUTCOME, CONTEXT))
    run: dict[str, Any] = log["runs"][0]
    return run


def everywhere(value: Any, key: str) -> Iterator[Any]:
    """Every value of ``key`` at any depth."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name == key:
                yield inner
            yield from everywhere(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from everywhere(inner, key)


def test_sarif_results_have_fingerprints() -> None:
    for result in sarif()["results"]:
        prints = result["partialFingerprints"]
        assert re.fullmatch(r"[0-9a-f]{1,16}:\d+", prints["primaryLocationLineHash"])
        assert re.fullmatch(r"[0-9a-f]{32}:\d+", prints["vmfdlintTrace/v1"])


def test_sarif_fingerprints_do_not_know_lines() -> None:
    moved_sources = {path: SourceText(path, b"\n\n" + source.data) for path, source in SOURCES.items()}
    moved = _moved(OUTCOME, 2)
    log = json.loads(formats()["sarif"](moved, msgspec.structs.replace(CONTEXT, sources=moved_sources)))
    for before, after in zip(sarif()["results"], log["runs"][0]["results"], strict=True):
        assert before["partialFingerprints"] == after["partialFingerprints"]


def _moved(value: Any, lines: int) -> Any:
    """The same with every Span further down."""
    if isinstance(value, Span):
        return msgspec.structs.replace(value, line=value.line + lines, end_line=value.end_line + lines)
    if isinstance(value, tuple):
        return tuple(_moved(inner, lines) for inner in value)
    if isinstance(value, msgspec.Struct):
        fields = {name: _moved(getattr(value, name), lines) for name in value.__struct_fields__}
        return type(value)(**fields)
    return value


def test_sarif_equal_findings_have_their_own_fingerprint() -> None:
    twice = msgspec.structs.replace(OUTCOME, findings=(OUTCOME.findings[0],) * 2)
    log = json.loads(formats()["sarif"](twice, CONTEXT))
    prints = [result["partialFingerprints"]["vmfdlintTrace/v1"] for result in log["runs"][0]["results"]]
    assert prints[0].endswith(":1") and prints[1].endswith(":2")


def test_sarif_regions_are_complete() -> None:
    regions = list(everywhere(sarif(), "region"))
    assert len(regions) > 8
    for region in regions:
        assert {"startLine", "startColumn", "endLine", "endColumn"} <= region.keys()
        assert (region["startLine"], region["startColumn"]) <= (region["endLine"], region["endColumn"])


def test_sarif_links_lead_somewhere() -> None:
    for result in sarif()["results"]:
        text = result["message"]["text"]
        links = set(map(int, re.findall(r"(?<!\\)\]\((\d+)\)", text)))
        ids = {related["id"] for related in result.get("relatedLocations", ())}
        assert links == ids and ids
    assert "fds\\[0\\](1)" in sarif()["results"][1]["message"]["text"]


def test_sarif_flows_are_inline_and_in_one_piece() -> None:
    assert "threadFlowLocations" not in sarif()
    flows = sarif()["results"][0]["codeFlows"]
    assert len(flows) == 1
    story, child = flows[0]["threadFlows"]
    steps = story["locations"]
    assert child["locations"] == steps[3:]
    assert [step["executionOrder"] for step in steps] == [1, 2, 3, 4, 5]
    assert [step["nestingLevel"] for step in steps] == [0, 0, 1, 1, 1]
    assert steps[2]["state"]["vm"]["text"] == "held by vm->vm_fd (parent and child)"
    texts = [step["location"]["message"]["text"] for step in steps]
    assert [text.startswith("[child] ") for text in texts] == [False, False, False, True, True]


def test_sarif_says_where_and_how_it_ran() -> None:
    (invocation,) = sarif()["invocations"]
    assert invocation["workingDirectory"]["uri"] == "file:///src/my%20vmm/"
    assert sarif()["originalUriBaseIds"]["%SRCROOT%"]["uri"] == "file:///src/my%20vmm/"
    assert invocation["executionSuccessful"] is False and invocation["exitCode"] == 2
    levels = [one["level"] for one in invocation["toolExecutionNotifications"]]
    assert levels == ["note", "error", "note"]


def test_sarif_paths_are_relative() -> None:
    places = list(everywhere(sarif(), "artifactLocation"))
    artifacts = sarif()["artifacts"]
    for place in places:
        assert place["uriBaseId"] == "%SRCROOT%"
        assert not place["uri"].startswith(("/", "./")) and " " not in place["uri"]
        if "index" in place:
            assert artifacts[place["index"]]["location"]["uri"] == place["uri"]


def test_sarif_columns_count_utf16() -> None:
    region = sarif()["results"][0]["locations"][0]["physicalLocation"]["region"]
    line = HELPER_C.splitlines()[2]
    units = line[: line.index("fork()")].encode("utf-16-le")
    assert region["startColumn"] == len(units) // 2 + 1
    assert region["snippet"]["text"] == "fork()"
    assert FORK.col == region["startColumn"] + 3  # bytes: 4 for the face and 2 for é, units: 2 and 1


def test_sarif_rules_fit_github() -> None:
    driver = sarif()["tool"]["driver"]
    described = {one["id"] for one in driver["notifications"]}
    assert {one["id"] for one in everywhere(sarif()["invocations"], "descriptor")} <= described
    taxa = sarif()["taxonomies"][0]["taxa"]
    for index, rule in enumerate(driver["rules"]):
        assert len(rule["shortDescription"]["text"]) <= 1024 >= len(rule["fullDescription"]["text"])
        assert rule["help"]["text"] and rule["help"]["markdown"]
        assert 0 < float(rule["properties"]["security-severity"]) <= 10
        assert len(rule["properties"]["tags"]) <= 20 and "security" in rule["properties"]["tags"]
        for relation in rule["relationships"]:
            assert taxa[relation["target"]["index"]]["id"] == relation["target"]["id"]
        for result in sarif()["results"]:
            assert (result["ruleId"] == rule["id"]) == (result["ruleIndex"] == index)


@pytest.mark.parametrize(
    ("text", "hashes"),
    [
        ("", ["c129715d7a2bc9a3:1"]),
        (
            " a\nb\n  \t\tc\n d",
            ["271789c17abda88f:1", "54703d4cd895b18:1", "180aee12dab6264:1", "a23a3dc5e078b07b:1"],
        ),
        (
            " hello; \t\nworld!!!\n\n\n  \t\tGreetings\n End",
            [
                "8b7cf3e952e7aeb2:1",
                "b1ae1287ec4718d9:1",
                "bff680108adb0fcc:1",
                "c6805c5e1288b612:1",
                "b86d3392aea1be30:1",
                "e6ceba753e1a442:1",
            ],
        ),
    ],
)
def test_line_hashes_are_the_ones_github_computes(text: str, hashes: list[str]) -> None:
    """The vectors of its uploader's own tests; the line end does not matter."""
    for end in ("\n", "\r\n", "\r"):
        source = SourceText("x.c", text.replace("\n", end).encode())
        assert list(line_hashes(source, frozenset(range(1, 99))).values()) == hashes


def test_equal_lines_are_told_apart() -> None:
    source = SourceText("x.c", b"fork();\n" * 300)
    hashes = line_hashes(source, frozenset({1, 2, 299}))
    assert [text.rpartition(":")[2] for text in hashes.values()] == ["1", "2", "1"]
