"""What each step is in C: lines of a function's body, for given expressions of the handles."""

import re
from collections.abc import Callable

from tools.differential.plan import Step

Expression = Callable[[str], str]

_VCPU_TOO_HIGH = 'getenv("W3") != NULL ? 1 << 30 : 7'

_SEND = """\
char byte = 0;
struct iovec data = { &byte, 1 };
union {
    struct cmsghdr align;
    char room[CMSG_SPACE(sizeof(int))];
} control = { 0 };
struct msghdr message = {
    .msg_iov = &data, .msg_iovlen = 1,
    .msg_control = control.room, .msg_controllen = sizeof(control.room),
};
struct cmsghdr *header = CMSG_FIRSTHDR(&message);

header->cmsg_level = SOL_SOCKET;
header->cmsg_type = SCM_RIGHTS;
header->cmsg_len = CMSG_LEN(sizeof(int));
memcpy(CMSG_DATA(header), &FD, sizeof(int));
if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0 || sendmsg(ends[0], &message, 0) < 0)
    exit(1);"""

_EXEC = {
    "in place": """\
execlp("sleep", "sleep", "60", (char *)NULL);
exit(1);""",
    "fork": """\
pid_t helper = fork();

if (helper < 0)
    exit(1);
if (helper == 0) {
    execlp("sleep", "sleep", "60", (char *)NULL);
    _exit(127);
}""",
    "system": """\
if (system("sleep 60 &") != 0)
    exit(1);""",
    "popen": """\
if (popen("sleep 60", "r") == NULL)
    exit(1);""",
    "spawn": """\
char *arguments[] = { "sleep", "60", NULL };
pid_t helper;

if (posix_spawnp(&helper, "sleep", NULL, NULL, arguments, environ) != 0)
    exit(1);""",
}
_HAND = """\
char *arguments[] = { "sleep", "60", NULL };
posix_spawn_file_actions_t actions;
pid_t helper;

posix_spawn_file_actions_init(&actions);
posix_spawn_file_actions_adddup2(&actions, FD, TARGET);
if (posix_spawnp(&helper, "sleep", &actions, NULL, arguments, environ) != 0)
    exit(1);
posix_spawn_file_actions_destroy(&actions);"""

_DUP = {
    "dup": "dup(FD)",
    "dup2": "dup2(FD, NUMBER)",
    "dup3": "dup3(FD, NUMBER, O_CLOEXEC)",
    "F_DUPFD": "fcntl(FD, F_DUPFD, 80)",
    "F_DUPFD_CLOEXEC": "fcntl(FD, F_DUPFD_CLOEXEC, 3)",
}
_CREATE = {
    "vm": "ioctl(FD, KVM_CREATE_VM, 0)",
    "vcpu": "ioctl(FD, KVM_CREATE_VCPU, 0)",
    "stats": "ioctl(FD, KVM_GET_STATS_FD, NULL)",
}
_CLEAR = {
    "setfd": "fcntl(FD, F_SETFD, 0);",
    "mask": "fcntl(FD, F_SETFD, fcntl(FD, F_GETFD) & ~FD_CLOEXEC);",
    "fionclex": "ioctl(FD, FIONCLEX);",
}
_SET = {"setfd": "fcntl(FD, F_SETFD, FD_CLOEXEC);", "fioclex": "ioctl(FD, FIOCLEX);"}
_WAIT = {
    "pause": "pause();",
    "poll": "poll(NULL, 0, -1);",
    "sleep": "sleep(60);",
    "loop": "for (;;)\n    pause();",
}


def body(step: Step, at: Expression) -> list[str]:
    """The lines of a step that needs no other step. ``at`` gives the expression of a handle."""
    fd = at(step.slots[0]) if step.slots else ""
    text = _text(step, at, fd)
    return (re.sub(r"\bFD\b", fd, text) if fd else text).splitlines()


