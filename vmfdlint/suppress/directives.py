"""What a comment asks for: ``vmfdlint: ignore[VMFD101] reason``, ``vmfdlint: holds(vm) until=exit reason``,
``# noqa: VMFD101``."""

import re
from collections.abc import Iterator
from difflib import get_close_matches

import msgspec

from vmfdlint.suppress.comments import Comment

IGNORE, FILE, DISABLE, ENABLE, EXPECT = "ignore", "ignore-file", "disable", "enable", "expect"
HOLDS = "holds"
VERBS = (IGNORE, FILE, DISABLE, ENABLE, EXPECT, HOLDS)
MARKS = {"c": (b"vmfdlint:",), "python": (b"vmfdlint:", b"noqa", b"NOQA")}
"""Language -> bytes of which a file with a directive holds one: most files hold none, and are passed over."""

_OWN = re.compile(r"\bvmfdlint:\s*(?P<verb>[a-z-]+)(?:\s*\[(?P<rules>[^\]]*)\])?(?P<rest>.*)", re.DOTALL)
_CLAIM = re.compile(r"\s*\(\s*(?P<holder>[^()\s]+)\s*\)\s*until=(?P<until>[\w.]+)(?P<reason>.*)", re.DOTALL)
_NOQA = re.compile(r"\bnoqa:\s*(?P<codes>[A-Z]+[0-9]+(?:[,\s]+[A-Z]+[0-9]+)*)(?P<rest>.*)", re.IGNORECASE)


class Directive(msgspec.Struct, frozen=True):
    """``rules`` are selectors as written. ``fault`` says what is wrong with the comment, if anything.

    A ``holds`` names a ``holder`` and until when it is meant to be one, and no rule.
    """

    comment: Comment
    verb: str
    rules: tuple[str, ...] = ()
    reason: str = ""
    fault: str = ""
    holder: str = ""
    until: str = ""

    @property
    def text(self) -> str:
        """What it asks for, as it is written."""
        return f"{self.verb}({self.holder})" if self.holder else f"{self.verb}[{', '.join(self.rules)}]"


def directives(comment: Comment, language: str) -> Iterator[Directive]:
    """What one comment asks for, mostly nothing. A word that is like no verb is prose, and no directive."""
    own = _OWN.search(comment.text)
    if own is not None and get_close_matches(own["verb"], VERBS, n=1, cutoff=0.75):
        yield _own(comment, own)
        return
    noqa = _NOQA.search(comment.text) if language == "python" else None
    if noqa is not None:
        codes = re.split(r"[,\s]+", noqa["codes"])
        ours = tuple(code for code in codes if code.upper().startswith("VMFD"))
        if ours:
            # Its form has no place for a reason; that it is of another tool is one.
            yield Directive(comment, IGNORE, ours, " ".join(noqa["rest"].split()) or "noqa")


def _own(comment: Comment, match: re.Match[str]) -> Directive:
    verb = match["verb"]
    if verb not in VERBS:
        near = get_close_matches(verb, VERBS, n=1)[0]
        return Directive(comment, verb, fault=f"there is no {verb!r}: did you mean {near!r}?")
    if verb == HOLDS:
        return _claim(comment, match["rest"])
    rules = tuple(part.strip() for part in (match["rules"] or "").split(",") if part.strip())
    reason = _reason(match["rest"])
    fault = ""
    if not rules:
        fault = f"it names no rule: write {verb}[VMFD101]"
    elif verb in (DISABLE, ENABLE) and any(rule.upper() == "ALL" for rule in rules):
        fault = "a range has to name its rules"
    return Directive(comment, verb, rules, reason, fault)


def _claim(comment: Comment, rest: str) -> Directive:
    found = _CLAIM.match(rest)
    if found is None:
        text = "write holds(vm) until=exit, or until= with the function that releases it"
        return Directive(comment, HOLDS, fault=text)
    reason = _reason(found["reason"])
    return Directive(comment, HOLDS, (), reason, holder=found["holder"], until=found["until"])


def _reason(text: str) -> str:
    return " ".join(text.split()).lstrip(":-– ").strip()
