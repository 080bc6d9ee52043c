"""For each rule, plans that do what it flags or nearly so. Which of both, only the run tells.

A theme puts together what matters for its rule; :mod:`generate` chooses how it is wrapped.
"""

from collections.abc import Callable, Iterable
from random import Random

from tools.differential.plan import HOLDERS, Language, Step

_WAITS = ("pause", "poll", "sleep", "loop")
_DUPS = ("dup", "dup2", "dup3", "F_DUPFD", "F_DUPFD_CLOEXEC")
_SAFE_DUPS = ("dup3", "F_DUPFD_CLOEXEC")
_EXECS = {
    "C": ("in place", "fork", "system", "popen", "spawn"),
    "Python": ("in place", "fork", "system", "popen", "spawn", "closing"),
}


class Draft:
    """A plan in the making: its steps so far, and which holders there may be after them.

    ``asked`` are the constructs that are to come in beside what the theme needs.
    """

    def __init__(self, random: Random, language: Language, asked: Iterable[str]) -> None:
        self.random = random
        self.language = language
        self.asked = set(asked)
        self.steps: list[Step] = []
        self.live: list[str] = []
        self.traceless = False
        """Whether nothing is to keep a number beside the variable that is looked at."""

    def add(self, step: Step) -> None:
        self.steps.append(step)
        if step.op in ("close", "teardown"):
            self.live = [name for name in self.live if name not in step.slots]
        elif step.out in HOLDERS and step.out not in self.live:
            self.live.append(step.out)

    def maybe(self, chance: float = 0.5) -> bool:
        return self.random.random() < chance

    def pick(self, *choices: str) -> str:
        return self.random.choice(choices)

    def wait(self) -> Step:
        return Step("wait", how=self.pick(*_WAITS))

    def exec(self, *, in_place: bool = True) -> Step:
        ways = [way for way in _EXECS[self.language] if in_place or way != "in place"]
        return Step("exec", how=self.pick(*ways))

    def branch(self) -> str:
        """A condition for a step, where one is asked for."""
        if "branch" in self.asked and self.maybe(0.7):
            self.asked.discard("branch")
            return self.pick("W1", "!W1", "W2")
        return ""

    # -- the parts every program has

    def start(self, *handles: str, before: Iterable[Step] = ()) -> None:
        """Opens, makes a VM and ``handles`` of it."""
        self.add(Step("open"))
        self._beside(("fork", "exec"))
        for step in before:
            self.add(step)
        if "error path" in self.asked:
            self.add(Step("attempt", how="close", loop=self.maybe()))
        else:
            self.add(Step("vm", loop="loop" in self.asked and self.maybe()))
        for name in handles:
            self.add(Step(name, loop=name == "vcpu" and "loop" in self.asked and self.maybe()))
        if "mapping" in self.asked and "run" not in handles:
            if "vcpu" not in handles:
                self.add(Step("vcpu"))
            self.add(Step("run"))
        self._beside(("fork", "exec", "dup", "move", "SCM_RIGHTS", "branch", "loop"))

    def finish(self, *kept: str, end: Step | None = None) -> None:
        """Releases all but ``kept`` and waits, or does ``end``."""
        self._beside(("fork", "exec", "dup", "move"))
        names = [name for name in self.live if name not in kept]
        names.sort(key=lambda name: ("run", "vcpu", "vcpus", "stats", "gmem", "copy", "vm").index(name))
        if self.maybe(0.3):
            self.random.shuffle(names)
        if names and self.maybe():
            self.add(Step("teardown", tuple(names)))
        else:
            for name in names:
                self.add(Step("close", (name,)))
        self.add(end or self.wait())

    def _beside(self, kinds: tuple[str, ...]) -> None:
        """Some of what is asked for and harms nothing here."""
        for kind in kinds:
            if kind in ("dup", "move") and "vm" not in self.live:
                continue
            if kind in self.asked and self.maybe(0.6):
                self.asked.discard(kind)
                self.add(self._harmless(kind))

    def _harmless(self, kind: str) -> Step:
        if kind == "fork":
            ends: list[Step] = [Step("leave", how="child")]
            if not self.live:
                ends = [self.wait()]
            elif self.maybe(0.4):
                ends = [Step("teardown", tuple(self.live), "guarded"), self.wait()]
            elif self.maybe(0.4):
                ends = [Step("exec", how="in place")]
            return Step("fork", how=self.pick("", "", "switch"), child=tuple(ends), when=self.branch())
        if kind == "exec":
            return self.exec(in_place=False)
        if kind == "dup":
            return Step("copied", (self._holder(),), self.pick(*_SAFE_DUPS), when=self.branch())
        if kind == "move":
            if self.traceless:
                return Step("replace", ("vm",), "F_DUPFD_CLOEXEC", when=self.branch())
            return Step("move", ("vm",), self.pick(*_SAFE_DUPS), when=self.branch())
        if kind == "SCM_RIGHTS":
            return Step("send", ("kvm",))
        return Step("query", ("kvm",), loop=kind == "loop", when="W1" if kind == "branch" else "")

    def _holder(self) -> str:
        return self.random.choice([name for name in self.live if name not in ("run", "vcpus")])


