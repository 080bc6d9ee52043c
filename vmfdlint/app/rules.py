"""``rule``: the pages of rules, with what proves them."""

from collections.abc import Sequence

import msgspec

from vmfdlint.app.analysis import rule_docs
from vmfdlint.app.run import Run
from vmfdlint.config import resolve_rules
from vmfdlint.finding import Evidence, Page, RuleDoc
from vmfdlint.report import rule_markdown, rule_table, rules_json
from vmfdlint.rulebook import load_evidence


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
