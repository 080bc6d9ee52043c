// If, else, short circuit, stored truth, constants on the left, likely().
#define unlikely(x) __builtin_expect(!!(x), 0)

int probe(int vm, int vcpu, const char *name)
{
    int ok = vm >= 0 && vcpu >= 0;
    int is_child;

    if (!ok)
        return -1;
    if (unlikely(vm < 0) || -1 == vcpu) {
        return -EBADF;
    } else if (name && !*name) {
        vm = vcpu;
    } else if (!(vm == 3)) {
        vm = 0;
    }
    is_child = fork() == 0;
    if (is_child)
        _exit(vm & 1 ? 1 : 0);
    if ((vcpu & 4) != 0)
        return vcpu;
    if (0)
        never();
    return vm != vcpu;
}
