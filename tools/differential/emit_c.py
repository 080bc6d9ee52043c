"""A plan -> C files that build and run."""

from tools.differential.c_ops import attempt, body
from tools.differential.plan import Plan, Step

INCLUDES = """\
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <poll.h>
#include <pty.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
"""
_STATS = """\
#ifndef KVM_GET_STATS_FD
#define KVM_GET_STATS_FD _IO(KVMIO, 0xce)
#endif
"""
_GMEM = """\
#ifndef KVM_CREATE_GUEST_MEMFD
struct kvm_create_guest_memfd {
    uint64_t size, flags, reserved[6];
};
#define KVM_CREATE_GUEST_MEMFD _IOWR(KVMIO, 0xd4, struct kvm_create_guest_memfd)
#endif
"""


def emit_c(plan: Plan) -> dict[str, str]:
    """File name -> text."""
    return _Writer(plan).files()


def _indented(lines: list[str], depth: int = 1) -> list[str]:
    return [("    " * depth + line) if line and not line.endswith("fail:") else line for line in lines]


class _Writer:
    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.functions: list[str] = []
        self.prototypes: list[str] = []
        self.tables: list[str] = []
        self.held = [name for name in plan.handles if plan.where(name) == "container"]
        self.fields = [name for name in plan.handles if plan.where(name) == "field"]
        self.globals = [name for name in plan.handles if plan.where(name) == "global"]
        self.apart = plan.apart and any(step.is_function for step in plan.every)
        self.static = "" if self.apart else "static "

    # -- places

    def at(self, name: str) -> str:
        where = self.plan.where(name)
        if where == "field":
            return f"m->{name}"
        if where == "global":
            return f"the_{name}"
        return f"held[{self.held.index(name)}]" if where == "container" else name

    def parameters(self, step: Step) -> list[tuple[str, str]]:
        """Type and name of what a function for ``step`` is given."""
        used = (*step.ins, *([step.out] if step.out else []))
        found: list[tuple[str, str]] = []
        if any(name in self.fields for name in used):
            found.append(("struct machine *", "m"))
        if any(name in self.held for name in used):
            found.append(("int *", "held"))
        for name in used:
            if name == "vcpus" and self.plan.where(name) == "local":
                found.append(("int *", name))
            elif self.plan.where(name) == "local" and name in step.ins:
                found.append((_type(name), name))
        return list(dict.fromkeys(found))

    # -- steps

    def lines(self, step: Step) -> list[str]:
        """The statements that do a step where it is called."""
        lines = self._call(step) if step.is_function else self._plain(step)
        if step.op == "attempt":
            name = self.at("vm")
            after = "pause();" if step.loop else "for (;;)\n        pause();"
            lines = [*lines, f"if ({name} < 0) {{", *f"    {after}".splitlines(), "    exit(0);", "}"]
        if step.op == "query" and step.loop:
            lines = ["for (int i = 0; i < 3; i++)", *_indented(lines)]
        if step.when:
            test = f'getenv("{step.when.lstrip("!")}") {"==" if step.when[0] == "!" else "!="} NULL'
            return [f"if ({test}) {{", *_indented(lines), "}"]
        if step.op in _DECLARE and not step.is_function:
            return ["{", *_indented(lines), "}"]
        return lines

    def _plain(self, step: Step) -> list[str]:
        if step.op == "fork":
            return self._fork(step)
        return body(step, self.at)

    def _fork(self, step: Step) -> list[str]:
        child = [line for each in step.child for line in self.lines(each)]
        start = "forkpty(&terminal, NULL, NULL, NULL)" if step.how == "forkpty" else "fork()"
        lines = ["int terminal;"] if step.how == "forkpty" else []
        lines += [f"pid_t pid = {start};", "", "if (pid < 0)", "    exit(1);"]
        if step.how == "switch":
            lines = ["switch (fork()) {", "case -1:", "    exit(1);", "case 0:", *_indented(child)]
            lines += ["    _exit(0);", "default:", "    break;", "}"]
        else:
            lines += ["if (pid == 0) {", *_indented(child), "    _exit(0);", "}"]
        if step.how == "status":
            lines += ["waitpid(pid, &status, 0);"]
        if step.loop:
            lines = ["for (int i = 0; i < 2; i++) {", *_indented(lines), "}"]
        return lines

    def _call(self, step: Step) -> list[str]:
        number = len(self.prototypes)
        parameters = self.parameters(step)
        out = step.out if step.out and (self.plan.where(step.out) == "local" or step.op == "attempt") else ""
        out = "" if out == "vcpus" else out
        result = _type(out) if out else "void "
        name = f"{step.op.replace(' ', '_')}_{number}"
        arguments = ", ".join(each for _, each in parameters)
        text = self._body(step, out, [each for _, each in parameters])
        declared = ", ".join(kind + each for kind, each in parameters) or "void"
        if step.op == "attempt":
            declared, arguments = "int kvm", self.at("kvm")
        self._function(f"{result}{name}({declared})", text)
        for layer in range(step.depth):
            inner, name = name, f"{step.op}_{number}_{'abcd'[layer]}"
            passed = "kvm" if step.op == "attempt" else arguments
            call = f"{inner}({passed});"
            self._function(f"{result}{name}({declared})", [f"return {call}" if out else call])
        call = self._called(step, name, result, declared, arguments)
        return [f"{self.at(out)} = {call};" if out else f"{call};"]

    def _body(self, step: Step, out: str, parameters: list[str]) -> list[str]:
        if step.op == "attempt":
            return attempt(step.how, self.plan.style)
        lines = self._plain(step)
        if out and out not in parameters:
            lines = [f"{_type(out)}{out} = {'NULL' if out == 'run' else '-1'};", "", *lines]
        return [*lines, f"return {out};"] if out else lines

    def _function(self, head: str, lines: list[str]) -> None:
        self.prototypes.append(f"{head};")
        self.functions.append("\n".join([f"{self.static}{head}", "{", *_indented(lines), "}", ""]))

    def _called(self, step: Step, name: str, result: str, declared: str, arguments: str) -> str:
        number = len(self.prototypes)
        pointer = f"{result}(*NAME)({declared})"
        if step.callback == 1:
            head = f"{result}apply_{number}({pointer.replace('NAME', 'hook')}" + (
                ")" if declared == "void" else f", {declared})"
            )
            passed = "kvm" if step.op == "attempt" else arguments
            self._function(head, [f"{'' if result == 'void ' else 'return '}hook({passed});"])
            return f"apply_{number}({name}{', ' if arguments else ''}{arguments})"
        if step.callback == 2:
            table = f"struct actions_{number} {{\n    {pointer.replace('NAME', 'go')};\n}}"
            self.tables.append(f"static const {table} table_{number} = {{ .go = {name} }};\n")
            return f"table_{number}.go({arguments})"
        if step.callback == 3:
            self.tables.append(f"static {pointer.replace('NAME', f'hook_{number}')} = {name};\n")
            return f"hook_{number}({arguments})"
        return f"{name}({arguments})"

    # -- files

    def files(self) -> dict[str, str]:
        plan = self.plan
        lines = [line for step in plan.steps for line in self.lines(step)]
        status = any(step.how == "status" for step in plan.every)
        main = ["int main(void)", "{", *_indented([*self._locals(), "", *lines])]
        main += [f"    return {'WEXITSTATUS(status)' if status else '0'};", "}", ""]
        shared, own = self._globals(status)
        head = "\n".join([INCLUDES, *self._types()])
        calling = [each for each in self.functions if " apply_" in each.partition("(")[0]]
        if not self.apart:
            parts = [head, shared, own, *self._ordered(), "\n".join(main)]
            return {"main.c": _joined(parts)}
        declared = "\n".join(
            f"extern {line.partition(' = ')[0].rstrip(';')};" for line in shared.splitlines()
        )
        header = ["#pragma once", head, declared, "\n".join(self.prototypes)]
        others = [each for each in self.functions if each not in calling]
        return {
            "main.c": _joined(['#include "machine.h"', own, *self.tables, *calling, "\n".join(main)]),
            "steps.c": _joined(['#include "machine.h"', shared, *others]),
            "machine.h": _joined(header),
        }

    def _ordered(self) -> list[str]:
        """Functions, then the tables with their names: what calls through a table is main alone."""
        if any("table_" in each or "hook_" in each for each in self.functions):
            prototypes = "\n".join(f"static {line}" for line in self.prototypes)
            return [prototypes, *self.tables, *self.functions]
        return [*self.functions, *self.tables]

    def _types(self) -> list[str]:
        found = [_STATS] if "stats" in self.plan.handles else []
        if "gmem" in self.plan.handles:
            found.append(_GMEM)
        if self.fields:
            fields = [f"    {_type(name)}{name}{'[2]' if name == 'vcpus' else ''};" for name in self.fields]
            found.append("\n".join(["struct machine {", *fields, "};", ""]))
        return found

    def _globals(self, status: bool) -> tuple[str, str]:
        static = self.static
        shared = [f"{static}{_declared(name, f'the_{name}')}" for name in self.globals]
        if "run" in self.plan.handles:
            shared.append(f"{static}int run_size;")
        if any(step.op == "send" for step in self.plan.every):
            shared.append(f"{static}int ends[2];")
        if status:
            shared.append(f"{static}int status;")
        return "\n".join(shared), ""

    def _locals(self) -> list[str]:
        lines = []
        if self.fields:
            first = ", ".join(f".{name} = {_nothing(name)}" for name in self.fields)
            lines += [f"struct machine room = {{ {first} }};", "struct machine *m = &room;"]
        if self.held:
            lines.append(f"int held[] = {{ {', '.join('-1' for _ in self.held)} }};")
        lines += [_declared(name, name) for name in self.plan.handles if self.plan.where(name) == "local"]
        return lines


_DECLARE = frozenset(
    ("fork", "exec", "hand", "send", "gmem", "copied", "move", "replace", "background", "foreign")
)
"""Steps that declare variables of their own."""


def _type(name: str) -> str:
    return "void *" if name == "run" else "int "


def _nothing(name: str) -> str:
    return "MAP_FAILED" if name == "run" else "{ -1, -1 }" if name == "vcpus" else "-1"


def _declared(name: str, variable: str) -> str:
    return f"{_type(name)}{variable}{'[2]' if name == 'vcpus' else ''} = {_nothing(name)};"


def _joined(parts: list[str]) -> str:
    return "\n".join(part.rstrip("\n") + "\n" for part in parts if part.strip())
