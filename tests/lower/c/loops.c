// Loop macros: with their definition in sight, and without it.
#include "loops.h"
struct vcpu { int fd; struct vcpu *next; };
struct vm { int fd; struct vcpu *first; };

int close_all(struct vm *vm)
{
    struct vcpu *vcpu, *tmp;

    LIST_FOREACH_ITEM(vcpu, vm) {
        if (vcpu->fd < 0)
            continue;
        if (close(vcpu->fd) < 0)
            return -1;
    }
    list_for_each_entry_safe(vcpu, tmp, &vm->vcpus, list)
        free(vcpu);
    WHILE_READY(vm->fd) {
        break;
    }
    return close(vm->fd);
}
