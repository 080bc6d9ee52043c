// What Coccinelle can say of the rules of vmfdlint, along the paths of one function.

// VMFD301: /dev/kvm opened without O_CLOEXEC
@cloexec@
expression FLAGS;
position at;
@@
open("/dev/kvm", FLAGS | O_CLOEXEC)@at

@opened@
expression FLAGS;
position at != cloexec.at;
@@
* open("/dev/kvm", FLAGS)@at

// VMFD101: fork after a VM was made
@forked@
expression VM, KVM;
@@
VM = ioctl(KVM, KVM_CREATE_VM, ...)
... when != close(VM)
* fork()

// VMFD104: daemon() after a VM was made
@daemonized@
expression VM, KVM;
@@
VM = ioctl(KVM, KVM_CREATE_VM, ...)
... when != close(VM)
* daemon(...)

// VMFD201: a copy of the descriptor of a VM
@duplicated@
expression VM, KVM;
@@
VM = ioctl(KVM, KVM_CREATE_VM, ...)
... when != close(VM)
* dup(VM)

// VMFD503: two closes
@twice@
expression VM, KVM;
@@
VM = ioctl(KVM, KVM_CREATE_VM, ...)
... when any
close(VM)
... when != VM = ioctl(...)
* close(VM)

// VMFD504: a request to a VM that is closed
@after@
expression VM, KVM;
@@
VM = ioctl(KVM, KVM_CREATE_VM, ...)
... when any
close(VM)
... when != VM = ioctl(...)
* ioctl(VM, ...)
