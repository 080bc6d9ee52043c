// Atomic accessors, entries made by macros, names made by macros, typeof.
#define qatomic_read(ptr) ({ typeof_strip_qual(*ptr) _val; __atomic_load(ptr, &_val, 5); _val; })
#define qatomic_set(ptr, i) do { __atomic_store_n(ptr, i, 0); } while (0)
#define qatomic_xchg(ptr, i) __atomic_exchange_n(ptr, i, 5)
#define container_of(ptr, type, member) ({                      \
        const typeof(((type *)0)->member) *__mptr = (ptr);      \
        (type *)((char *)__mptr - offsetof(type, member)); })
#define ENTRY(n, f) { .name = #n, .run = f }
#define ENTRY_END { 0, 0 }
#define LIST_HEAD_INIT(name) { &(name), &(name) }
#define HELPER(name) helper_##name

struct entry { const char *name; int (*run)(int); };
struct list { struct list *next, *prev; };
struct vm { struct list list; int fd; };
struct holder { struct vm *vm; };

static int HELPER(run)(int n)
{
    return n;
}

static const struct entry entries[] = {
    ENTRY(first, helper_run),
    { "second", helper_run },
    ENTRY_END
};
static struct list vms = LIST_HEAD_INIT(vms);

int atomics(struct holder *h, struct list *item)
{
    int fd = qatomic_read(&h->vm)->fd;
    typeof(h->vm) other = h->vm;

    other->fd = container_of(item, struct vm, list)->fd;
    qatomic_set(&h->vm->fd, -1);
    return qatomic_xchg(&h->vm->fd, fd);
}
