"""Rows as written -> models ready for use. Whatever cannot be understood raises RowError with its place in
the text.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from types import UnionType
from typing import Any, get_args

import msgspec

from vmfdlint.models.compiled import (
    Api,
    Behaviour,
    Command,
    CommandRule,
    Condition,
    Lookup,
    OpenDirectory,
    OpenPath,
    PathRule,
    Policy,
    Spec,
    TextRule,
)
from vmfdlint.models.effects import (
    ANSWERS,
    CHANNELS,
    REST,
    Callback,
    Effect,
    Grant,
    Keep,
    Kind,
    Port,
    Sign,
    Truth,
)
from vmfdlint.models.parse import (
    Constants,
    RowError,
    compiles,
    parse_condition,
    parse_port,
    parse_truth,
    suggestion,
)
from vmfdlint.models.schema import ApiRow, CommandRow, EffectTable, LinkRow, PathRow, TextRow
from vmfdlint.models.signature import parse_signature

_MOMENTS = ("now", "once", "each", "discard", "later", "thread", "exit", "signal", "process", "fork")
_KEEPING = ("later", "thread", "exit", "signal")


def _word(name: str) -> str:
    """``CloseAll`` -> ``close_all``."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


EFFECTS: Mapping[str, type[Effect | Lookup]] = {
    **{_word(each.__name__): each for each in get_args(Effect)},
    "open": OpenPath,
    "open_directory": OpenDirectory,
    "command": Command,
}
"""The word of an effect in a row -> its struct. Derived from the sum, so that a new effect has a word at
once.
"""


def compile_specs(tables: Iterable[EffectTable], constants: Constants) -> tuple[Spec, ...]:
    """The effects of a row in order. Raises RowError.

    A callback that runs after the call, in this process, keeps its data: what is given as a number may be
    closed by it alone.
    """
    specs = [_compile_spec(table, constants) for table in tables]
    kept = [
        Spec(Keep(value=_kept(spec.effect.data, spec.effect.spread)), (), spec.guards)
        for spec in specs
        if isinstance(spec.effect, Callback) and spec.effect.data is not None and spec.effect.when in _KEEPING
    ]
    return (*specs, *dict.fromkeys(kept))


def _kept(data: Port, spread: bool) -> Port:
    """Where the data of a callback stands: in a sequence, or (the first of several) in an argument."""
    if spread:
        return Port(data.arg, (*data.fields, "[]"))
    return Port(data.arg) if data.fields == (REST,) else data


def _compile_spec(table: EffectTable, constants: Constants) -> Spec:
    guards: list[tuple[Policy, Condition]] = []
    bodies: list[tuple[str, dict[str, str | bool | int]]] = []
    for word, value in table.items():
        if word in list(Policy):
            if not isinstance(value, str):
                raise RowError(f"'{word}' takes a condition in quotes", word)
            guards.append((Policy(word), parse_condition(value, constants)))
        elif word not in EFFECTS:
            raise RowError(f"unknown effect '{word}'{suggestion(word, [*EFFECTS, *Policy])}", word)
        elif isinstance(value, str):
            raise RowError(f"effect '{word}' takes a table of its fields", word)
        else:
            bodies.append((word, value))
    if len(bodies) != 1:
        raise RowError("an entry of 'effects' holds exactly one effect", next(iter(table), "effects"))
    word, body = bodies[0]
    effect, truths = _compile_effect(word, body, constants)
    return Spec(effect, truths, tuple(guards))


