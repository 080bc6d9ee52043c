"""Transfer functions of references under no number: a ring or another VM keeps the file."""

from vmfdlint.models import Port, Register
from vmfdlint.solve.facts import Fact, Match, Object, match_path
from vmfdlint.solve.invocation import Invocation, Observe
from vmfdlint.solve.local import hold
from vmfdlint.solve.observe import Happening
from vmfdlint.solve.ports import cell_at, match_port, path_at
from vmfdlint.solve.typestate import State
from vmfdlint.solve.values import POSITIVE, ZERO
from vmfdlint.summary import RESULT

_BEHIND = "->[0]"
"""The step from the number of a keeper to what it keeps."""


def register(fact: Fact, effect: Register, call: Invocation, observe: Observe) -> list[Fact]:
    """The reference that the keeper has from now on, beside the one that goes on."""
    path = path_at(effect.at, call)
    if path is None or fact.object is None or not fact.object.holds_vm or fact.object.is_mapping:
        return []
    if not fact.is_open or fact.object.channel or not match_port(fact, effect.fd, call):
        return []
    made = Object(
        fact.object.kind,
        call.site,
        call.at,
        call.api,
        copy_of=fact.object.original,
        channel=effect.channel,
        ends_with_number=effect.ends_with_number,
    )
    copy = Fact(made, state=State(process=fact.state.process), env=fact.env, fork=fact.fork, via=fact.via)
    copy = hold(copy.knowing(RESULT, ZERO | POSITIVE), path, cell_at(path, call))
    observe(Happening.REGISTER, fact, detail=effect.channel, made=copy)
    return [copy]


def kept_behind(fact: Fact, port: Port, call: Invocation) -> Match | None:
    """Whether the number in ``port`` is that of the keeper of this reference, and takes it along."""
    path = path_at(port, call)
    if path is None or fact.object is None or not fact.object.ends_with_number:
        return None
    return match_path(fact, (*path, _BEHIND), cell_at((*path, _BEHIND), call))
