"""What each step is in Python: lines of a function's body, for given expressions of the handles."""

import re
from collections.abc import Callable

from tools.differential.plan import Step

Expression = Callable[[str], str]

_VCPU_TOO_HIGH = '1 << 30 if "W3" in os.environ else 7'
_DUP = {
    "dup": "os.dup(FD)",
    "dup2": "os.dup2(FD, NUMBER)",
    "dup3": "os.dup2(FD, NUMBER, inheritable=False)",
    "F_DUPFD": "fcntl.fcntl(FD, fcntl.F_DUPFD, 80)",
    "F_DUPFD_CLOEXEC": "fcntl.fcntl(FD, fcntl.F_DUPFD_CLOEXEC, 3)",
}
_CREATE = {
    "open": ((), 'os.open("/dev/kvm", os.O_RDWR | os.O_CLOEXEC)'),
    "vm": (("kvm",), "fcntl.ioctl({}, KVM_CREATE_VM, 0)"),
    "vcpu": (("vm",), "fcntl.ioctl({}, KVM_CREATE_VCPU, 0)"),
    "stats": (("vm",), "fcntl.ioctl({}, KVM_GET_STATS_FD, 0)"),
    "vcpus": (("vm",), "[fcntl.ioctl({}, KVM_CREATE_VCPU, i + 1) for i in range(2)]"),
    "run": (("vcpu", "kvm"), "mmap.mmap({}, fcntl.ioctl({}, KVM_GET_VCPU_MMAP_SIZE, 0))"),
}
_EXEC = {
    "in place": ['os.execvp("sleep", ["sleep", "60"])'],
    "fork": ["if os.fork() == 0:", '    os.execvp("sleep", ["sleep", "60"])'],
    "system": ['os.system("sleep 60 &")'],
    "popen": ['subprocess.Popen(["sleep", "60"], close_fds=False)'],
    "spawn": ['os.posix_spawnp("sleep", ["sleep", "60"], os.environ)'],
    "closing": ['subprocess.Popen(["sleep", "60"])'],
}
_CLEAR = {
    "setfd": "fcntl.fcntl(FD, fcntl.F_SETFD, 0)",
    "mask": "fcntl.fcntl(FD, fcntl.F_SETFD, fcntl.fcntl(FD, fcntl.F_GETFD) & ~fcntl.FD_CLOEXEC)",
    "fionclex": "os.set_inheritable(FD, True)",
}
_SET = {
    "setfd": "fcntl.fcntl(FD, fcntl.F_SETFD, fcntl.FD_CLOEXEC)",
    "fioclex": "os.set_inheritable(FD, False)",
}
_WAIT = {
    "pause": ["signal.pause()"],
    "poll": ["select.select([], [], [])"],
    "sleep": ["time.sleep(60)"],
    "loop": ["while True:", "    signal.pause()"],
}
_HAND = {
    "other": 'subprocess.Popen(["sleep", "60"], pass_fds=[FD])',
    "same": 'subprocess.Popen(["sleep", "60"], stdin=FD)',
    "action": 'os.posix_spawnp("sleep", ["sleep", "60"], os.environ, '
    "file_actions=[(os.POSIX_SPAWN_DUP2, FD, 100)])",
}
_WORKER = {
    "process": [
        'worker = multiprocessing.get_context("CONTEXT").Process(target=serve)',
        "worker.start()",
        "workers.append(worker)",
    ],
    "pool": [
        'pool = multiprocessing.get_context("CONTEXT").Pool(1)',
        "pool.map(digest, [bytes(8)])",
        "workers.append(pool)",
    ],
    "executor": [
        'pool = ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("CONTEXT"))',
        "pool.submit(digest, bytes(8)).result()",
        "workers.append(pool)",
    ],
}


