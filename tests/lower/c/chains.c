// Assignments inside conditions, chains, commas, variadic arguments, statement expressions.
struct cpu { int kvm_fd; void *run; };
static struct cpu *cpus[4];

int chain(struct cpu *cpu, int n, ...)
{
    va_list ap;
    int fd, r;

    va_start(ap, n);
    if ((fd = open("/dev/kvm", O_RDWR)) < 0)
        return fd;
    cpu->kvm_fd = r = ioctl(fd, KVM_CREATE_VM, va_arg(ap, void *));
    cpus[n] = cpus[0] = cpu;
    while ((r = read(fd, cpu->run, n)) > 0, r != 3)
        n -= r;
    r = ({ int t = dup(fd); if (t < 0) t = -1; t; });
    help(), exit(0);
    return (use(r), fd);
}
