// Conditional expressions, also with the middle left out; choices as arguments, in conditions and returned.
int choose(int a, int b, int fd)
{
    int r = a ? open("/dev/kvm", 0) : -1;

    r = b ?: fd;
    use(a > 0 ? b : fd, r);
    if (a ? b : fd)
        r = 1;
    a ? close(r) : close(fd);
    a && close(fd);
    return b ? 0 : fd;
}
