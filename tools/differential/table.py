"""Results -> how often both agree, by rule and construct, and what disagrees."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from tools.differential.campaign import Result
from tools.differential.plan import CONSTRUCTS, Language, constructs

LANGUAGES: tuple[Language, ...] = ("C", "Python")
Cell = tuple[Language, str, str]
"""A language, the rule that a program was made for, and a construct in it."""


def cells(results: Sequence[Result]) -> dict[Cell, tuple[int, int]]:
    """Each cell's programs: how many agree, of how many. One that could not be run agrees with nothing."""
    every: Counter[Cell] = Counter()
    good: Counter[Cell] = Counter()
    for one in results:
        for construct in constructs(one.plan):
            cell = (one.plan.language, one.plan.rule, construct)
            every[cell] += 1
            good[cell] += one.agrees
    return {cell: (good[cell], count) for cell, count in every.items()}


def text(results: Sequence[Result]) -> str:
    """For people."""
    found = cells(results)
    lines: list[str] = []
    for language in LANGUAGES:
        rules = sorted({rule for one, rule, _ in found if one == language})
        if not rules:
            continue
        lines += ["", f"{language:12}" + "".join(f"{rule.removeprefix('VMFD'):>9}" for rule in rules)]
        for construct in CONSTRUCTS:
            row = [found.get((language, rule, construct)) for rule in rules]
            shown = ["-" if cell is None else f"{cell[0]}/{cell[1]}" for cell in row]
            lines.append(f"{construct:12}" + "".join(f"{each:>9}" for each in shown))
    lines += ["", *(line for one in results if (line := _wrong(one)))]
    for language in LANGUAGES:
        mine = [one for one in results if one.plan.language == language]
        if mine:
            lines.append(f"{language}: {_share(mine)}")
    lines.append(f"all: {_share(results)}")
    return "\n".join(line.rstrip() for line in lines).lstrip("\n") + "\n"


def document(results: Sequence[Result]) -> dict[str, Any]:
    """For programs."""
    return {
        "programs": len(results),
        "agree": sum(one.agrees for one in results),
        "cells": [
            {"language": language, "rule": rule, "construct": construct, "agree": good, "programs": count}
            for (language, rule, construct), (good, count) in sorted(cells(results).items())
        ],
        "disagree": [line for one in results if (line := _wrong(one))],
    }


def _wrong(one: Result) -> str:
    if one.agrees:
        return ""
    what = one.failed or "; ".join(one.verdict.wrong if one.verdict else ())
    return f"{one.plan.language} {one.plan.rule} {one.plan.seed}: {what}"


def _share(results: Sequence[Result]) -> str:
    good = sum(one.agrees for one in results)
    return f"{good} of {len(results)} programs agree ({100 * good / len(results):.1f} %)"
