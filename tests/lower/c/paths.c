// Access paths: typedefs, anonymous members, pointers, arrays, out-parameters, addresses.
typedef struct KVMState KVMState;
struct KVMState {
    int fd, vmfd;
    struct { int reaper; } ring;
    union { int left; int right; };
    int slots[8];
    KVMState *next;
};
KVMState *kvm_state;
static __thread int last_fd;
KVMState *get_state(void);

void paths(KVMState *s, int *pfd, int fdarray[2], KVMState **out)
{
    KVMState local, many[2];
    int i = 0;

    s->vmfd = local.fd;
    *pfd = s->ring.reaper;
    s->left = (*s).right;
    fdarray[1] = s->slots[i];
    (&local)->fd = many[1].fd;
    many->fd = kvm_state->next->vmfd;
    *out = &local;
    (*out)->fd = *s->slots;
    out[0]->fd = *(pfd + i);
    last_fd = get_state()->vmfd;
    fill(&s->vmfd, &*pfd, s->slots, many, &many[0], local);
    {
        int i = 5;
        s->fd = i;
    }
    *pfd++ = i;
    memset(s, 0, sizeof(*s));
}
