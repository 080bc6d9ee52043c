"""One effect of a modelled call on one fact: which transfer function it is.

In: a fact before the effect, with the results of the call held under RESULT. Out: the facts after it, and
observations through ``observe``. The transfer functions stand by subject: descriptors, process, mappings,
memory, registry, texts. API names are not known here.
"""

from typing import assert_never

from vmfdlint.ir import Const
from vmfdlint.models import (
    Acquire,
    Callback,
    Close,
    CloseAll,
    Copy,
    Count,
    Create,
    Daemon,
    Defer,
    Discard,
    DontFork,
    Drop,
    Duplicate,
    Effect,
    Entrust,
    Exec,
    Exit,
    Export,
    Expose,
    Fork,
    Free,
    Grant,
    Inside,
    Keep,
    Linger,
    Make,
    Map,
    Migrate,
    Once,
    Own,
    PassOn,
    Raise,
    ReadCloexec,
    Register,
    Release,
    Resize,
    SetCloexec,
    Share,
    Spawn,
    Store,
    Truth,
    Unmap,
    Unshare,
    Use,
    Wipe,
    Worker,
    Write,
)
from vmfdlint.solve import descriptors, mappings, memory, process
from vmfdlint.solve.facts import Fact
from vmfdlint.solve.invocation import Invocation, Observe
from vmfdlint.solve.observe import Happening
from vmfdlint.solve.ports import match_port, operand_of
from vmfdlint.solve.registry import register
from vmfdlint.solve.texts import copied, named, write
from vmfdlint.summary import port_path


def apply(fact: Fact, effect: Effect, call: Invocation, observe: Observe) -> list[Fact]:
    """The facts after one effect."""
    if fact.is_zero:
        return _on_zero(fact, effect, call, observe)
    match effect:
        case Close(fd=fd):
            return descriptors.close(fact, fd, call, observe)
        case CloseAll(first=_, keep=keep):
            kept = (port_path(keep, call.args),) if keep else ()
            return descriptors.close_all(fact, kept, call.site, call.at, observe)
        case SetCloexec(fd=fd, on=on):
            return descriptors.set_cloexec(fact, fd, on, call, observe)
        case ReadCloexec():
            return [descriptors.read_cloexec(fact, effect, call)]
        case Duplicate():
            return descriptors.duplicate(fact, effect, call, observe)
        case Use(fd=fd):
            descriptors.use(fact, match_port(fact, fd, call), effect, call, observe)
            return [fact]
        case PassOn(fd=fd):
            if match_port(fact, fd, call) and fact.is_open:
                observe(Happening.PASS_ON, fact)
            return [fact]
        case Share(fd=fd, channel=channel):
            if match_port(fact, fd, call) and fact.is_open:
                observe(Happening.SHARE, fact, detail=channel)
            return [fact]
        case Register():
            return [fact, *register(fact, effect, call, observe)]
        case Fork():
            return process.fork(fact, effect, call, observe)
        case Worker():
            process.worker(fact, observe)
            return [fact]
        case Daemon():
            return process.daemon(fact, call, observe)
        case Exec():
            return [process.execute(fact, observe)]
        case Spawn(inherits=inherits):
            process.spawn(fact, inherits, observe)
            return [fact]
        case Exit() | Raise():
            process.end(fact, observe)
            return []
        case Unshare():
            return [fact, *process.unshare(fact, call, observe)]
        case Migrate():
            process.migrate(fact, effect, call, observe)
            return [fact]
        case Linger(brief=brief, message=message):
            if fact.is_watched and not brief and not (message and process.hears_once(fact, call)):
                observe(Happening.LINGER, fact)
            return [fact]
        case Map():
            return mappings.map_descriptor(fact, effect, call, observe)
        case Unmap():
            return mappings.unmap(fact, effect, call, observe)
        case Export(of=of, at=at):
            return [mappings.export(fact, of, at, call)]
        case Resize(at=at, length=length):
            return [mappings.resize(fact, at, length, call)]
        case DontFork():
            return mappings.dont_fork(fact, effect, call)
        case Free(pointer=pointer):
            return [memory.free(fact, pointer, call)]
        case Drop(pointer=pointer, early=early):
            path = port_path(pointer, call.args)
            return [memory.drop(fact, path, call.flow, call.sharing, call.at if early else None)]
        case Own():
            return [memory.own(fact, effect, call)]
        case Copy(src=src, at=at, deep=deep):
            fact = memory.filled(fact, at, call)
            return [memory.copy(fact, src, at, call) if not deep else memory.copy_all(fact, src, at, call)]
        case Store(at=at, value=value):
            return [memory.store(fact, at, value, call)]
        case Wipe(at=at):
            return [memory.wipe(fact, at, call)]
        case Keep(value=value):
            return [memory.keep(fact, value, call)]
        case Create() | Callback() | Inside() | Write() | Grant() | Expose() | Acquire() | Release() | Make():
            return [fact]
        case Count() | Discard() | Entrust() | Defer() | Once():
            return [fact]
        case _:
            assert_never(effect)


def _on_zero(fact: Fact, effect: Effect, call: Invocation, observe: Observe) -> list[Fact]:
    match effect:
        case Create(at=at, name=name):
            onward = named(fact, at, name, call) if name else fact
            return [onward, *descriptors.create(fact, effect, call, observe)]
        case Write():
            return [write(fact, effect, call)]
        case Grant(how=how, search=search):
            what = Happening.GRANT_SEARCH if search is Truth.YES else Happening.GRANT
            observe(what, fact, detail=how)
            return [fact]
        case Copy(src=src, at=at):
            source, target = port_path(src, call.args), port_path(at, call.args)
            given = operand_of(src, call)
            if target and len(target) > 1 and isinstance(given, Const) and not src.fields:
                return [fact.knowing(target, given)]
            return [copied(fact, source, target) if source and target else fact]
        case Exit() | Raise():
            return []
        case Wipe(at=at):
            return [memory.wipe(fact, at, call)]
        case Store(at=at):
            path = port_path(at, call.args)
            return [fact.knowing(path, None)] if path else [fact]
        case _:
            return [fact]