def body(step: Step, at: Expression) -> list[str]:
    """The lines of a step that needs no other step. ``at`` gives the expression of a handle."""
    op = step.op
    fd = at(step.slots[0]) if step.slots else ""
    if op in _CREATE:
        return _created(step, at)
    if op == "gmem":
        return [
            'memory = bytearray(struct.pack("QQ6Q", 1 << 20, 0, 0, 0, 0, 0, 0, 0))',
            f"{at('gmem')} = fcntl.ioctl({at('vm')}, KVM_CREATE_GUEST_MEMFD, memory)",
        ]
    if op == "dup":
        return [f"{at('copy')} = {_number(step.how, fd, 91)}"]
    if op == "copied":
        return [f"spare = {_number(step.how, fd, 92)}", "os.close(spare)"]
    if op == "move":
        return [f"moved = {_number(step.how, fd, 93)}", f"os.close({fd})", f"{fd} = moved"]
    if op == "replace":
        return [f"old = {fd}", f"{fd} = {_number(step.how, 'old', 93)}", "os.close(old)"]
    if op == "forget":
        return [f"{fd} = -1"]
    if op in ("close", "teardown"):
        return [line for name in step.slots for line in closed(name, at, step.how)]
    if op == "dontfork":
        return [f"{at('run')}.madvise(mmap.MADV_DONTFORK)"]
    if op in ("clear", "set"):
        return [re.sub(r"\bFD\b", fd, (_CLEAR if op == "clear" else _SET)[step.how])]
    if op == "send":
        return ["ends.extend(socket.socketpair())", f'socket.send_fds(ends[0], [b"fd"], [{fd}])']
    if op == "exec":
        return _EXEC[step.how]
    if op == "hand":
        return [re.sub(r"\bFD\b", fd, _HAND[step.how])]
    if op == "wait":
        return _WAIT[step.how or "pause"]
    if op == "leave":
        return ["os._exit(0)"] if step.how == "child" else ["sys.exit(0)"]
    if op == "daemon":
        return ["if os.fork() > 0:", "    os._exit(0)", "os.setsid()", "if os.fork() > 0:", "    os._exit(0)"]
    if op == "background":
        return ["if os.fork() > 0:", "    sys.exit(0)", "os.setsid()"]
    if op == "worker":
        kind, _, context = step.how.partition(" ")
        return [line.replace("CONTEXT", context) for line in _WORKER[kind]]
    if op == "foreign":
        return _foreign(step, at)
    if op == "query":
        return [f"fcntl.ioctl({fd}, KVM_CHECK_EXTENSION, KVM_CAP_NR_VCPUS)"]
    raise ValueError(op)


def _number(how: str, fd: str, number: int) -> str:
    """A duplicate of ``fd``, at this number where the call takes one."""
    return _DUP[how].replace("FD", fd, 1).replace("NUMBER", str(number))


def _created(step: Step, at: Expression) -> list[str]:
    needs, text = _CREATE[step.op]
    place = at("kvm" if step.op == "open" else step.op)
    made = f"{place} = {text.format(*(at(name) for name in needs))}"
    if step.loop:
        return ["while True:", "    try:", f"        {made}", "        break", "    except InterruptedError:",
                "        continue"]  # fmt: skip
    return [made]


def _foreign(step: Step, at: Expression) -> list[str]:
    """An ioctl whose errno is the status of the child."""
    if step.how == "own":
        asked = [
            f"mine = fcntl.ioctl({at('kvm')}, KVM_CREATE_VM, 0)",
            "fcntl.ioctl(mine, KVM_CREATE_VCPU, 0)",
        ]
    else:
        asked = [
            {
                "vcpu": f"fcntl.ioctl({at('vm')}, KVM_CREATE_VCPU, 5)",
                "system": f"fcntl.ioctl({at('kvm')}, KVM_GET_API_VERSION, 0)",
                "mmap size": f"fcntl.ioctl({at('kvm')}, KVM_GET_VCPU_MMAP_SIZE, 0)",
                "slots": f"fcntl.ioctl({at('vm')}, KVM_CHECK_EXTENSION, KVM_CAP_NR_MEMSLOTS)",
            }[step.how]
        ]
    return [
        "try:",
        *(f"    {line}" for line in asked),
        "except OSError as error:",
        "    os._exit(error.errno)",
        "os._exit(0)",
    ]


def closed(name: str, at: Expression, how: str = "") -> list[str]:
    """The lines that release a handle. ``how``: "guarded" where it may not be there, "first": one of two."""
    place = at(name)
    if name == "run":
        lines, test = [f"{place}.close()"], f"if {place} is not None:"
    elif name == "vcpus":
        part = "[:1]" if how == "first" else ""
        lines, test = [f"for each in {place}{part}:", "    os.close(each)"], f"if {place}:"
    else:
        lines, test = [f"os.close({place})"], f"if {place} >= 0:"
    guarded = how == "guarded" or name == "copy"  # it may have been made on some paths only
    return [test, *(f"    {line}" for line in lines)] if guarded else lines


def attempt(how: str, style: int) -> list[str]:
    """A function's body from ``kvm`` to ``vm``, or -1 (style 1) or an exception where W3 is there."""
    release = ["os.close(vm)"] if how == "close" else []
    start = ["vm = fcntl.ioctl(kvm, KVM_CREATE_VM, 0)"]
    vcpu = f"vcpu = fcntl.ioctl(vm, KVM_CREATE_VCPU, {_VCPU_TOO_HIGH})"
    if style % 3 == 0:
        if not release:
            return [*start, vcpu, "os.close(vcpu)", "return vm"]
        return [*start, "try:", f"    {vcpu}", "except OSError:", "    os.close(vm)", "    raise",
                "os.close(vcpu)", "return vm"]  # fmt: skip
    if style % 3 == 1:
        return [*start, "try:", f"    {vcpu}", "except OSError:", *(f"    {line}" for line in release),
                "    return -1", "os.close(vcpu)", "return vm"]  # fmt: skip
    ready = ["ready = False", "try:", f"    {vcpu}", "    os.close(vcpu)", "    ready = True", "finally:"]
    if release:
        return [*start, *ready, "    if not ready:", "        os.close(vm)", "return vm"]
    return [*start, *ready, '    print("made" if ready else "not made")', "return vm"]
