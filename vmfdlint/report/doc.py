"""A rule's documentation as text, as Markdown and as JSON."""

from collections.abc import Sequence

import msgspec

from vmfdlint.finding import Evidence, Measured, Page, Proof, RuleDoc
from vmfdlint.report.cwe import cwe_name, cwe_page

_LANGUAGES = {"c": "C", "py": "Python"}
_FENCES = {"c": "c", "py": "python"}


def one_line(text: str) -> str:
    """Text wrapped in a TOML file -> one line."""
    return " ".join(text.split())


def rule_markdown(rule: RuleDoc) -> str:
    """The page of one rule: what it flags, why it matters, what to do, what proves it, where to read on."""
    page = rule.page if isinstance(rule.page, Page) else None
    evidence = page.evidence if page and isinstance(page.evidence, Evidence) else Evidence()
    parts = [f"# {rule.id} {rule.name}", f"Level: **{rule.level}**. Family: {rule.family}."]
    parts += [one_line(rule.summary)]
    if page:
        parts += [f"**Flags:** {page.flags}", f"**Does not flag:** {page.spares}"]
    parts += ["## Why it matters", rule.why.strip()] if rule.why.strip() else []
    parts += [f"**Kernels:** {page.kernels}"] if page else []
    parts += ["## What to do", rule.fix.strip()] if rule.fix.strip() else []
    parts += [f"In {language.capitalize()}: {text.strip()}" for language, text in sorted(rule.fixes.items())]
    parts += _examples(evidence)
    parts += _evidence(evidence)
    if page and page.cves:
        parts += ["## Faults of this class in the field", "\n".join(f"- {each}" for each in page.cves)]
    links = [f"- [CWE-{number}: {cwe_name(number)}]({cwe_page(number)})" for number in rule.cwe]
    links += [f"- CERT {name}" for name in rule.cert] + [f"- {ref}" for ref in rule.refs]
    parts += ["## See also", "\n".join(links)] if links else []
    return "\n\n".join(part for part in parts if part) + "\n"


def rules_json(rules: Sequence[RuleDoc]) -> bytes:
    """Everything that is known of the rules, as a JSON array."""
    return msgspec.json.format(msgspec.json.encode(rules), indent=1) + b"\n"


def rule_table(rules: Sequence[RuleDoc]) -> str:
    """One line a rule: id, level, name, summary."""
    width = max((len(rule.name) for rule in rules), default=0)
    lines = (f"{rule.id}  {rule.level:<7}  {rule.name:<{width}}  {one_line(rule.summary)}" for rule in rules)
    return "".join(line.rstrip() + "\n" for line in lines)


def _examples(evidence: Evidence) -> list[str]:
    """The programs that are the example, the wrong one before the right one, by language."""
    parts = []
    for proof in evidence.programs:
        if not proof.text:
            continue
        suffix = proof.program.rpartition(".")[2]
        word = "Right" if proof.clean else "Wrong"
        seen = proof.measured[0].observed if proof.measured else ""
        parts.append(f"### {word}, in {_LANGUAGES[suffix]}")
        parts.append(f"```{_FENCES[suffix]}\n{proof.text.strip()}\n```")
        parts.append(f"{proof.says} Measured: {seen}." if seen else proof.says)
    return parts


def _evidence(evidence: Evidence) -> list[str]:
    parts = []
    if evidence.programs:
        lines = ["| program | what it does | measured | shown by | vmfdlint |", "|---|---|---|---|---|"]
        lines += [_row(proof) for proof in evidence.programs]
        parts += [_when(evidence), "\n".join(lines)]
    if evidence.lines:
        parts += [f"The source of the kernel says it, for {evidence.why}:"]
        parts += ["\n".join(f"- {line}" for line in evidence.lines)]
    return ["## Evidence", *parts] if parts else []


def _when(evidence: Evidence) -> str:
    runs = [run for proof in evidence.programs for run in proof.measured if run.oracle == "kvm"]
    told = sorted({f"Linux {run.kernel} on {run.date}" for run in runs})
    where = f"The real /dev/kvm was that of {', '.join(told)}." if told else "No real /dev/kvm was asked yet."
    return (
        f"Each program of fixtures/programs/evidence was run until all its processes slept. {where} "
        "kvm: the kernel announced whether the VM was destroyed; fifo: a play of /dev/kvm saw the same."
    )


def _row(proof: Proof) -> str:
    shown = sorted({run.oracle for run in proof.measured}, key=("kvm", "fifo").index)
    observed = "; ".join(dict.fromkeys(_seen(run) for run in proof.measured)) or "not yet"
    verdict = "flagged" if proof.found else "clean"
    verdict += f" (known to be wrong: {proof.known})" if proof.known else ""
    by = ", ".join(shown) + (f" ({proof.kernel_only})" if proof.kernel_only else "")
    return f"| {proof.program} | {proof.says} | {observed} | {by} | {verdict} |"


def _seen(run: Measured) -> str:
    return run.observed.replace("|", "\\|")
