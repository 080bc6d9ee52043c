"""Everything known about APIs, and the names and numbers that the other rooms look for. Immutable and
picklable.
"""

from collections.abc import Callable
from functools import cached_property

import msgspec

from vmfdlint.ir import Call, Named
from vmfdlint.models.arguments import is_placed, placed
from vmfdlint.models.compiled import (
    Api,
    Behaviour,
    CommandRule,
    Lookup,
    OpenPath,
    PathRule,
    Policy,
    Test,
    TextRule,
)
from vmfdlint.models.effects import (
    FOREIGN,
    Callback,
    Close,
    Copy,
    Create,
    DontFork,
    Duplicate,
    Effect,
    Exit,
    Export,
    Fork,
    Free,
    Grant,
    Keep,
    Linger,
    Map,
    Own,
    PassOn,
    Raise,
    Register,
    Resize,
    SetCloexec,
    Share,
    Spawn,
    Unmap,
    Unshare,
    Use,
    Write,
)

_CHANGES = (
    Close
    | Copy
    | DontFork
    | Duplicate
    | Export
    | Free
    | Keep
    | Map
    | Own
    | PassOn
    | Register
    | Resize
    | SetCloexec
    | Share
    | Unmap
)


def _creates(behaviour: Behaviour) -> bool:
    """Whether a descriptor of interest may come out of it, paths aside."""
    return any(
        isinstance(spec.effect, Create) and spec.effect.kind not in FOREIGN for spec in behaviour.specs
    )


def _receives(behaviour: Behaviour) -> bool:
    """Whether a descriptor of another process may come out of it."""
    return any(isinstance(spec.effect, Create) and spec.effect.kind in FOREIGN for spec in behaviour.specs)


def _tells(behaviour: Behaviour) -> bool:
    """Whether its descriptor is known as a holder by it."""
    return any(isinstance(spec.effect, Use) and spec.effect.kind for spec in behaviour.specs)


def _changes(behaviour: Behaviour) -> bool:
    """Whether it does more to a descriptor or mapping than use it."""
    return any(isinstance(spec.effect, _CHANGES) for spec in behaviour.specs)


