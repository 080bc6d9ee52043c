"""What is asked of a person: questions at findings, rows that answer them, roots, and the least certainty."""

import json
from pathlib import Path

import pytest

from vmfdlint import app
from vmfdlint.app.models import models_check, models_suggest
from vmfdlint.config import ConfigError

SOURCE = """
void agent_serve(int fd);

int main(void)
{
    int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    int vm = ioctl(kvm, KVM_CREATE_VM, 0);

    if (vm < 0)
        return 1;
    if (fork() == 0) {
        agent_serve(vm);
        _exit(0);
    }
    wait(NULL);
    close(vm);
    return 0;
}
"""
PLUGIN = """
int plugin_start(int kvm)
{
    int vm = ioctl(kvm, KVM_CREATE_VM, 0);

    if (vm < 0)
        return -1;
    return 0;
}
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "vmm.c").write_text(SOURCE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def found(**given: object) -> list[tuple[str, str, str]]:
    options = app.options_for(["."], {"output_format": "json", **given})
    findings = json.loads(app.check(options).report)["findings"]
    return [(one["rule"], one["level"], one["certainty"]) for one in findings]


def test_a_question_names_the_missing_fact(here: Path) -> None:
    report = app.check(app.options_for(["."], {})).report.decode()
    assert "review: what agent_serve() does is not known" in report
    assert 'names = ["agent_serve"]' in report


def test_the_suggested_row_is_right_and_answers(here: Path) -> None:
    assert found() == [("VMFD101", "note", "may")]
    suggested = models_suggest(app.options_for(["."], {})).report.decode()
    assert "# vmm.c:12: a VM descriptor as argument 0" in suggested
    rows = here / "own.toml"
    rows.write_text(suggested)
    assert models_check([str(rows)]).exit_code == 0
    assert found(models=[str(rows)]) == []
    rows.write_text(suggested.replace("effects = []", "effects = [ { linger = {} } ]"))
    assert found(models=[str(rows)]) == [("VMFD101", "error", "must")]


HELPED = """
import fcntl, os, time, vendor

def stop(fd):
    fcntl.ioctl(fd, 0xAE60)
    vendor.close_all(fd)

class Vm:
    def __init__(self):
        self.fd = fcntl.ioctl(os.open("/dev/kvm", os.O_RDWR), 0xAE01, 0)

    def stop(self):
        vendor.attach(self.fd)

def number():
    vm = fcntl.ioctl(os.open("/dev/kvm", os.O_RDWR), 0xAE01, 0)
    stop(vm)

def member():
    vm = Vm()
    vm.stop()

CALL()
time.sleep(10)
"""
GLOBAL = HELPED.replace("CALL()", "vm = Vm()\nvm.stop()\ndel vm")


@pytest.mark.parametrize(
    ("call", "name"), [("number", "vendor.close_all"), ("member", "vendor.attach"), ("", "vendor.attach")]
)
def test_a_callee_that_hands_on_to_an_unknown_function(here: Path, call: str, name: str) -> None:
    (here / "vmm.c").unlink()
    (here / "vm.py").write_text(HELPED.replace("CALL", call) if call else GLOBAL)
    suggested = models_suggest(app.options_for(["."], {})).report.decode()
    assert found() == [] and f'names = ["{name}"]' in suggested
    (here / "own.toml").write_text(suggested)
    assert ("VMFD501", "warning", "must") in found(models=["own.toml"])


def test_nothing_to_suggest(here: Path) -> None:
    (here / "vmm.c").write_text(SOURCE.replace("agent_serve", "close"))
    assert models_suggest(app.options_for(["."], {})).report.startswith(b"# Every function")


def test_least_certainty(here: Path) -> None:
    assert found(min_certainty="must") == []
    (here / "vmfdlint.toml").write_text('min-certainty = "must"\n')
    assert found() == []
    (here / "vmfdlint.toml").write_text('min-certainty = "sure"\n')
    with pytest.raises(ConfigError, match="min-certainty must be"):
        found()


def test_a_root_has_a_caller_outside(here: Path) -> None:
    (here / "plugin.c").write_text(PLUGIN)
    (here / "vmm.c").write_text("int main(void) { return 0; }\n")
    assert found() == [("VMFD501", "note", "may")]
    (here / "own.toml").write_text('[[root]]\nnames = ["plugin_start"]\n')
    assert found(models=["own.toml"]) == [("VMFD501", "warning", "must")]


GENERATED = """
#include "generated.h"

int main(void)
{
    int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    int vm = VENDOR_CREATE(kvm);

    if (vm < 0)
        VENDOR_PANIC("no machine");
    if (fork() == 0) {
        VENDOR_CLOSE_ALL();
        pause();
        _exit(0);
    }
    if (ioctl(vm, KVM_CREATE_IRQCHIP, 0) < 0)
        VENDOR_PANIC("no interrupt controller");
    VENDOR_CLOSE(vm);
    pause();
    return 0;
}
"""
ROWS = {
    "VENDOR_CREATE": """failure = "negative"
effects = [ { create = { kind = "vm", at = "ret", cloexec = "yes" } } ]""",
    "VENDOR_PANIC": "effects = [ { exit = {} } ]",
    "VENDOR_CLOSE_ALL": "effects = [ { close_all = {} } ]",
    "VENDOR_CLOSE": 'effects = [ { close = { fd = "arg 0" } } ]',
}


@pytest.mark.parametrize(
    ("left_out", "rules"),
    [("", []), ("VENDOR_CLOSE_ALL", ["VMFD101"]), ("VENDOR_CREATE", [])],
)
def test_rows_for_macros_of_a_header_that_a_build_makes(here: Path, left_out: str, rules: list[str]) -> None:
    (here / "vmm.c").write_text(GENERATED)
    rows = [f'[[api]]\nnames = ["{name}"]\n{text}\n' for name, text in ROWS.items() if name != left_out]
    (here / "own.toml").write_text("\n".join(rows))
    (here / "vmfdlint.toml").write_text('models = ["own.toml"]\n')
    assert [rule for rule, _level, _certainty in found()] == rules
