"""A rule's documentation as text and as Markdown."""

from collections.abc import Sequence

from vmfdlint.check.finding import RuleDoc
from vmfdlint.report.cwe import cwe_name, cwe_page


def one_line(text: str) -> str:
    """Text wrapped in a TOML file -> one line."""
    return " ".join(text.split())


def rule_markdown(rule: RuleDoc) -> str:
    """The page of one rule: what it flags, why it matters, what to do, where to read on."""
    parts = [f"# {rule.id} {rule.name}", f"Level: **{rule.level}**. Family: {rule.family}."]
    parts += [one_line(rule.summary)]
    parts += ["## Why it matters", rule.why.strip()] if rule.why.strip() else []
    parts += ["## What to do", rule.fix.strip()] if rule.fix.strip() else []
    links = [f"- [CWE-{number}: {cwe_name(number)}]({cwe_page(number)})" for number in rule.cwe]
    links += [f"- CERT {name}" for name in rule.cert] + [f"- {ref}" for ref in rule.refs]
    parts += ["## See also", "\n".join(links)] if links else []
    return "\n\n".join(part for part in parts if part) + "\n"


def rule_table(rules: Sequence[RuleDoc]) -> str:
    """One line a rule: id, level, name, summary."""
    width = max((len(rule.name) for rule in rules), default=0)
    lines = (f"{rule.id}  {rule.level:<7}  {rule.name:<{width}}  {one_line(rule.summary)}" for rule in rules)
    return "".join(line.rstrip() + "\n" for line in lines)