class Models(msgspec.Struct, frozen=True, dict=True):
    """Everything known about APIs. Built by load.py, asked by resolve.py and by the rooms that look for
    names.
    """

    apis: dict[str, Api] = {}
    neutral: frozenset[str] = frozenset()
    neutral_prefixes: tuple[str, ...] = ()
    paths: tuple[PathRule, ...] = ()
    constants: dict[str, int] = {}
    roots: frozenset[str] = frozenset()
    """Functions that code outside the tree calls."""
    vm_records: frozenset[str] = frozenset()
    """Structures of the kernel that are a VM or live as long as it: ``kvm``, ``kvm_vcpu``."""
    commands: tuple[CommandRule, ...] = ()
    texts: tuple[TextRule, ...] = ()
    number_readers: frozenset[str] = frozenset()
    """Functions that read a number out of a text, or run over numbers."""
    links: tuple[PathRule, ...] = ()
    """What the links in /proc/PID/fd say of descriptors."""

    def __hash__(self) -> int:
        # Dictionaries have no hash; identity is enough for the caches that key on one loaded set.
        return id(self)

    def ordered(self, call: Call) -> Call:
        """The call with its arguments in the positions its API's signature gives them; the same where the
        API has none."""
        api = self.apis.get(call.target.name) if isinstance(call.target, Named) else None
        if api is None or not api.signature or is_placed(call, api.signature):
            return call
        return placed(call, api.signature)

    def is_root(self, name: str) -> bool:
        """Whether a function is one that code outside the tree calls: by its name, or (``*.handle``) as the
        method it is."""
        return name in self.roots or ("." in name and "*." + name.rpartition(".")[2] in self.roots)

    def is_neutral(self, name: str) -> bool:
        """Whether ``name`` is listed as neutral, itself or by its prefix. A body in the tree says more than
        that.
        """
        return name not in self.apis and (name in self.neutral or name.startswith(self.neutral_prefixes))

    def names_with(self, *effects: type[Effect]) -> frozenset[str]:
        """Effect types -> the APIs that may have one, in any case. Opening a path counts as Create."""
        wanted = (*effects, OpenPath) if Create in effects else effects
        return self._names_where(lambda effect: isinstance(effect, wanted))

    def sealing_names(self) -> frozenset[str]:
        """The APIs that may change close-on-exec of every descriptor: close_range."""
        return self._names_where(lambda effect: isinstance(effect, SetCloexec) and effect.fd is None)

    def joining_names(self) -> frozenset[str]:
        """The APIs that wait for the end of a thread."""
        return self._names_where(lambda effect: isinstance(effect, Linger) and effect.thread is not None)

    def _names_where(self, wanted: Callable[[object], bool]) -> frozenset[str]:
        """The APIs that may have an effect that is ``wanted``, in any case."""
        return frozenset(name for name, effect in self._effects if wanted(effect))

    @cached_property
    def _effects(self) -> tuple[tuple[str, object], ...]:
        """Every effect that an API may have, with its name."""
        return tuple(
            (name, spec.effect)
            for name, api in self.apis.items()
            for each in api.behaviours
            for spec in each.specs
        )

    def speaks(self, text: str) -> bool:
        """Whether a text is one of those to start from, or to follow into a callee."""
        return any(rule.stretch in text and rule.pattern.fullmatch(text) for rule in self.texts)

    def reading_names(self) -> frozenset[str]:
        """The APIs that do something by a text: open a path, build one, run a command, mount."""
        return self._names_where(lambda effect: isinstance(effect, Write | Grant | Lookup))

    def select_names(self) -> frozenset[str]:
        """The APIs whose case an argument picks: ioctl, fcntl, syscall, madvise."""
        return frozenset(name for name, api in self.apis.items() if api.select is not None)

    @cached_property
    def deciding_names(self) -> frozenset[str]:
        """The APIs whose arguments say how a process is made: clone, unshare, g_spawn_async."""
        return frozenset(
            name
            for name, api in self.apis.items()
            for spec in api.base.specs
            if isinstance(spec.effect, Fork | Spawn | Unshare) and (spec.truths or spec.guards)
        )

    def noreturn(self) -> frozenset[str]:
        """The APIs that never return to their caller."""
        return frozenset(
            name
            for name, api in self.apis.items()
            if api.select is None
            and any(isinstance(spec.effect, Exit | Raise) and not spec.guards for spec in api.base.specs)
        )

    def interesting_names(self) -> frozenset[str]:
        """The selecting constants that create a descriptor: KVM_CREATE_VM, KVM_GET_STATS_FD."""
        return self._creating - self.short_names()

    def short_names(self) -> frozenset[str]:
        """The same as some languages write them, without the prefix that tells them from other names:
        CREATE_VM."""
        full = {name for api in self.apis.values() if not api.omits for name in api.by_name}
        return (
            frozenset(
                name.removeprefix(prefix)
                for api in self.apis.values()
                for prefix in api.omits
                for name in self._creating
                if name.startswith(prefix)
            )
            - full
        )

    @cached_property
    def _creating(self) -> frozenset[str]:
        return self._constants(_creates)

    def interesting_values(self) -> frozenset[int]:
        """The numbers of the constants that create a descriptor."""
        return self._numbers(_creates)

    def requests(self) -> dict[str, int]:
        """The same with their names: KVM_CREATE_VM -> 0xAE01."""
        return {
            name: value
            for api in self.apis.values()
            for name, each in api.by_name.items()
            if _creates(each)
            for value, other in api.by_value.items()
            if other == each
        }

    def receiving_names(self) -> frozenset[str]:
        """The APIs, and the constants of selecting ones, by which another process's descriptor comes in."""
        apis = frozenset(name for name, api in self.apis.items() if _receives(api.base))
        return apis | self._constants(_receives)

    def receiving_values(self) -> frozenset[int]:
        """The numbers of those constants."""
        return self._numbers(_receives)

    def thread_names(self) -> frozenset[str]:
        """The APIs that start a thread."""
        return self.running_names("thread")

    def hook_names(self) -> frozenset[str]:
        """The APIs that register a function for every child."""
        return self.running_names("fork")

    def running_names(self, when: str) -> frozenset[str]:
        """The APIs that run a function at such a moment."""
        return frozenset(
            name
            for name, api in self.apis.items()
            for spec in api.base.specs
            if isinstance(spec.effect, Callback) and spec.effect.when == when
        )

    @cached_property
    def kept_callbacks(self) -> dict[str, str]:
        """Members of arguments that hold functions, and when these run: sigaction()'s ``sa_handler``."""
        return {
            spec.effect.function.fields[-1]: spec.effect.when
            for api in self.apis.values()
            for each in api.behaviours
            for spec in each.specs
            if isinstance(spec.effect, Callback) and spec.effect.function.fields
        }

    @cached_property
    def asked(self) -> tuple[frozenset[str], frozenset[str]]:
        """What conditions compare members with: the names of the members, and of the constants."""
        clauses = [
            clause
            for api in self.apis.values()
            for each in api.behaviours
            for spec in each.specs
            for policy, condition in spec.guards
            for clause in condition
            if clause.port.fields and clause.test is Test.EQUAL and policy is Policy.IF_SURE
        ]
        return frozenset(c.port.fields[-1] for c in clauses), frozenset(c.name for c in clauses)

    def telling_names(self) -> frozenset[str]:
        """The selecting constants by which a descriptor is known as a holder, by their full names."""
        return frozenset(
            name
            for api in self.apis.values()
            if not api.omits
            for name, each in api.by_name.items()
            if _tells(each)
        )

    def telling_values(self) -> frozenset[int]:
        """The numbers of those constants."""
        return self._numbers(_tells)

    def changing_names(self) -> frozenset[str]:
        """The selecting constants by which a call does more to a descriptor or mapping than use it."""
        return self._constants(_changes)

    def _constants(self, wanted: Callable[[Behaviour], bool]) -> frozenset[str]:
        """The selecting constants whose case is a wanted one."""
        return frozenset(
            name for api in self.apis.values() for name, each in api.by_name.items() if wanted(each)
        )

    def _numbers(self, wanted: Callable[[Behaviour], bool]) -> frozenset[int]:
        """The numbers of those constants."""
        return frozenset(
            value for api in self.apis.values() for value, each in api.by_value.items() if wanted(each)
        )

    def interesting_paths(self) -> frozenset[str]:
        """Stretches of text that a path of interest contains: ``/dev/kvm``, ``/sys/kernel/debug/kvm``."""
        return frozenset(hint for rule in self.paths for hint in rule.hints)
