// Directives inside a body: every branch is possible, also none without #else; both may declare the same name.
int conditional(int fd)
{
#ifdef WITH_DUP
    int copy = dup(fd);
#elif defined(WITH_OTHER)
    int copy = other(fd);
#else
    int copy = fd;
#endif
#if CONFIG_LEVEL > 2
    if (copy < 0)
        return -1;
#endif
#if 0
    never();
#endif
    int pair[] = {
        copy,
#ifdef WITH_DUP
        fd,
#endif
    };
    return pair[0];
}
