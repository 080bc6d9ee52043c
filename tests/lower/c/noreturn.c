// A call that does not return ends its block; assert() lets only one way through.
void die(const char *why, ...) __attribute__((noreturn));

__attribute__((noreturn)) static void give_up(void)
{
    exit(1);
}

int strict(int fd)
{
    if (fd < 0)
        die("no descriptor: %d", fd);
    assert(fd != 7);
    if (fd == 5)
        give_up();
    return fd;
}