def _text(step: Step, at: Expression, fd: str) -> str:
    op = step.op
    if op in _CREATE:
        return _created(step, at)
    if op == "open":
        return f'{at("kvm")} = open("/dev/kvm", O_RDWR | O_CLOEXEC);\nif ({at("kvm")} < 0)\n    exit(1);'
    if op == "run":
        return (
            f"run_size = ioctl({at('kvm')}, KVM_GET_VCPU_MMAP_SIZE, 0);\n"
            f"{at('run')} = mmap(NULL, run_size, PROT_READ | PROT_WRITE, MAP_SHARED, {at('vcpu')}, 0);\n"
            f"if ({at('run')} == MAP_FAILED)\n    exit(1);"
        )
    if op == "vcpus":
        return (
            "for (int i = 0; i < 2; i++) {\n"
            f"    {at('vcpus')}[i] = ioctl({at('vm')}, KVM_CREATE_VCPU, i + 1);\n"
            f"    if ({at('vcpus')}[i] < 0)\n        exit(1);\n}}"
        )
    if op == "gmem":
        return (
            "struct kvm_create_guest_memfd memory = { .size = 1 << 20 };\n\n"
            f"{at('gmem')} = ioctl({at('vm')}, KVM_CREATE_GUEST_MEMFD, &memory);\n"
            f"if ({at('gmem')} < 0)\n    exit(1);"
        )
    if op == "dup":
        return f"{at('copy')} = {_number(step.how, fd, 91)};\nif ({at('copy')} < 0)\n    exit(1);"
    if op == "copied":
        return f"int spare = {_number(step.how, fd, 92)};\n\nif (spare < 0)\n    exit(1);\nclose(spare);"
    if op == "move":
        made = _number(step.how, fd, 93)
        return f"int moved = {made};\n\nif (moved < 0)\n    exit(1);\nclose({fd});\n{fd} = moved;"
    if op == "replace":
        made = _number(step.how, "old", 93)
        return f"int old = {fd};\n\n{fd} = {made};\nif ({fd} < 0)\n    exit(1);\nclose(old);"
    if op == "forget":
        return f"{fd} = -1;"
    if op in ("close", "teardown"):
        return "\n".join(line for name in step.slots for line in closed(name, at, step.how))
    if op == "partial":
        return f"munmap({at('run')}, 4096);"
    if op == "dontfork":
        size = "4096" if step.how == "first" else "run_size"
        return f"madvise({at('run')}, {size}, MADV_DONTFORK);"
    if op == "clear":
        return _CLEAR[step.how]
    if op == "set":
        return _SET[step.how]
    if op == "send":
        return _SEND
    if op == "exec":
        return _EXEC[step.how]
    if op == "hand":
        return _HAND.replace("TARGET", "FD" if step.how == "same" else "100")
    if op == "wait":
        return _WAIT[step.how or "pause"]
    if op == "leave":
        return "_exit(0);" if step.how == "child" else "exit(0);"
    if op == "daemon":
        return "if (daemon(1, 1) < 0)\n    exit(1);"
    if op == "background":
        return "pid_t pid = fork();\n\nif (pid < 0)\n    exit(1);\nif (pid > 0)\n    exit(0);\nsetsid();"
    if op == "foreign":
        return _foreign(step, at)
    if op == "query":
        return f"ioctl({fd}, KVM_CHECK_EXTENSION, KVM_CAP_NR_VCPUS);"
    raise ValueError(op)


def _number(how: str, fd: str, number: int) -> str:
    """A duplicate of ``fd``, at this number where the call takes one."""
    return _DUP[how].replace("FD", fd, 1).replace("NUMBER", str(number))


def _created(step: Step, at: Expression) -> str:
    place, asked = at(step.op), at("kvm" if step.op == "vm" else "vm")
    made = f"{place} = {_CREATE[step.op].replace('(FD', '(' + asked)};"
    if step.loop:
        made = f"do\n    {made}\nwhile ({place} < 0 && errno == EINTR);"
    return f"{made}\nif ({place} < 0)\n    exit(1);"


def _foreign(step: Step, at: Expression) -> str:
    """An ioctl whose errno is the status of the child."""
    if step.how == "own":
        return (
            f"int mine = ioctl({at('kvm')}, KVM_CREATE_VM, 0);\n\n"
            "_exit(ioctl(mine, KVM_CREATE_VCPU, 0) < 0 ? errno : 0);"
        )
    asked = {
        "vcpu": f"ioctl({at('vm')}, KVM_CREATE_VCPU, 5)",
        "system": f"ioctl({at('kvm')}, KVM_GET_API_VERSION, 0)",
        "mmap size": f"ioctl({at('kvm')}, KVM_GET_VCPU_MMAP_SIZE, 0)",
        "slots": f"ioctl({at('vm')}, KVM_CHECK_EXTENSION, KVM_CAP_NR_MEMSLOTS)",
    }[step.how]
    return f"_exit({asked} < 0 ? errno : 0);"


def closed(name: str, at: Expression, how: str = "") -> list[str]:
    """The lines that release a handle. ``how``: "guarded" where it may not be there, "first": one of two."""
    place = at(name)
    if name == "run":
        lines = [f"munmap({place}, run_size);"]
        test = f"if ({place} != MAP_FAILED)"
    elif name == "vcpus":
        last = "1" if how == "first" else "2"
        lines = [f"for (int i = 0; i < {last}; i++)", f"    close({place}[i]);"]
        test = f"if ({place}[0] >= 0)"
    else:
        lines = [f"close({place});"]
        test = f"if ({place} >= 0)"
    guarded = how == "guarded" or name == "copy"  # it may have been made on some paths only
    return [test, *(f"    {line}" for line in lines)] if guarded else lines


def attempt(how: str, style: int) -> list[str]:
    """A function's body from ``kvm`` to ``vm``, or -1 where W3 is there: its vCPU cannot be made then.
    ``how`` says whether the VM is closed on that path: "close" or "leak"."""
    release = ["close(vm);"] if how == "close" else []
    start = [
        "int vcpu;",
        "int vm = ioctl(kvm, KVM_CREATE_VM, 0);",
        "",
        "if (vm < 0)",
        "    exit(1);",
        f"vcpu = ioctl(vm, KVM_CREATE_VCPU, {_VCPU_TOO_HIGH});",
    ]
    if style % 3 == 0:
        return [*start, "if (vcpu < 0)", "    goto fail;", "close(vcpu);", "return vm;", "", "fail:",
                *release, "return -1;"]  # fmt: skip
    if style % 3 == 1:
        return [*start, "if (vcpu < 0) {", *(f"    {line}" for line in release), "    return -1;", "}",
                "close(vcpu);", "return vm;"]  # fmt: skip
    return [*start, "if (vcpu >= 0) {", "    close(vcpu);", "    return vm;", "}", *release, "return -1;"]
