"""The static part of a SARIF log: rule descriptors, the tool's notifications, the CWE taxonomy."""

from collections.abc import Sequence

from vmfdlint.base import ProblemKind
from vmfdlint.finding import Level, RuleDoc
from vmfdlint.report.cwe import VERSION, cwe_name, cwe_page
from vmfdlint.report.doc import one_line, rule_markdown
from vmfdlint.report.words import FATAL

Json = dict[str, object]

# What GitHub shows of a text; a longer one is refused.
_LONGEST = 1024
_MOST_TAGS = 20
# The family of rules about comments: no fault of the program, and no matter of security.
_COMMENTS = "lint"
# Scores on GitHub's scale: 7.0 and more is high, 4.0 medium.
_SEVERITY = {Level.ERROR: "7.5", Level.WARNING: "5.0", Level.NOTE: "2.0"}
_PROBLEM_SEVERITY = {Level.ERROR: "error", Level.WARNING: "warning", Level.NOTE: "recommendation"}

_NOTIFICATIONS = {
    "notice": ("Notice", "Why the report is as short as it is."),
    ProblemKind.PARSE: ("ParseError", "Part of a file could not be parsed."),
    ProblemKind.UNRESOLVED: ("Unresolved", "A name or call could not be resolved."),
    ProblemKind.LIMIT: ("LimitReached", "A limit on the analysis was reached."),
    ProblemKind.IO: ("FileNotRead", "A file could not be read."),
    ProblemKind.CONFIG: ("BadSetting", "A setting could not be used."),
    ProblemKind.CRASH: ("Crash", "vmfdlint failed on a file."),
}


def rule_descriptor(rule: RuleDoc, weaknesses: Sequence[int]) -> Json:
    """A reportingDescriptor. ``weaknesses`` is the order of the CWE taxonomy."""
    why = one_line(rule.why)
    about_code = rule.family != _COMMENTS
    tags = ["security", "reliability", "kvm", rule.family] if about_code else ["maintainability", rule.family]
    tags += [f"external/cwe/cwe-{number}" for number in rule.cwe]
    tags += [f"external/cert/{name.lower()}" for name in rule.cert]
    summary = one_line(rule.summary) or rule.name.replace("-", " ").capitalize()
    summary = summary if summary.endswith(".") else summary + "."
    descriptor: Json = {
        "id": rule.id,
        "name": "".join(word.capitalize() for word in rule.name.split("-")),
        "shortDescription": {"text": _cut(summary)},
        "fullDescription": {"text": _cut(why or summary)},
        "help": {"text": _help(rule) or summary, "markdown": rule_markdown(rule)},
        "defaultConfiguration": {"level": str(rule.level)},
        "properties": {
            "tags": tags[:_MOST_TAGS],
            "precision": "high",
            "problem.severity": _PROBLEM_SEVERITY[rule.level],
        }
        | ({"security-severity": _SEVERITY[rule.level]} if about_code else {}),
    }
    if rule.cwe:
        # The tool has no pages of its own; the weakness's page says what kind of fault it is.
        descriptor["helpUri"] = cwe_page(rule.cwe[0])
        descriptor["relationships"] = [
            {
                "target": {
                    "id": f"CWE-{number}",
                    "index": weaknesses.index(number),
                    "toolComponent": {"name": "CWE", "index": 0},
                },
                "kinds": ["relevant"],
            }
            for number in rule.cwe
        ]
    return descriptor


def notification_rules() -> list[Json]:
    """Descriptors of the tool's own difficulties, one a ProblemKind."""
    return [
        {
            "id": f"vmfdlint/{kind}",
            "name": name,
            "shortDescription": {"text": text},
            "fullDescription": {"text": f"{text} Findings may be missing."},
            "help": {"text": "The notification's message says what to do, where something can be done."},
            "defaultConfiguration": {"level": "error" if kind in FATAL else "note"},
        }
        for kind, (name, text) in _NOTIFICATIONS.items()
    ]


def taxonomy(weaknesses: Sequence[int]) -> Json:
    """The CWE entries that rules refer to, as a SARIF taxonomy."""
    return {
        "name": "CWE",
        "version": VERSION,
        "organization": "MITRE",
        "informationUri": "https://cwe.mitre.org/",
        "downloadUri": "https://cwe.mitre.org/data/xml/cwec_latest.xml.zip",
        "shortDescription": {"text": "The MITRE Common Weakness Enumeration."},
        "isComprehensive": False,
        "minimumRequiredLocalizedDataSemanticVersion": VERSION,
        "taxa": [
            {
                "id": f"CWE-{number}",
                "shortDescription": {"text": cwe_name(number) + "."},
                "helpUri": cwe_page(number),
            }
            for number in weaknesses
        ],
    }


def _help(rule: RuleDoc) -> str:
    """What to do, in each language that does it by means of its own: a descriptor serves all files."""
    others = (f"In {name.capitalize()}: {one_line(text)}" for name, text in sorted(rule.fixes.items()))
    return " ".join([one_line(rule.fix), *others])


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."
