"""A plan -> Python files that run."""

import re

from tools.differential.plan import Plan, Step
from tools.differential.python_ops import attempt, body

_NUMBERS = {
    "KVM_CREATE_VM": "0xAE01",
    "KVM_CREATE_VCPU": "0xAE41",
    "KVM_GET_VCPU_MMAP_SIZE": "0xAE04",
    "KVM_GET_API_VERSION": "0xAE00",
    "KVM_CHECK_EXTENSION": "0xAE03",
    "KVM_CREATE_GUEST_MEMFD": "0xC040AED4",
    "KVM_GET_STATS_FD": "0xAECE",
    "KVM_CAP_NR_VCPUS": "9",
    "KVM_CAP_NR_MEMSLOTS": "10",
}
_MODULES = (
    "fcntl",
    "functools",
    "mmap",
    "multiprocessing",
    "os",
    "pty",
    "select",
    "signal",
    "socket",
    "struct",
    "subprocess",
    "sys",
    "time",
)
_SERVE = ["def serve():", "    signal.pause()", "", ""]
_DIGEST = ["def digest(page):", "    return sum(page)", "", ""]


def emit_python(plan: Plan) -> dict[str, str]:
    """File name -> text."""
    return _Writer(plan).files()


def _indented(lines: list[str], depth: int = 1) -> list[str]:
    return [("    " * depth + line) if line else line for line in lines]