def _compile_effect(
    word: str, body: Mapping[str, str | bool | int], constants: Constants
) -> tuple[Effect | Lookup, tuple[tuple[str, Condition], ...]]:
    fields = {field.name: field for field in msgspec.structs.fields(EFFECTS[word])}
    for name in body:
        if name not in fields:
            raise RowError(f"effect '{word}' has no field '{name}'{suggestion(name, fields)}", name)
    values: dict[str, object] = {}
    truths: list[tuple[str, Condition]] = []
    for name, field in fields.items():
        if name not in body:
            if field.required and not _optional(field.type):
                raise RowError(f"effect '{word}' needs the field '{name}'", word)
            if field.required:
                values[name] = None
            continue
        value = _compile_field(word, name, field.type, body[name], constants)
        if isinstance(value, tuple):
            truths.append((name, value))
            value = Truth.MAYBE
        values[name] = value
    make: Callable[..., Effect | Lookup] = EFFECTS[word]
    return make(**values), tuple(truths)


def _optional(wanted: Any) -> bool:
    return isinstance(wanted, UnionType) and type(None) in get_args(wanted)


def _compile_field(
    word: str, name: str, wanted: Any, value: str | bool | int, constants: Constants
) -> object:
    """The value of one field, by the type its struct declares."""
    if isinstance(wanted, UnionType):
        wanted = next(each for each in get_args(wanted) if each is not type(None))
    if wanted is bool or wanted is int:
        if type(value) is not wanted:
            expected = "true or false" if wanted is bool else "a number"
            raise RowError(f"field '{name}' of '{word}' takes {expected}", name)
        return value
    if not isinstance(value, str):
        raise RowError(f"field '{name}' of '{word}' takes text", name)
    if wanted is Port:
        return parse_port(value)
    if wanted is Truth:
        return parse_truth(value, constants)
    if wanted is Kind:
        if value not in list(Kind):
            raise RowError(f"unknown kind '{value}'{suggestion(value, Kind)}", value)
        return Kind(value)
    if (word, name) == ("callback", "when") and value not in _MOMENTS:
        raise RowError(f"unknown moment '{value}'{suggestion(value, _MOMENTS)}", value)
    if (word, name) == ("count", "gives") and value not in ANSWERS:
        raise RowError(f"unknown answer '{value}'{suggestion(value, ANSWERS)}", value)
    if name == "channel" and value not in CHANNELS:
        raise RowError(f"unknown channel '{value}'{suggestion(value, CHANNELS)}", value)
    return value


def compile_api(row: ApiRow, name: str, constants: Constants) -> Api:
    """One name of a row. Raises RowError."""
    signature = parse_signature(row.signature, constants) if row.signature else ()
    if not row.select:
        if row.case or row.group or row.otherwise or row.prefixes or row.size_bits or row.omits:
            raise RowError("a row with cases needs 'select'", "names")
        return Api(Behaviour(name, compile_specs(row.effects, constants), row.failure), signature=signature)
    if row.effects:
        raise RowError("a row with 'select' says 'otherwise' instead of 'effects'", "effects")
    by_name: dict[str, Behaviour] = {}
    by_value: dict[int, Behaviour] = {}
    for case, behaviour, value in _cases(row, name, constants):
        spellings = [prefix + case for prefix in row.prefixes] or [case]
        for spelling in spellings:
            if spelling in by_name:
                raise RowError(f"case '{spelling}' stands twice", case)
            by_name[spelling] = msgspec.structs.replace(behaviour, label=f"{name}({spelling})")
        if value is not None:
            # Two architectures may share a number where both requests do the same.
            same = by_value.setdefault(value, by_name[spellings[0]])
            if (same.specs, same.failure) != (behaviour.specs, behaviour.failure):
                raise RowError(
                    f"case '{case}' has the number of '{same.label}' and does something else", case
                )
    base = Behaviour(name, compile_specs(row.otherwise, constants), row.failure)
    return Api(
        base,
        select=parse_port(row.select),
        prefixes=tuple(row.prefixes),
        omits=tuple(row.omits),
        size_bits=row.size_bits,
        by_name=_shortened(by_name, row.omits),
        by_value=by_value,
        by_low_bits=_low_bits(by_value) if row.size_bits else {},
        signature=signature,
    )


