"""One call, its arguments considered -> what it does to descriptors."""

import msgspec

from vmfdlint.ir import Const, FuncRef, Operand, Place, Text
from vmfdlint.models.catalog import Models
from vmfdlint.models.compiled import Api, Behaviour, Command, OpenDirectory, OpenPath, Policy, Spec
from vmfdlint.models.conditions import Maker, Reader, Situation, command_line, decide
from vmfdlint.models.effects import DIRECTORIES, NAME, Create, Effect, Grant, Kind, Port, Resolved, Truth


def resolve(
    models: Models,
    name: str,
    args: tuple[Operand, ...],
    read: Reader | None = None,
    made: Maker | None = None,
) -> Resolved | None:
    """A call by name -> its effects; None where no row speaks of the name. A neutral name has no effects.

    ``args`` are the operands, constants already propagated where they are known; no operand at all means that
    they were lost to damaged code. ``read`` tells what stands in a member that an argument points to; without
    it a condition on a member is MAYBE and wants nothing; so it is with ``made``, which tells what call an
    argument came from. An effect whose own condition is MAYBE stays in the
    list.
    """
    api = models.apis.get(name)
    if api is None:
        return Resolved(name, ()) if models.is_neutral(name) else None
    wants: set[int] = set()
    behaviour = api.base if api.select is None else _choose(api, args, wants)
    situation = Situation(args, models.constants, read, made)
    effects = []
    for spec in behaviour.specs:
        effect = _settle(spec, situation, models, wants)
        if effect is not None:
            effects.append(effect)
    return Resolved(behaviour.label, tuple(effects), behaviour.failure, tuple(sorted(wants)))


def _choose(api: Api, args: tuple[Operand, ...], wants: set[int]) -> Behaviour:
    """The case the selecting argument picks: by name, by number, by the number without its size bits."""
    index = api.select.arg if api.select is not None else None
    assert index is not None  # the parser of a row allows no other port here
    operand = args[index] if index < len(args) else None
    if isinstance(operand, FuncRef) or (isinstance(operand, Place) and operand.is_global):
        # A macro of a system header that is spelt like a variable, a name of a library: SYS_clone, os.F_OK.
        named = api.by_name.get(operand.name.rpartition(".")[2])
        if named is not None:
            return named
    if not isinstance(operand, Const):
        # Nothing but a constant picks a case, so a caller that knows it says more.
        if operand is not None or not args:
            wants.add(index)
        return api.base
    for each in operand.names:
        if each in api.by_name:
            return api.by_name[each]
    if operand.value is None or (api.prefixes and any(n.startswith(api.prefixes) for n in operand.names)):
        return api.base
    # An int that was read as negative is the same request.
    value = operand.value & 0xFFFFFFFF
    return api.by_value.get(value) or api.by_low_bits.get(value & 0xFFFF) or api.base


def _settle(spec: Spec, at: Situation, models: Models, wants: set[int]) -> Effect | None:
    """One effect with its conditions decided; None where it does not happen in this call."""
    wanted: set[int] = set()
    for policy, condition in spec.guards:
        verdict = decide(condition, at)
        match policy:
            case Policy.WHEN:
                if verdict.truth is Truth.NO:
                    return None
                wanted.update(verdict.wants)
            case Policy.UNLESS:
                if verdict.truth is Truth.YES:
                    return None
            case Policy.IF_SURE:
                if verdict.truth is not Truth.YES:
                    return None
            case Policy.IF_KNOWN:
                if verdict.truth is Truth.MAYBE and decide(condition[:1], at).truth is Truth.YES:
                    wants.update(verdict.wants)
                if verdict.truth is not Truth.YES:
                    return None
    decided: dict[str, Truth] = {}
    for field, condition in spec.truths:
        verdict = decide(condition, at)
        decided[field] = verdict.truth
        wanted.update(verdict.wants)
    effect = msgspec.structs.replace(spec.effect, **decided) if decided else spec.effect
    if isinstance(effect, Command):
        return _run(effect, at, models)
    if not isinstance(effect, OpenPath | OpenDirectory):
        wants.update(wanted)
        return effect
    created = _open(effect, at, models, wants)
    if created is not None:
        # The flags of a file of no interest are of none either.
        wants.update(wanted)
    return created


def _open(effect: OpenPath | OpenDirectory, at: Situation, models: Models, wants: set[int]) -> Create | None:
    index = effect.path.arg
    assert index is not None  # a path is never the result
    path = at.args[index] if index < len(at.args) else None
    base = _directory(effect.base, at)
    if base is not None and not (isinstance(path, Text) and path.value.startswith("/")):
        # What a listing of the directory gave, or any other name in it.
        path = Text(f"{base.rstrip('/')}/{path.value if isinstance(path, Text) else '%s'}")
    if isinstance(path, Text):
        kind = path_kind(models, path.value)
        if kind is None or (kind in DIRECTORIES) is isinstance(effect, OpenPath):
            return None
        name = path.value if isinstance(effect, OpenDirectory) else ""
        return Create(kind, effect.at, effect.cloexec, name=name, owner=effect.owner)
    if isinstance(effect, OpenPath) and not isinstance(path, Const):
        wants.add(index)
    return None


def _directory(base: Port | None, at: Situation) -> str | None:
    """The path of the directory that a relative one starts from, where it is known."""
    if base is None or at.read is None:
        return None
    found = at.read(Port(base.arg, (*base.fields, NAME)))
    return found.value if isinstance(found, Text) else None


def _run(effect: Command, at: Situation, models: Models) -> Grant | None:
    line = command_line(effect.line, at)
    if line is None:
        return None
    return next((rule.grant for rule in models.commands if rule.pattern.search(line.value)), None)


def path_kind(models: Models, text: str) -> Kind | None:
    """What opening this path gives; None for a path of no interest. ``text`` may hold the directives of a
    format.
    """
    return next((rule.kind for rule in models.paths if rule.pattern.fullmatch(text)), None)


def link_kind(models: Models, text: str) -> Kind | None:
    """What a descriptor is whose link in /proc/PID/fd reads so; None for one of no interest."""
    return next((rule.kind for rule in models.links if rule.pattern.fullmatch(text)), None)
