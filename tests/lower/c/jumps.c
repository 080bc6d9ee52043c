// goto and labels, do-while with continue, switch with fallthrough, ranges and default, unbounded loops.
int jumps(int fd, int what)
{
    int r;

retry:
    r = ioctl(fd, KVM_RUN, 0);
    if (r == -1 && errno == EINTR)
        goto retry;
    switch (what) {
    case 1:
        close(fd);
        /* fall through */
    case 2:
        r = 2;
        break;
    case 5 ... 7:
        r = 3;
        goto out;
    case KVM_EXIT_IO:
        return 4;
    default:
        r = 9;
    }
    do {
        if (r == 3)
            continue;
        r--;
    } while (r > 0);
    for (int i = 0; i < 4; i++)
        step(i);
    for (;;) {
        if (wait_for(fd))
            break;
    }
    while (1)
        pause();
out:
    close(fd);
    return r;
}

int plain_switch(int what)
{
    switch (what) {
    case 1:
        return 1;
    }
    return 0;
}
