"""A kernel's requests against the models: what the models do not know, or know otherwise, or ahead of it."""

from collections.abc import Iterator

import msgspec

from vmfdlint.models.catalog import Models
from vmfdlint.models.effects_descriptors import Create
from vmfdlint.models.kernel_source import KernelUapi, Origin
from vmfdlint.models.operands import Truth

_STATE = {Truth.YES: "close-on-exec", Truth.NO: "inheritable", Truth.MAYBE: "not known whether close-on-exec"}


class Verdict(msgspec.Struct, frozen=True):
    """One request. ``drift``: the models are to be changed, or the reading of this tree is."""

    request: str
    text: str
    drift: bool = False


def compare(kernel: KernelUapi, models: Models) -> tuple[Verdict, ...]:
    """By request, those that return a descriptor; then what no request leads to, then numbers that differ."""
    modelled = _creating(models)
    verdicts = [
        _verdict(request, kernel, modelled.get(request)) for request in sorted({*modelled, *kernel.origins})
    ]
    verdicts += [
        Verdict(origin.function, f"{_made(origin)}, and no request is known to lead to it", True)
        for origin in kernel.loose
    ]
    return (*verdicts, *_numbers(kernel, models))


def _creating(models: Models) -> dict[str, Truth]:
    """KVM request -> whether its descriptor is close-on-exec."""
    return {
        name: spec.effect.cloexec
        for name, behaviour in models.apis["ioctl"].by_name.items()
        for spec in behaviour.specs
        if isinstance(spec.effect, Create) and name.startswith("KVM_")
    }


def _made(origin: Origin) -> str:
    state, where = _STATE[origin.cloexec], f"{origin.path}:{origin.line}"
    return f"{state} by {origin.maker}({origin.flags}) in {origin.function}() at {where}"


def _verdict(request: str, kernel: KernelUapi, modelled: Truth | None) -> Verdict:
    origins = kernel.origins.get(request, ())
    made = "; ".join(_made(origin) for origin in origins)
    if modelled is None:
        return Verdict(request, f"{made}: the models do not know that it returns a descriptor", True)
    if not origins and request not in kernel.numbers:
        return Verdict(request, "not in this kernel: the models know it from another version")
    if not origins:
        text = "the models say that it returns a descriptor, and no call was found that makes it"
        return Verdict(request, text, True)
    if any(origin.cloexec is Truth.MAYBE for origin in origins):
        return Verdict(request, f"{made}: the models say {_STATE[modelled]}", True)
    if any(origin.cloexec is not modelled for origin in origins):
        return Verdict(request, f"{made}, but the models say {_STATE[modelled]}", True)
    return Verdict(request, f"{made}, as in the models")


def _numbers(kernel: KernelUapi, models: Models) -> Iterator[Verdict]:
    """Requests whose number in the header is another one than in the models."""
    values = {
        each.label.removeprefix("ioctl(").removesuffix(")"): value
        for value, each in models.apis["ioctl"].by_value.items()
    }
    for name, value in sorted(values.items()):
        if name in kernel.numbers and value & 0xFF != kernel.numbers[name]:
            text = f"number {kernel.numbers[name]:#04x} in the header, {value & 0xFF:#04x} in the models"
            yield Verdict(name, text, True)
