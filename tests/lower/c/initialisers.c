// Designated, positional and nested initialisers, compound literals, struct copies, arrays, function-static variables.
struct pair { int a; int b; };
struct device {
    unsigned type;
    int fd;
    struct pair inner;
    int many[2];
    void (*notify)(void);
};

static void ring(void)
{
}

static const struct device global = { .type = 7, .fd = -1, .notify = ring };
static int fds[3] = { -1, [2] = 5 };
int shared_fd = -1;
static void (*handlers[])(void) = { ring, &ring };

int build(int vm)
{
    struct device d = { 1, vm, { .b = 2 }, { 3, 4 }, ring };
    struct device zero = { 0 }, copy = d;
    struct pair p = (struct pair){ .a = vm, .b = zero.fd };
    struct pair *q = &(struct pair){ 5, 6 };
    int list[] = { vm, -1, [4 ... 6] = 9 };
    char path[] = "/dev/kvm";
    static int cached = -1;
    static const struct pair fixed = { .a = 1 };

    copy.inner = p;
    take(list, path, &d, d.many, &d.many[1], d.inner);
    cached = q->a + fixed.a;
    return cached;
}
