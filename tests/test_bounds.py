"""Bounds on the work: what goes when one is reached, and that nothing goes before."""

import msgspec
import pytest

from vmfdlint.base import LIMITS, SourceText
from vmfdlint.engine import solve
from vmfdlint.models import default_models
from vmfdlint.solve import Happening, Life

ONE_OF_TWO_CLOSES = SourceText(
    "vm.c",
    b"""
#include <fcntl.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>
#include <unistd.h>
static void run(int kvm, int early)
{
    int vm = ioctl(kvm, KVM_CREATE_VM, 0);
    if (early)
        close(vm);
    usleep(1);
    if (!early)
        close(vm);
}
int main(int argc, char **argv)
{
    int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    run(kvm, argc > 1);
    pause();
    return 0;
}
""",
)


def lost() -> bool:
    """Whether the VM is said to be lost where main waits."""
    seen = solve((ONE_OF_TWO_CLOSES,), default_models(), 1).solver.observations
    return any(one.what is Happening.LINGER and one.fact.state.life is Life.LOST for one in seen)


def test_conditions_are_remembered_where_few_facts_meet() -> None:
    assert not lost()


def test_conditions_are_forgotten_where_many_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vmfdlint.solve.tables.LIMITS", msgspec.structs.replace(LIMITS, crowd=0))
    assert lost()  # which is wrong, and known to be: one finding too many, and none too few