def _some(draft: Draft) -> list[str]:
    """Some handles of the VM."""
    ways: tuple[list[str], ...] = (
        [],
        ["vcpu"],
        ["vcpu", "run"],
        ["gmem"],
        ["stats"],
        ["vcpus"],
        ["vcpu", "stats"],
    )
    return list(draft.random.choice(ways))


def fork(draft: Draft) -> None:
    """VMFD101: a child is forked, the creator closes all and goes on."""
    handles = _some(draft)
    draft.start(*handles)
    way = draft.pick("stay", "stay", "some", "some", "all", "leave", "exec", "failed", "grandchild")
    child: list[Step] = []
    if way in ("some", "all"):
        closed = [name for name in draft.live if way == "all" or draft.maybe()]
        child = [Step("teardown", tuple(closed), "guarded")] if closed else []
    if way == "leave":
        child.append(Step("leave", how="child"))
    elif way == "exec":
        child.append(Step("exec", how="in place"))
    elif way == "grandchild":
        inner = draft.wait() if draft.maybe() else Step("leave", how="child")
        child.append(Step("fork", child=(inner,)))
        child.append(Step("leave", how="child"))
    else:
        child.append(draft.wait())
    # The terminal's end would end a grandchild.
    how = draft.pick("", "", "switch", *(["forkpty"] if way != "grandchild" else []))
    loop = "loop" in draft.asked and how != "forkpty"
    draft.add(Step("fork", how=how, child=tuple(child), when=draft.branch(), loop=loop))
    draft.finish()


def mapping(draft: Draft) -> None:
    """VMFD102: the child closes descriptors; the mapping it forgets or not."""
    draft.start("vcpu", "run")
    if draft.maybe(0.25):
        draft.add(Step("dontfork", ("run",), when=draft.branch()))
    names = [name for name in draft.live if name != "run" or draft.maybe(0.3)]
    child = (Step("teardown", tuple(names)), draft.wait())
    if draft.maybe(0.15):
        child = (Step("teardown", tuple(names)), Step("leave", how="child"))
    draft.add(Step("fork", how=draft.pick("", "switch"), child=child, when=draft.branch()))
    draft.finish()


def daemon(draft: Draft) -> None:
    """VMFD104: the creator ends, a child goes on."""
    way = draft.pick("exits", "exits", "daemon", "background")
    early = way != "exits" and draft.maybe(0.35)
    draft.start(*_some(draft), before=(Step(way),) if early else ())
    if way == "exits":
        ends = [
            Step("leave", how="child"),
            Step("exec", how="in place"),
            draft.wait(),
            draft.wait(),
            draft.wait(),
        ]
        child = [draft.random.choice(ends)]
        if draft.maybe(0.3):
            child.insert(0, Step("teardown", tuple(draft.live), "guarded"))
        draft.add(Step("fork", child=tuple(child), when=draft.branch()))
        draft.finish(*(draft.live if draft.maybe() else ()), end=Step("leave"))
        return
    when = "" if early else draft.branch()
    if not early:
        draft.add(Step(way, when=when))
    draft.finish(*(draft.live if draft.maybe(0.7) and not early and not when else ()))


