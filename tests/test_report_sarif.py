"""SARIF: the parts that only some runs have, and the limits of those who read it."""

import gzip
import json
from typing import Any

import msgspec
import pytest
from test_report import CONTEXT, DUP, OUTCOME, SOURCES, everywhere

from vmfdlint.base import Problem, ProblemKind, SourceText
from vmfdlint.finding import Edit, Fix, LeftOut, Level, Outcome
from vmfdlint.report import Checkout, Context, formats
from vmfdlint.report.sarif_results import Results


def run_of(outcome: Outcome = OUTCOME, context: Context = CONTEXT) -> dict[str, Any]:
    run: dict[str, Any] = json.loads(formats()["sarif"](outcome, context))["runs"][0]
    return run


def test_checkout() -> None:
    assert "versionControlProvenance" not in run_of()
    checkout = Checkout("https://example.org/vmm", "0" * 40, "main")
    run = run_of(context=msgspec.structs.replace(CONTEXT, checkout=checkout))
    assert run["versionControlProvenance"] == [
        {
            "repositoryUri": "https://example.org/vmm",
            "revisionId": "0" * 40,
            "branch": "main",
            "mappedTo": {"uriBaseId": "%SRCROOT%"},
        }
    ]


def test_addresses_start_at_the_top_of_the_work_tree() -> None:
    run = run_of(context=msgspec.structs.replace(CONTEXT, root="/src/my vmm/a", within="my vmm/a/"))
    assert run["originalUriBaseIds"]["%SRCROOT%"]["uri"] == "file:///src/"
    assert {one["uri"] for one in everywhere(run["results"], "artifactLocation")} == {
        "my%20vmm/a/vm.c",
        "my%20vmm/a/sub%20dir/helper.c",
    }


def test_languages() -> None:
    context = msgspec.structs.replace(CONTEXT, languages={"vm.c": "c", "sub dir/helper.c": "python"})
    helper, vm = run_of(context=context)["artifacts"]
    assert (vm["sourceLanguage"], vm["mimeType"]) == ("c", "text/x-c")
    assert (helper["sourceLanguage"], helper["mimeType"]) == ("python", "text/x-python")
    assert "sourceLanguage" not in run_of()["artifacts"][0]


def test_settings_have_their_own_notifications() -> None:
    problems = (Problem(ProblemKind.CONFIG, "no such model", "m.toml"), *OUTCOME.problems)
    (invocation,) = run_of(msgspec.structs.replace(OUTCOME, problems=problems))["invocations"]
    (wrong,) = invocation["toolConfigurationNotifications"]
    assert wrong["descriptor"]["id"] == "vmfdlint/config" and wrong["level"] == "error"
    assert len(invocation["toolExecutionNotifications"]) == 3


def test_what_is_left_out_is_told() -> None:
    outcome = msgspec.structs.replace(OUTCOME, left_out=(LeftOut(3, "suppressed"), LeftOut(1, "uncertain")))
    texts = [
        one["message"]["text"] for one in run_of(outcome)["invocations"][0]["toolExecutionNotifications"]
    ]
    assert texts[-1] == "Findings that are not reported: 3 suppressed, 1 uncertain."


def test_fixes() -> None:
    fix = Fix(
        "Copy it with [its](1) flag", (Edit(DUP, "x"), Edit(OUTCOME.findings[1].related[0].at, "y")), True
    )
    finding = msgspec.structs.replace(OUTCOME.findings[1], fixes=(fix,))
    (made,) = run_of(msgspec.structs.replace(OUTCOME, findings=(finding,)))["results"][0]["fixes"]
    assert made["description"]["text"] == "Copy it with \\[its\\](1) flag (safe fix)."
    paths = [change["artifactLocation"]["uri"] for change in made["artifactChanges"]]
    assert paths == ["sub%20dir/helper.c", "vm.c"]
    assert made["artifactChanges"][0]["replacements"] == [
        {
            "deletedRegion": {"startLine": 6, "startColumn": 12, "endLine": 6, "endColumn": 26},
            "insertedContent": {"text": "x"},
        }
    ]


@pytest.fixture(scope="module")
def large() -> Outcome:
    """30,000 findings with ten steps each, the grave ones last."""
    base = OUTCOME.findings[0]
    trace = base.trace * 2
    levels = [Level.NOTE] * 20_000 + [Level.ERROR] * 10_000
    findings = tuple(
        msgspec.structs.replace(base, level=level, trace=trace, fingerprint=f"{number:032x}")
        for number, level in enumerate(levels)
    )
    return msgspec.structs.replace(OUTCOME, findings=findings)


def test_limits_on_a_large_tree(large: Outcome) -> None:
    data = formats()["sarif"](large, CONTEXT)
    run = json.loads(data)["runs"][0]
    levels = [result["level"] for result in run["results"]]
    assert (levels.count("error"), levels.count("note")) == (10_000, 15_000)
    assert len(gzip.compress(data, 6)) < 10_000_000
    # In the order of the report, and the gravest in full.
    assert levels == sorted(levels, reverse=True)
    full = ["codeFlows" in result for result in run["results"]]
    assert not any(full[:15_000]) and all(full[15_000:20_000]) and not any(full[20_000:])
    told = [one["message"]["text"] for one in run["invocations"][0]["toolExecutionNotifications"]]
    assert told[-2] == "5,000 findings of the least grave are not in this log."
    assert told[-1] == "20,000 results of the least grave are without code flow and snippets."
    for result in (run["results"][0], run["results"][-1]):
        assert {"startLine", "startColumn", "endLine", "endColumn"} == set(
            result["locations"][0]["physicalLocation"]["region"]
        )
        assert len(result["partialFingerprints"]) == 2


def test_the_size_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vmfdlint.report.sarif_results._DETAILED_BYTES", 5_000)
    first, second = run_of()["results"]
    assert "codeFlows" in first and "snippet" not in second["locations"][0]["physicalLocation"]["region"]


def test_a_line_as_long_as_a_file_is_not_shown() -> None:
    helper = SOURCES["sub dir/helper.c"]
    long = SourceText(
        helper.path, helper.data.replace(b"\n    return", b" /*" + b"x" * 9_000 + b"*/\n    return")
    )
    run = run_of(context=msgspec.structs.replace(CONTEXT, sources={**SOURCES, helper.path: long}))
    places = list(everywhere(run["results"], "physicalLocation"))
    assert all(len(one.get("contextRegion", {}).get("snippet", {}).get("text", "")) < 4_001 for one in places)
    assert any("contextRegion" in one for one in places)
    assert any("contextRegion" not in one and "snippet" in one["region"] for one in places)


def test_steps_and_links_are_limited() -> None:
    finding = msgspec.structs.replace(
        OUTCOME.findings[1], trace=OUTCOME.findings[0].trace * 300, related=OUTCOME.findings[1].related * 150
    )
    (result,) = run_of(msgspec.structs.replace(OUTCOME, findings=(finding,)))["results"]
    assert len(result["codeFlows"][0]["threadFlows"][0]["locations"]) == 1_000
    assert [one["id"] for one in result["relatedLocations"]] == list(range(1, 101))
    assert result["message"]["text"].count("](") == 101  # a hundred links, and the text's own escaped one


def test_a_small_log_leaves_nothing_out() -> None:
    results = Results(OUTCOME, OUTCOME.rules, CONTEXT)
    assert (results.dropped, results.short) == (0, 0) and SOURCES
