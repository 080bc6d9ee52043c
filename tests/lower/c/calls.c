// Whom a call calls: names, members, parameters, tables, pointers behind stars.
struct ops {
    int (*init)(int fd);
    void (*exit)(void);
};
struct machine {
    const struct ops *ops;
    struct ops own;
    int fd;
};
static int (*table[4])(int);
static int (*hook)(int);
struct machine *get_machine(void);

static int start(int fd)
{
    return fd;
}

int run(struct machine *m, int (*fn)(int), void *opaque)
{
    int r = m->ops->init(m->fd);
    m->own.exit();
    fn(r);
    (*fn)(r);
    table[r](1);
    table[2](2);
    hook(get_machine()->fd);
    (*m->ops->init)(3);
    (fn ? fn : hook)(4);
    atexit(m->own.exit);
    hook = start;
    hook = &start;
    return start(open("/dev/kvm", O_RDWR | O_CLOEXEC));
}

int start_int(int x, int y);
#define start_any(x, y) _Generic(x, int: start_int, long: start_long)(x, y)

int generic(int x)
{
    return start_any(x, 7);
}