class _Writer:
    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.functions: list[str] = []
        self.names: list[str] = []
        self.methods: list[str] = []
        self.tables: list[str] = []
        self.fields = [name for name in plan.handles if plan.where(name) == "field"]
        self.globals = [name for name in plan.handles if plan.where(name) == "global"]
        self.held = [name for name in plan.handles if plan.where(name) == "container"]
        self.apart = plan.apart and any(step.is_function for step in plan.every)
        self.by_key = plan.style % 2 == 0

    def at(self, name: str) -> str:
        where = self.plan.where(name)
        if where == "field":
            return f"machine.{name}"
        if where == "global":
            return f"state.{name}" if self.apart else name.upper()
        if where == "container":
            return f'held["{name}"]' if self.by_key else f"held[{self.held.index(name)}]"
        return name

    def parameters(self, step: Step) -> list[str]:
        """The names that a function for ``step`` is given."""
        used = (*step.ins, *([step.out] if step.out else []))
        found = ["machine"] if any(name in self.fields for name in used) else []
        found += ["held"] if any(name in self.held for name in used) else []
        return [*found, *(name for name in step.ins if self.plan.where(name) == "local")]

    def lines(self, step: Step) -> list[str]:
        """The statements that do a step where it is called."""
        lines = self._call(step) if step.is_function else self._plain(step)
        if step.op == "attempt":
            stop = _indented(
                ["signal.pause()", "return"] if step.loop else ["while True:", "    signal.pause()"]
            )
            if self.plan.style % 3 == 1:
                lines = [*lines, f"if {self.at('vm')} < 0:", *stop]
            else:
                lines = ["try:", *_indented(lines), "except OSError:", *stop]
        if step.op == "query" and step.loop:
            lines = ["for _ in range(3):", *_indented(lines)]
        if step.when:
            name = step.when.lstrip("!")
            test = f'if "{name}" {"not in" if step.when[0] == "!" else "in"} os.environ:'
            return [test, *_indented(lines)]
        return lines

    def _plain(self, step: Step) -> list[str]:
        return self._fork(step) if step.op == "fork" else body(step, self.at)

    def _fork(self, step: Step) -> list[str]:
        child = [line for each in step.child for line in self.lines(each)]
        start = {"forkpty": "pid, terminal = os.forkpty()"}.get(step.how, "pid = os.fork()")
        lines = [start, "if pid == 0:", *_indented(child), "    os._exit(0)"]
        if step.how == "status":
            lines += ["status[0] = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])"]
        if step.how == "forkpty":
            lines += ["ends.append(terminal)"]
        return ["for _ in range(2):", *_indented(lines)] if step.loop else lines

    def _call(self, step: Step) -> list[str]:
        number = len(self.names)
        parameters = self.parameters(step)
        out = step.out if step.out and (self.plan.where(step.out) == "local" or step.op == "attempt") else ""
        name = f"{step.op}_{number}"
        arguments = ", ".join(parameters)
        declared = arguments
        if step.op == "attempt":
            declared, arguments = "kvm", self.at("kvm")
            lines = attempt(step.how, self.plan.style)
        else:
            lines = [*self._plain(step), *([f"return {out}"] if out else [])]
        if self._is_method(step, parameters):
            return self._method(step, name, declared, lines, out)
        self._function(name, declared, [*self._global(lines), *lines])
        for layer in range(step.depth):
            inner, name = name, f"{step.op}_{number}_{'abcd'[layer]}"
            self._function(name, declared, [f"{'return ' if out else ''}{inner}({declared})"])
        call = self._called(step, name, arguments, bool(out))
        return [f"{self.at(out)} = {call}" if out else call]

    def _is_method(self, step: Step, parameters: list[str]) -> bool:
        return self.plan.style % 4 > 1 and parameters[:1] == ["machine"] and step.op != "attempt"

    def _method(self, step: Step, name: str, declared: str, lines: list[str], out: str) -> list[str]:
        """Steps on a machine as methods of its class."""
        declared = re.sub(r"^machine", "self", declared)
        given = declared.partition(", ")[2]
        lines = [re.sub(r"\bmachine\b", "self", line) for line in [*self._global(lines), *lines]]
        self.names.append(name)
        self.methods += ["", f"def {name}({declared}):", *_indented(lines)]
        for layer in range(step.depth):
            inner, name = name, f"{step.op}_{len(self.names)}_{'abcd'[layer]}"
            call = f"{'return ' if out else ''}self.{inner}({given})"
            self.names.append(name)
            self.methods += ["", f"def {name}({declared}):", f"    {call}"]
        call = self._called(step, f"machine.{name}", given, bool(out))
        return [f"{self.at(out)} = {call}" if out else call]

    def _global(self, lines: list[str]) -> list[str]:
        if self.apart:
            return []
        text = "\n".join(lines)
        names = [name.upper() for name in self.globals]
        written = [name for name in names if re.search(rf"^\s*{name} = ", text, re.M)]
        return [f"global {', '.join(written)}"] if written else []

    def _function(self, name: str, declared: str, lines: list[str]) -> None:
        self.names.append(name)
        self.functions += [f"def {name}({declared}):", *_indented(lines), "", ""]

    def _called(self, step: Step, name: str, arguments: str, out: bool) -> str:
        more = f", {arguments}" if arguments else ""
        if step.callback == 1:
            if "apply" not in self.names:
                self._function("apply", "action, *values", ["return action(*values)"])
            return f"apply({name}{more})"
        if step.callback == 2:
            return f'{{"go": {name}}}["go"]({arguments})'
        if step.callback == 3:
            return (
                f"functools.partial({name}{more})()"
                if self.plan.style % 3
                else f"(lambda: {name}({arguments}))()"
            )
        return f"{name}({arguments})"

    def files(self) -> dict[str, str]:
        plan = self.plan
        lines = [line for step in plan.steps for line in self.lines(step)]
        status = any(step.how == "status" for step in plan.every)
        if status:
            lines.append("sys.exit(status[0])")
        main = ["def main():", *_indented([*self._global(lines), *self._locals(), *lines]), "", ""]
        main += ['if __name__ == "__main__":', "    main()"]
        shared = [f"{name.upper()} = {_nothing(name)}" for name in self.globals]
        text = "\n".join([*lines, *self.functions, *self.methods])
        lists = [f"{name} = []" for name in ("ends", "workers") if re.search(rf"\b{name}\b", text)]
        lists += ["status = [0]"] if status else []
        given = [*(_SERVE if "serve" in text else []), *(_DIGEST if "digest" in text else [])]
        if not self.apart:
            return {
                "main.py": _whole([*shared, *lists], [*given, *self._class(), *self.functions, *main], [])
            }
        files = {
            "steps.py": _whole(
                [], [*given, *self._class(), *self.functions], self._imports("steps", lists, "")
            ),
            "main.py": _whole([], main, self._imports("main", lists, "\n".join(main))),
        }
        if self.globals or lists:
            told = [*(f"{name} = {_nothing(name)}" for name in self.globals), *lists]
            files["state.py"] = "\n".join(told) + "\n"
        return files

    def _imports(self, file: str, lists: list[str], main: str) -> list[str]:
        found = ["import state"] if self.globals else []
        if lists:
            found.append(f"from state import {', '.join(each.partition(' ')[0] for each in lists)}")
        if file == "main":
            names = [name for name in self.names if f"def {name}" not in "\n".join(self.methods)]
            names += ["Machine"] if self.fields else []
            names += [name for name in ("serve", "digest") if re.search(rf"\b{name}\b", main)]
            found.append(f"from steps import {', '.join(names)}")
        return found

    def _class(self) -> list[str]:
        if not self.fields:
            return []
        first = ["def __init__(self):", *(f"    self.{name} = {_nothing(name)}" for name in self.fields)]
        return ["class Machine:", *_indented([*first, *self.methods]), "", ""]

    def _locals(self) -> list[str]:
        lines = ["machine = Machine()"] if self.fields else []
        if self.held and self.by_key:
            pairs = ", ".join(f'"{name}": {_nothing(name)}' for name in self.held)
            lines.append(f"held = {{{pairs}}}")
        elif self.held:
            lines.append(f"held = [{', '.join(_nothing(name) for name in self.held)}]")
        local = [name for name in self.plan.handles if self.plan.where(name) == "local"]
        return [*lines, *(f"{name} = {_nothing(name)}" for name in local)]


def _nothing(name: str) -> str:
    return "None" if name == "run" else "[]" if name == "vcpus" else "-1"


def _whole(shared: list[str], rest: list[str], imports: list[str]) -> str:
    text = "\n".join([*shared, *rest])
    modules = [f"import {name}" for name in _MODULES if re.search(rf"\b{name}\.", text)]
    if "ProcessPoolExecutor" in text:
        modules.append("from concurrent.futures import ProcessPoolExecutor")
    numbers = [f"{name} = {value}" for name, value in _NUMBERS.items() if re.search(rf"\b{name}\b", text)]
    head = [*modules, "", *imports, *([""] if imports else []), *numbers, *shared]
    return re.sub(r"\n{4,}", "\n\n\n", "\n".join([*head, "", "", *rest]).strip() + "\n")
