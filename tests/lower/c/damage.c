// What the parser cannot read marks the smallest statement; an unread argument keeps its call.
int damaged(int fd)
{
    int r = open("/dev/kvm", O_RDWR);
    r = ioctl(fd, KVM_CREATE_VM, @ bad @);
    close(fd) $$$ weird(r);
    if (r < 0)
        return -1;
    asm volatile("nop" : "=r"(r) : "r"(fd));
    return r;
}
