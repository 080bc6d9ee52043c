// Function-like and object-like macros, nested, as statements, as conditions, and one that cannot be read.
#include "macros.h"
struct vm { int fd; };
struct state { struct vm *vm; };
extern struct state thread_state;

int through_macros(struct vm *vm, void *obj)
{
    int vcpu = __vm_ioctl(vm, KVM_CREATE_VCPU, 0);
    int r;

    RETURN_IF_BAD(vcpu);
    VM_OF(obj)->fd = vcpu;
    TFR(r = open("/dev/kvm", O_RDWR));
    if (VALID(r))
        NOTHING(r);
    ENABLE_CAP(vm, KVM_CAP_X, 1, 2);
    current_vm->fd = SELF(r);
    if (FORK() == 0)
        BROKEN(r);
    return current_vm->fd;
}
