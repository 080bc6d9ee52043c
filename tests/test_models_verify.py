"""``vmfdlint models verify``: the requests of a kernel that return a descriptor, against the models."""

from pathlib import Path

import pytest

from vmfdlint import cli
from vmfdlint.models import NotAKernel, compare, default_models, read_kernel

HEADER = """#define KVMIO 0xAE
#define KVM_CREATE_VM             _IO(KVMIO,   0x01) /* returns a VM fd */
#define KVM_CREATE_VCPU           _IO(KVMIO,   0x41)
#define KVM_GET_STATS_FD  _IO(KVMIO,  0xce)
#define KVM_CREATE_DEVICE	  _IOWR(KVMIO,  0xe0, struct kvm_create_device)
#define KVM_CREATE_GUEST_MEMFD	_IOWR(KVMIO,  0xd4, struct kvm_create_guest_memfd)
"""
MAIN = """/* In a comment: fd = get_unused_fd_flags(0); */
static int create_vcpu_fd(struct kvm_vcpu *vcpu)
{
	char name[8 + 1];

	return anon_inode_getfd(name, &kvm_vcpu_fops, vcpu, O_RDWR | O_CLOEXEC);
}

static int kvm_vm_ioctl_create_vcpu(struct kvm *kvm, u32 id)
{
	return create_vcpu_fd(kvm->last);
}

static int kvm_vm_ioctl_get_stats_fd(struct kvm *kvm)
{
	return FD_ADD(O_CLOEXEC, anon_inode_getfile("kvm-vm-stats", &fops, kvm, O_RDONLY));
}

static int kvm_dev_ioctl_create_vm(unsigned long type)
{
	int fd = get_unused_fd_flags(O_CLOEXEC);

	fd_install(fd, file);
	return fd;
}

static int kvm_ioctl_create_device(struct kvm *kvm,
		struct kvm_create_device *cd)
{
	return anon_inode_getfd(ops->name, &kvm_device_fops, dev,
				O_RDWR | O_CLOEXEC);
}

static long kvm_vm_ioctl(struct file *filp, unsigned int ioctl, unsigned long arg)
{
	switch (ioctl) {
	case KVM_CREATE_VCPU:
		r = kvm_vm_ioctl_create_vcpu(kvm, arg);
		break;
	case KVM_CREATE_DEVICE: {
		r = kvm_ioctl_create_device(kvm, &cd);
		break;
	}
	case KVM_GET_STATS_FD:
		r = kvm_vm_ioctl_get_stats_fd(kvm);
		break;
	case KVM_CREATE_GUEST_MEMFD:
		r = kvm_gmem_create(kvm, &guest_memfd);
		break;
	default:
		r = kvm_arch_vm_ioctl(filp, ioctl, arg);
	}
	return r;
}

static long kvm_dev_ioctl(struct file *filp, unsigned int ioctl, unsigned long arg)
{
	switch (ioctl) {
	case KVM_GET_API_VERSION:
		break;
	case KVM_CREATE_VM:
		r = kvm_dev_ioctl_create_vm(arg);
		break;
	}
	return r;
}
"""
GMEM = """static int __kvm_gmem_create(struct kvm *kvm, loff_t size, u64 flags)
{
	int fd = get_unused_fd_flags(0);

	fd_install(fd, file);
	return fd;
}

int kvm_gmem_create(struct kvm *kvm, struct kvm_create_guest_memfd *args)
{
	return __kvm_gmem_create(kvm, args->size, args->flags);
}
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name, text in {
        "Makefile": "VERSION = 6\nPATCHLEVEL = 18\nSUBLEVEL = 3\n",
        "include/uapi/linux/kvm.h": HEADER,
        "virt/kvm/kvm_main.c": MAIN,
        "virt/kvm/guest_memfd.c": GMEM,
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def drift(tree: Path) -> list[str]:
    verdicts = compare(read_kernel(tree), default_models())
    return [f"{each.request}: {each.text}" for each in verdicts if each.drift]


def change(tree: Path, name: str, old: str, new: str) -> None:
    path = tree / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_a_kernel_as_in_the_models(tree: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    assert cli.run(["models", "verify", "--kernel", str(tree)]) == 0
    out = capsysbinary.readouterr().out.decode()
    lines = {line.split()[1]: line for line in out.splitlines() if line.startswith("ok")}
    assert "inheritable by get_unused_fd_flags(0) in __kvm_gmem_create()" in lines["KVM_CREATE_GUEST_MEMFD"]
    assert "virt/kvm/kvm_main.c:6, as in" in lines["KVM_CREATE_VCPU"]
    assert "close-on-exec by FD_ADD(O_CLOEXEC)" in lines["KVM_GET_STATS_FD"]
    assert "close-on-exec by anon_inode_getfd(O_RDWR | O_CLOEXEC)" in lines["KVM_CREATE_DEVICE"]
    assert "not in this kernel" in lines["KVM_PPC_GET_HTAB_FD"]
    assert out.splitlines()[-1].startswith("Linux 6.18.3: 8 requests") and "no drift" in out


@pytest.mark.parametrize(
    ("name", "old", "new", "words"),
    [
        ("guest_memfd.c", "flags(0)", "flags(O_CLOEXEC)", "close-on-exec by get_unused_fd_flags(O_CLOEXEC)"),
        ("guest_memfd.c", "flags(0)", "flags(extra)", "not known whether close-on-exec"),
        ("kvm_main.c", "vcpu, O_RDWR | O_CLOEXEC", "vcpu, O_RDWR", "KVM_CREATE_VCPU: inheritable"),
        ("kvm_main.c", "return create_vcpu_fd(kvm->last)", "return 0", "create_vcpu_fd: close-on-exec"),
        ("kvm_main.c", "case KVM_GET_API_VERSION:\n\t\tbreak;", "case KVM_NEW_ONE:", "KVM_NEW_ONE: close-on"),
        ("kvm_main.c", "r = kvm_ioctl_create_device(kvm, &cd);", "", "no call was found that makes it"),
    ],
)
def test_drift(tree: Path, name: str, old: str, new: str, words: str) -> None:
    change(tree, f"virt/kvm/{name}", old, new)
    told = drift(tree)
    assert any(words in each for each in told), told


def test_a_number_that_changed(tree: Path) -> None:
    change(tree, "include/uapi/linux/kvm.h", "0x41", "0x42")
    assert drift(tree) == ["KVM_CREATE_VCPU: number 0x42 in the header, 0x41 in the models"]


def test_no_kernel(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(NotAKernel, match=r"include/uapi/linux/kvm\.h"):
        read_kernel(tmp_path)
    assert cli.run(["models", "verify", "--kernel", str(tmp_path)]) == 2
    assert "top directory of a Linux source tree" in capsys.readouterr().err
