// Pointers that are set once are followed; one that is set again, or whose address somebody has, is not.
struct machine {
    int fd;
    struct { int run; } cpu;
};
static struct machine only;
static void closed(void *opaque)
{
    struct machine *m = opaque;
    close(m->fd);
    m->fd = -1;
}
static int taken(int fd)
{
    int *place = &fd;
    int value = *place;
    *place = -1;
    return value;
}
static void inside(void)
{
    struct machine *m = &only;
    struct machine here, *h = &here;
    int *run = &here.cpu.run;
    close(m->fd);
    close(h->fd);
    close(*run);
}
static void walk(struct machine *first, struct machine *second)
{
    struct machine *m = first;
    struct machine *n = second;
    close(m->fd);
    m = second;
    close(m->fd);
    find(&n);
    close(n->fd);
}
