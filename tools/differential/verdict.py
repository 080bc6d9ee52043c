"""What was seen of a program, what vmfdlint says of it, and whether both agree.

Each VM that lives on at rest is a hazard of one of a few rules; which, its holders tell: a child, a program
that was executed, the creator itself, or nobody that can be seen.
"""

from collections.abc import Iterable, Sequence
from errno import EIO
from functools import cache

import msgspec

from tools.differential.observe import Run
from tools.evidence.shown import Seen
from vmfdlint.base import SourceText
from vmfdlint.check import match
from vmfdlint.engine import solve
from vmfdlint.finding import Certainty, Finding, Level
from vmfdlint.models import Models, default_models
from vmfdlint.rulebook import Rule, load_rules

CHILD = frozenset({"VMFD101", "VMFD102", "VMFD104", "VMFD105"})
PROGRAM = frozenset({"VMFD302", "VMFD303", "VMFD305", "VMFD306"})
OWN = frozenset({"VMFD201", "VMFD501", "VMFD502", "VMFD505"})
UNSEEN = frozenset({"VMFD202"})
FOREIGN = frozenset({"VMFD106"})
VISIBLE = CHILD | PROGRAM | OWN | UNSEEN | FOREIGN
"""The rules whose hazard an oracle can see in these programs."""


class Verdict(msgspec.Struct, frozen=True):
    """``seen`` are the causes that the oracle saw, each as the rules that may name it; ``found`` the rules
    that vmfdlint reports. ``wrong`` says what does not agree; empty where all does."""

    seen: tuple[frozenset[str], ...]
    found: frozenset[str]
    wrong: tuple[str, ...]


def causes(runs: Iterable[Run], *, kernel: bool, python: bool) -> tuple[frozenset[str], ...]:
    """The causes in all runs. ``kernel``: a real KVM answered the ioctls, so that its EIO counts."""
    found = {each for one in runs for each in _causes(one.seen, kernel, python)}
    return tuple(sorted(found, key=sorted))


def _causes(seen: Seen, kernel: bool, python: bool) -> set[frozenset[str]]:
    found: set[frozenset[str]] = set()
    if kernel and seen.status == EIO:
        found.add(FOREIGN)
    if not seen.left:
        return found
    holders = [holder for holder in seen.holders if not holder.what.startswith("/dev/kvm")]
    child = [holder.what for holder in holders if holder.who == "child"]
    own = [holder.what for holder in holders if holder.who == "creator"]
    others = [holder.what for holder in holders if holder.who not in ("child", "creator")]
    if child:
        found.add(_of_child(child, seen.status is not None, python))
    if own:
        found.add(OWN - {"VMFD502", "VMFD505"} if any(what.startswith("kvm-vm,") for what in own) else OWN)
    if others:
        memory = all(what.startswith("kvm-gmem") for what in others)
        found.add(frozenset({"VMFD306"}) if memory else PROGRAM)
    if not holders:
        found.add(UNSEEN)
    return found


def _of_child(whats: list[str], ended: bool, python: bool) -> frozenset[str]:
    if ended:
        return frozenset({"VMFD104"})
    if all(what.endswith(", mapped") for what in whats):
        return frozenset({"VMFD102"})
    # A mapping of Python has a descriptor of its own beside it, which may be all that is left of it.
    hidden = all(what.startswith("kvm-vcpu,") for what in whats)
    return frozenset({"VMFD101", "VMFD105"} | ({"VMFD102"} if python and hidden else set()))


def compare(seen: Sequence[frozenset[str]], findings: Iterable[Finding], *, kernel: bool) -> Verdict:
    """Every cause is to have a rule that names it, every rule that is found a cause."""
    visible = VISIBLE if kernel else VISIBLE - FOREIGN
    found = frozenset(one.rule for one in findings if one.rule in visible and _real(one))
    alike = [_family(cause) for cause in seen]
    named = frozenset().union(*seen)
    wrong = [
        f"missed: {' or '.join(sorted(cause))}"
        for cause in seen
        if not found & cause and not (found & named & _family(cause))
    ]
    # A message pins while it is queued; where it was taken out, the holder is another.
    allowed = named | UNSEEN if any(cause != FOREIGN for cause in seen) else named
    for rule in sorted(found - allowed):
        other = any(rule in family for family in alike)
        wrong.append(f"{'named otherwise' if other else 'not seen'}: {rule}")
    return Verdict(tuple(seen), found, tuple(wrong))


def _family(cause: frozenset[str]) -> frozenset[str]:
    return next(family for family in (CHILD, PROGRAM, OWN, UNSEEN, FOREIGN) if cause <= family)


def _real(finding: Finding) -> bool:
    """Whether it says that a VM is kept, and not that it would be after one more mistake."""
    latent = finding.rule in PROGRAM and finding.level is not Level.ERROR
    return not (latent and finding.certainty is Certainty.MUST)


@cache
def _knowledge() -> tuple[Models, tuple[Rule, ...], frozenset[str]]:
    rules = load_rules()
    return default_models(), rules, frozenset(rule.doc.id for rule in rules)


def check(files: dict[str, str]) -> tuple[Finding, ...]:
    """What vmfdlint finds in one program."""
    models, rules, every = _knowledge()
    sources = tuple(SourceText(name, text.encode()) for name, text in sorted(files.items()))
    return match(solve(sources, models, 1).solver, rules, every)