def worker(draft: Draft) -> None:
    """VMFD105: a worker process of Python."""
    way = draft.pick("process", "process", "pool", "executor")
    step = Step("worker", how=f"{way} {draft.pick('fork', 'fork', 'spawn')}", when=draft.branch())
    early = draft.maybe(0.25)
    draft.start(*_some(draft), before=(step,) if early else ())
    if not early:
        draft.add(step)
    draft.finish()


def foreign(draft: Draft) -> None:
    """VMFD106: an ioctl in a child."""
    draft.start(*_some(draft))
    asked = draft.pick("vcpu", "vcpu", "slots", "slots", "own", "system", "mmap size")
    status = Step("fork", how="status", child=(Step("foreign", _asks(asked), asked),), when=draft.branch())
    draft.add(status)
    draft.finish(end=Step("nothing"))


def _asks(how: str) -> tuple[str, ...]:
    return ("vm",) if how in ("vcpu", "slots") else ("kvm",)


def copy(draft: Draft) -> None:
    """VMFD201: a duplicate outlives the original, or does not."""
    handles = _some(draft)
    draft.start(*handles)
    slot = draft.pick("vm", "vm", "vcpu") if "vcpu" in handles else "vm"
    early = draft.maybe(0.15)
    draft.add(Step("dup", (slot,), draft.pick(*_DUPS), when=draft.branch()))
    if early:
        draft.add(Step("close", ("copy",), "guarded"))
    kept = () if early or draft.maybe(0.35) else ("copy",)
    if not kept and not early:
        draft.add(Step("close", ("copy",), "guarded", when=draft.branch()))
    draft.finish(*kept)


def send(draft: Draft) -> None:
    """VMFD202: a descriptor is put into a message that nobody takes out."""
    draft.asked.discard("SCM_RIGHTS")
    handles = _some(draft)
    draft.start(*handles)
    choices = ["kvm", "kvm", "vm", "vm", *(name for name in handles if name in ("vcpu", "gmem", "stats"))]
    draft.add(Step("send", (draft.pick(*choices),), when=draft.branch()))
    draft.finish()


def cleared(draft: Draft) -> None:
    """VMFD302: close-on-exec is taken away."""
    handles = _some(draft)
    draft.start(*handles)
    slot = draft.pick("vm", "vm", *(name for name in handles if name in ("vcpu", "stats")))
    run = draft.exec()
    parts = [Step("clear", (slot,), draft.pick("setfd", "mask", "fionclex"), when=draft.branch())]
    way = draft.pick("plain", "plain", "plain", "again", "late", "closed")
    if way == "again":
        parts.append(Step("set", (slot,), draft.pick("setfd", "fioclex")))
    _executed(draft, parts, run, way, slot)


def _executed(draft: Draft, parts: list[Step], run: Step, way: str, slot: str) -> None:
    """``parts``, a program that is executed ("late": before them), and the end."""
    if way == "late" and run.how != "in place":
        parts.insert(0, run)
        for step in parts:
            draft.add(step)
    else:
        for step in parts:
            draft.add(step)
        # A VM is not closed before its handles: a program that is executed is waited for.
        if way == "closed" and (slot != "vm" or draft.live == ["vm"]):
            draft.add(Step("close", (slot,), "guarded"))
        draft.add(run)
    if run.how != "in place":
        draft.finish()


def inheritable(draft: Draft) -> None:
    """VMFD303: a duplicate that an executed program inherits, or not."""
    draft.start(*_some(draft))
    way = draft.pick("plain", "plain", "plain", "late", "closed")
    step = Step(
        "dup", ("vm",), draft.pick("dup", "dup2", "F_DUPFD", "dup3", "F_DUPFD_CLOEXEC"), when=draft.branch()
    )
    _executed(draft, [step], draft.exec(), way, "copy")


