"""Who holds the VM on a line: a Ledger as text and as JSON."""

import tomllib
from collections.abc import Mapping
from functools import cache

import msgspec

from vmfdlint.base import Span
from vmfdlint.base.location import rules_directory
from vmfdlint.finding import Step
from vmfdlint.held import Holder, Kind, Ledger, Party, Verdict
from vmfdlint.report.context import Context
from vmfdlint.report.words import count, place, printable

SCHEMA = 1
_SHOWN = 3
_NOWHERE = "a place that has no name here"


def why_text(ledger: Ledger, context: Context) -> bytes:
    """A Ledger for people: the verdict, each holder with its path, the calls that would let the VM die."""
    lines = [*_heading(ledger, context), ""]
    said = ""
    for number, holder in enumerate(ledger.holders, 1):
        party = _party(holder, context)
        if party != said:
            lines += [*([""] if said else []), f"{party[0].upper()}{party[1:]}:"]
            said = party
        lines.append(printable(f"  {number}. {_named(ledger, holder, context)}"))
        lines += [f"       {_step(step, context)}" for step in holder.trace]
        if holder.uncertain:
            lines.append(printable(f"     uncertain: {'; '.join(holder.uncertain)}"))
    if ledger.holders:
        lines += ["", "The VM dies here once each of them has ended:"]
        ends = (_end(ledger, holder, context) for holder in ledger.holders)
        lines += [printable(f"  {number}. {end}") for number, end in enumerate(ends, 1)]
    lines += [printable(f"note: {note}") for note in ledger.notes]
    return ("\n".join(lines).rstrip() + "\n").encode("utf-8", "replace")


def why_json(ledger: Ledger, context: Context) -> bytes:
    """A Ledger for programs. ``schema`` numbers the form; ``ends`` says for each holder what would end it."""
    document = {
        "schema": SCHEMA,
        "tool": {"name": "vmfdlint", "version": context.version},
        "root": context.root,
        **msgspec.to_builtins(ledger),
        "text": _verdict(ledger),
        "ends": [_end(ledger, holder, context) for holder in ledger.holders],
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=1) + b"\n"


def _heading(ledger: Ledger, context: Context) -> list[str]:
    inside = f" in {ledger.function}" if ledger.function else ""
    where = f"{context.prefix}{ledger.path}:{ledger.asked}"
    lines = [printable(f"{where}{inside}: {_verdict(ledger)}")]
    at = ledger.at
    if at is not None:
        if at.line != ledger.asked:
            lines.append(f"  nothing is executed on line {ledger.asked} itself: this is about line {at.line}")
        lines.append(printable(f"  {at.line} | {context.line(at.path, at.line).strip()}"))
    if ledger.callers:
        lines.append(printable(f"  reached by: {' -> '.join((*ledger.callers, ledger.function))}"))
    return lines


def _verdict(ledger: Ledger) -> str:
    match ledger.verdict:
        case Verdict.HELD:
            return f"{count(len(ledger.holders), 'reference holds', 'references hold')} the VM here"
        case Verdict.FREE:
            return "nothing holds a VM here"
        case Verdict.UNREACHED:
            return "control never comes here"
        case Verdict.NO_CODE:
            if ledger.function:
                return "nothing is executed here: no code, or code that control never comes to"
            return "no function has code here"


def _named(ledger: Ledger, holder: Holder, context: Context) -> str:
    """``VM descriptor in s->vmfd``."""
    if holder.lost:
        return f"{holder.what} that no variable names any more"
    names = ", ".join(holder.places[:_SHOWN]) or _NOWHERE
    inside = f" of {holder.function}" if holder.function else ""
    waits = f": it {holder.waits} at {_at(holder.waits_at, context)}" if holder.waits else ""
    return f"{holder.what} in {names}{inside}{waits}"


def _step(step: Step, context: Context) -> str:
    child = "[child] " if step.child else ""
    inside = f" in {step.function}" if step.function else ""
    return f"{child}{place(step.at, context)}{printable(f'{inside}: {step.text}')}"


def _party(holder: Holder, context: Context) -> str:
    since = _at(holder.since, context)
    match holder.party:
        case Party.SELF:
            return f"the child forked at {since}, which runs this line" if since else "this process"
        case Party.CREATOR:
            return f"the process that forked at {since}, if it has not let go since"
        case Party.CHILD:
            return f"the child forked at {since}"
        case Party.WORKER:
            return f"the worker process forked by {holder.how} at {since}"
        case Party.PROGRAM:
            return f"the program started by {holder.how} at {since}, which inherits it"
        case Party.RECEIVER:
            return f"whoever gets what is sent at {since}"


def _end(ledger: Ledger, holder: Holder, context: Context) -> str:
    """The call that ends a reference, and who has to make it."""
    since = _at(holder.since, context)
    forked = f" in the child forked at {since}" if since else ""
    match holder.party:
        case Party.PROGRAM:
            return f"the program started at {since} ends, or closes it"
        case Party.RECEIVER:
            return f"whoever gets what is sent at {since} closes it"
        case Party.WORKER:
            return f"the worker process forked at {since} ends"
        case Party.SELF:
            who = forked
        case Party.CREATOR:
            who = f" in the process that forked at {since}"
        case Party.CHILD:
            who = f"{forked}, before {_at(holder.waits_at, context)}"
    if holder.lost:
        told = f"{holder.what} made at {_at(holder.made, context)}"
        return f"the process ends{who}: no call can end it any more ({told})"
    if not holder.places:
        return f"whoever gets it next closes it{who} ({holder.what} made at {_at(holder.made, context)})"
    name = holder.places[0]
    inside = f" in {holder.function}" if holder.function else ""
    if holder.kind is Kind.KEPT:
        return f"{name}{inside} lets go of it{who}"
    name = f"each of {name}" if name.endswith(("[]", "[...]")) else name
    return f"{_words(ledger, context)[holder.kind].format(place=name)}{inside}{who}"


def _at(span: Span | None, context: Context) -> str:
    return place(span, context) if span is not None else ""


def _words(ledger: Ledger, context: Context) -> Mapping[str, str]:
    known = _releases()
    return known.get(context.languages.get(ledger.path, ""), next(iter(known.values())))


@cache
def _releases() -> Mapping[str, Mapping[str, str]]:
    """Language -> how a reference of a kind is let go."""
    return tomllib.loads((rules_directory() / "releases.toml").read_text(encoding="utf-8"))
