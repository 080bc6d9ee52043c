"""SARIF 2.1.0, for code scanning and editors: one log, a run a tree. Its parts stand beside it.

The JSON is compact: uploads are limited in size.
"""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from vmfdlint.finding import Outcome, RuleDoc
from vmfdlint.report.context import Context
from vmfdlint.report.sarif_files import BASE
from vmfdlint.report.sarif_invocation import invocation
from vmfdlint.report.sarif_results import Results
from vmfdlint.report.sarif_rules import notification_rules, rule_descriptor, taxonomy

NAME = "sarif"
SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
# The tool has no page of its own; this one says what a VM's life hangs on, which is what the tool looks at.
ABOUT = "https://docs.kernel.org/virt/kvm/api.html"

Json = dict[str, object]


def render(outcome: Outcome, context: Context) -> bytes:
    """Outcome -> one SARIF log with one run, compact JSON."""
    rules = tuple(sorted(outcome.rules, key=lambda rule: rule.id))
    weaknesses = sorted({number for rule in rules for number in rule.cwe})
    results = Results(outcome, rules, context)
    run: Json = {
        "tool": {"driver": _driver(rules, weaknesses, context)},
        "taxonomies": [taxonomy(weaknesses)],
        "invocations": [invocation(outcome, results, context)],
        "originalUriBaseIds": {BASE: results.files.root()},
        "artifacts": results.files.artifacts(),
        "automationDetails": {"id": f"vmfdlint/{context.tree}/" if context.tree else "vmfdlint/"},
        "columnKind": "utf16CodeUnits",
        "defaultEncoding": "utf-8",
        "newlineSequences": ["\r\n", "\n"],
        "results": results.encoded,
    }
    if context.checkout is not None:
        checkout = context.checkout
        at: Json = {"repositoryUri": checkout.repository}
        at |= {"revisionId": checkout.revision} if checkout.revision else {}
        at |= {"branch": checkout.branch} if checkout.branch else {}
        run["versionControlProvenance"] = [at | {"mappedTo": {"uriBaseId": BASE}}]
    return msgspec.json.encode({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}) + b"\n"


def merged(reports: Iterable[tuple[str, bytes]]) -> Iterator[bytes]:
    """One log with the runs of all."""
    head = msgspec.json.encode({"$schema": SCHEMA, "version": "2.1.0", "runs": []})
    yield head.removesuffix(b"]}")
    first = True
    for _, report in reports:
        for run in msgspec.json.decode(report, type=_Log).runs:
            yield bytes(run) if first else b"," + bytes(run)
            first = False
    yield b"]}\n"


class _Log(msgspec.Struct):
    runs: list[msgspec.Raw]


def _driver(rules: Sequence[RuleDoc], weaknesses: Sequence[int], context: Context) -> Json:
    return {
        "name": "vmfdlint",
        "fullName": f"vmfdlint {context.version}",
        "organization": "vmfdlint project",
        "version": context.version,
        "semanticVersion": context.version,
        "informationUri": ABOUT,
        "language": "en-US",
        "rules": [rule_descriptor(rule, weaknesses) for rule in rules],
        "notifications": notification_rules(),
        "supportedTaxonomies": [{"name": "CWE", "index": 0}],
    }