def handed(draft: Draft) -> None:
    """VMFD305: a spawn that hands a descriptor on."""
    handles = _some(draft)
    draft.start(*handles)
    choices = ["kvm", "vm", "vm", *(name for name in handles if name in ("vcpu", "stats"))]
    hows = ("other", "same") if draft.language == "C" else ("other", "same", "action")
    way = draft.pick("hand", "hand", "hand", "plain")
    if way == "hand":
        draft.add(Step("hand", (draft.pick(*choices),), draft.pick(*hows), when=draft.branch()))
    else:
        draft.add(draft.exec(in_place=False))
    draft.finish()


def memory(draft: Draft) -> None:
    """VMFD306: a guest_memfd and an executed program."""
    draft.start("gmem", *draft.random.choice(([], ["vcpu"], ["stats"])))
    way = draft.pick("plain", "plain", "set", "closed")
    parts = (
        [Step("set", ("gmem",), draft.pick("setfd", "fioclex"), when=draft.branch())] if way == "set" else []
    )
    _executed(draft, parts, draft.exec(), way, "gmem")


def leaked(draft: Draft) -> None:
    """VMFD501: the last place of a holder is lost, or given up first."""
    draft.traceless = True
    way = draft.pick("overwrite", "overwrite", "forget", "attempt")
    if way == "attempt" or "error path" in draft.asked:
        draft.asked.discard("error path")
        draft.add(Step("open"))
        draft.add(Step("attempt", how=draft.pick("leak", "leak", "close"), loop=draft.maybe()))
        draft.finish()
        return
    draft.start()
    closes = [Step("close", ("vm",))] if draft.maybe(0.4) else []
    for step in closes:
        draft.add(step)
    if way == "overwrite":
        draft.add(Step("vm", when="" if closes else draft.branch()))
    else:
        # In Python the close of nothing raises.
        when = "" if closes or draft.language == "Python" else draft.branch()
        draft.add(Step("forget", ("vm",), when=when))
        if not any(step.when for step in draft.steps[-1:]):
            draft.live = [name for name in draft.live if name != "vm"]
        draft.asked -= {"dup", "move"}  # there may be nothing to copy
    draft.finish()


def remains(draft: Draft) -> None:
    """VMFD502: the VM is closed, something of it not."""
    ways = (["vcpu"], ["vcpu", "run"], ["gmem"], ["stats"], ["vcpus"], ["vcpu", "stats"])
    handles = draft.random.choice(ways)
    draft.start(*handles)
    way = draft.pick("all", "some", "some")
    if way == "all":
        draft.finish()
        return
    if "vcpus" in handles and draft.maybe(0.2):
        draft.add(Step("close", ("vcpus",), "first"))
        draft.finish()
        return
    kept = [name for name in draft.live if name not in ("vm",)]
    left = draft.pick(*kept)
    if when := draft.branch():
        draft.add(Step("close", (left,), when=when))
    draft.finish(left)


def partial(draft: Draft) -> None:
    """VMFD505: a mapping is released in part."""
    draft.start("vcpu", "run")
    if draft.maybe(0.65):
        draft.add(Step("partial", ("run",), when=draft.branch()))
        if draft.maybe(0.7):
            draft.live.remove("run")
    draft.finish()


THEMES: dict[str, Callable[[Draft], None]] = {
    "VMFD101": fork,
    "VMFD102": mapping,
    "VMFD104": daemon,
    "VMFD105": worker,
    "VMFD106": foreign,
    "VMFD201": copy,
    "VMFD202": send,
    "VMFD302": cleared,
    "VMFD303": inheritable,
    "VMFD305": handed,
    "VMFD306": memory,
    "VMFD501": leaked,
    "VMFD502": remains,
    "VMFD505": partial,
}
ONLY: dict[str, Language] = {"VMFD105": "Python", "VMFD505": "C"}
"""Rules that are of one language here: a mapping of Python is released whole or not at all."""
