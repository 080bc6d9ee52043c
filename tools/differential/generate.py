"""Seeds -> plans, spread over rules and constructs: the emptiest cells are filled first."""

from collections import Counter
from collections.abc import Iterator
from random import Random

import msgspec

from tools.differential.plan import CONSTRUCTS, Language, Plan, Step, Where, constructs
from tools.differential.themes import ONLY, THEMES, Draft

_FREE = ("create", "close")
_ASKED = 7
"""Constructs that each program is asked to have; what its theme brings along counts too."""
_PLACES: tuple[Where, ...] = ("field", "global", "container")
_ALONE = frozenset({"wait", "leave", "nothing", "daemon", "background"})
"""Steps that stay where they are: they end the caller or have nothing to wrap."""


def rules(language: Language) -> tuple[str, ...]:
    """The rules that programs of a language are made for."""
    return tuple(rule for rule in THEMES if ONLY.get(rule, language) == language)


def plans(seed: int, count: int, language: Language) -> Iterator[Plan]:
    """``count`` plans; the same for the same numbers."""
    cells: Counter[tuple[str, str]] = Counter()
    made: Counter[str] = Counter()
    random = Random(f"{seed} {language}")
    names = rules(language)
    for number in range(count):
        rule = min(names, key=lambda name: (min(cells[name, each] for each in CONSTRUCTS), made[name]))
        order = [name for name in CONSTRUCTS if name not in _FREE]
        random.shuffle(order)
        order.sort(key=lambda name: cells[rule, name])
        plan = make(seed * 1_000_000 + number, rule, language, order[:_ASKED])
        made[rule] += 1
        cells.update((rule, name) for name in constructs(plan))
        yield plan


def make(seed: int, rule: str, language: Language, asked: list[str]) -> Plan:
    """One plan for a rule with the constructs that are asked for, where they fit."""
    random = Random(f"{seed} {rule} {language}")
    draft = Draft(random, language, asked)
    THEMES[rule](draft)
    steps = [step for step in draft.steps if step.op != "nothing"]
    steps = _wrapped(steps, random, asked)
    plan = Plan(seed, rule, language, tuple(steps), style=random.randrange(12))
    places: dict[str, Where] = {}
    wanted = [place for place in _PLACES if place in asked]
    for name in plan.handles:
        if wanted and random.random() < 0.75:
            places[name] = random.choice(wanted)
    return msgspec.structs.replace(plan, places=places, apart="files" in asked)


def _wrapped(steps: list[Step], random: Random, asked: list[str]) -> list[Step]:
    """Wrappers and callbacks around some of the steps, with preference for those that matter."""
    able = [at for at, step in enumerate(steps) if step.op not in _ALONE and step.op != "open"]
    random.shuffle(able)
    depths = [int(name[-1]) for name in asked if name.startswith("wrapper")]
    if not depths and "files" in asked:
        depths = [1]
    for depth in depths:
        if able:
            at = able.pop()
            steps[at] = msgspec.structs.replace(steps[at], depth=depth)
    if "callback" in asked:
        at = random.choice([at for at, step in enumerate(steps) if step.op not in _ALONE])
        steps[at] = msgspec.structs.replace(steps[at], callback=random.randint(1, 3))
    return steps