def _shortened(by_name: Mapping[str, Behaviour], prefixes: Iterable[str]) -> dict[str, Behaviour]:
    """The cases by their names, and by what is left of these without one of the prefixes."""
    short = {
        name.removeprefix(prefix): behaviour
        for prefix in prefixes
        for name, behaviour in by_name.items()
        if name.startswith(prefix)
    }
    return short | dict(by_name)


def like_api(row: ApiRow, name: str, api: Api, constants: Constants) -> Api:
    """One name of a row that does what another one does. Raises RowError."""
    if row.effects or row.select or row.otherwise or row.case or row.group or row.prefixes or row.size_bits:
        raise RowError("a row with 'like' says nothing of effects", "like")

    def renamed(behaviour: Behaviour) -> Behaviour:
        label = name + behaviour.label.removeprefix(api.base.label)
        return msgspec.structs.replace(behaviour, label=label, failure=row.failure)

    return msgspec.structs.replace(
        api,
        base=renamed(api.base),
        omits=tuple(row.omits),
        by_name=_shortened({case: renamed(each) for case, each in api.by_name.items()}, row.omits),
        by_value={number: renamed(each) for number, each in api.by_value.items()},
        by_low_bits={number: renamed(each) for number, each in api.by_low_bits.items()},
        signature=parse_signature(row.signature, constants) if row.signature else (),
    )


def _cases(row: ApiRow, name: str, constants: Constants) -> Iterable[tuple[str, Behaviour, int | None]]:
    """Every case as (constant, what it does, number)."""

    def behaviour(effects: Iterable[EffectTable], failure: Sign | None) -> Behaviour:
        return Behaviour(name, compile_specs(effects, constants), row.failure if failure is None else failure)

    for constant, case in row.case.items():
        yield constant, behaviour(case.effects, case.failure), case.value
    for group in row.group:
        shared = behaviour(group.effects, group.failure)
        for constant, value in group.numbers.items():
            yield constant, shared, value
        for constant in group.names:
            yield constant, shared, None


def _low_bits(by_value: Mapping[int, Behaviour]) -> dict[int, Behaviour]:
    """Low 16 bits -> behaviour, where all numbers that share them do the same."""
    found: dict[int, Behaviour] = {}
    unsure: set[int] = set()
    for value, behaviour in by_value.items():
        low = value & 0xFFFF
        other = found.setdefault(low, behaviour)
        if (other.specs, other.failure) != (behaviour.specs, behaviour.failure):
            unsure.add(low)
    return {low: each for low, each in found.items() if low not in unsure}


def extend_api(api: Api, more: Api) -> Api:
    """The cases of ``more`` added to ``api``; what both name, ``more`` decides."""
    by_value = api.by_value | more.by_value
    return msgspec.structs.replace(
        api,
        by_name=api.by_name | more.by_name,
        by_value=by_value,
        by_low_bits=_low_bits(by_value) if api.size_bits else {},
    )


def compile_path(row: PathRow) -> PathRule:
    """One row of the path table. Raises RowError."""
    if bool(row.path) == bool(row.regex):
        raise RowError("a row of the path table has either 'path' or 'regex'", "path")
    regex = re.escape(row.path) if row.path else compiles(row.regex, "regex")
    return PathRule(row.kind, regex, tuple(row.hints))


def compile_link(row: LinkRow) -> PathRule:
    """One row of the table of links. Raises RowError."""
    return PathRule(row.kind, compiles(row.regex, "regex"), tuple(row.hints))


def compile_command(row: CommandRow) -> CommandRule:
    """One row of the command table. Raises RowError."""
    return CommandRule(compiles(row.regex, "regex"), Grant(row.how, Truth.YES if row.search else Truth.NO))


def compile_text(row: TextRow) -> TextRule:
    """One row of the text table. Raises RowError."""
    return TextRule(row.stretch, compiles(row.regex, "regex"))
