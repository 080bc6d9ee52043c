// What runs when a scope is left: by falling out, return, break, continue and goto.
static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

int scoped(int n)
{
    __attribute__((cleanup(close_fd))) int kvm = open("/dev/kvm", O_RDWR);
    g_autofree char *name = g_strdup("vm");

    if (kvm < 0)
        return -errno;
    while (n--) {
        g_autofd int vm = ioctl(kvm, KVM_CREATE_VM, 0);
        if (vm < 0)
            break;
        if (n == 3)
            continue;
        if (n == 4)
            goto out;
        if (n == 5)
            return vm;
        use(vm);
    }
    {
        g_autofd int other = dup(kvm);
    }
out:
    return kvm;
}
