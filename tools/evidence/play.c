/*
 * Plays /dev/kvm where there is none: preloaded into a program, it answers the KVM ioctls with files of which the
 * kernel itself says whether anyone still has them open.
 *
 * PLAY_DIR in the environment names a directory. A VM is a number; each of its handles is one open file there:
 *   N.kvm-vm, N.kvm-vfio, N.kvm-vm-stats, N.kvm-vcpu-stats   a FIFO, opened for writing: its reader sees the end
 *                                                             of file when the last copy of the descriptor is gone
 *   N.kvm-vcpu, N.kvm-gmem                                    a locked file, for a FIFO cannot be mapped: the lock is
 *                                                             free when the last descriptor and mapping is gone
 * A duplicate, a message, a child, a ring or an executed program keeps them as it would keep the real ones.
 * Close-on-exec is set as Linux does it: on all but guest_memfd. An ioctl on a handle that this address space did not
 * create gives EIO; whether it did is forgotten in the child of fork(), and in a new program it was never known.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MAPPED_PAGES 3
#define MAPPED_SIZE (MAPPED_PAGES * 4096)
/* The numbers of headers newer than some that are installed. */
#define CREATE_GUEST_MEMFD 0xC040AED4UL
#define GET_STATS_FD 0xAECEUL

static char own[256][64];
static unsigned own_count;

static const char *directory(void)
{
    return getenv("PLAY_DIR");
}

static void forget(void)
{
    own_count = 0;
}

__attribute__((constructor)) static void begin(void)
{
    pthread_atfork(NULL, NULL, forget);
}

/* The name of the handle behind a descriptor, without its directory; NULL if it is none. */
static const char *handle(int fd, char *room, size_t size)
{
    const char *dir = directory();
    char link[64];
    size_t length;
    ssize_t got;

    if (dir == NULL)
        return NULL;
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    got = readlink(link, room, size - 1);
    length = strlen(dir);
    if (got < 0 || (size_t)got <= length || strncmp(room, dir, length) != 0)
        return NULL;
    room[got] = '\0';
    return room + length + 1;
}

static int raw_open(const char *path, int flags, mode_t mode)
{
    return syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

/* A new handle of VM `vm` (its number as text). It gets its name only when it is held, so a watcher never errs. */
static int create(const char *vm, const char *kind, off_t size)
{
    const char *dir = directory();
    static unsigned serial;
    char made[512], path[512];
    int flags = strcmp(kind, "kvm-gmem") == 0 ? 0 : O_CLOEXEC;
    int fd;

    serial++;
    snprintf(made, sizeof(made), "%s/.%d.%u", dir, (int)getpid(), serial);
    if (size == 0 && mkfifo(made, 0600) < 0)
        return -1;
    /* A FIFO that is opened for both waits for no reader; it counts as a writer. */
    fd = raw_open(made, O_RDWR | flags | (size ? O_CREAT | O_EXCL : 0), 0600);
    if (fd < 0)
        return -1;
    if (size != 0 && (ftruncate(fd, size) < 0 || flock(fd, LOCK_SH) < 0))
        return -1;
    snprintf(path, sizeof(path), "%s/%s.%s.%d.%u", dir, vm, kind, (int)getpid(), serial);
    if (rename(made, path) < 0)
        return -1;
    snprintf(own[own_count++ % 256], sizeof(own[0]), "%s", path + strlen(dir) + 1);
    return fd;
}

static int is_own(const char *name)
{
    for (unsigned i = 0; i < own_count && i < 256; i++)
        if (strcmp(own[i], name) == 0)
            return 1;
    return 0;
}

static int on_system(unsigned long request)
{
    static unsigned machines;
    char number[32];

    switch (request) {
    case KVM_GET_API_VERSION:
        return KVM_API_VERSION;
    case KVM_GET_VCPU_MMAP_SIZE:
        return MAPPED_SIZE;
    case KVM_CREATE_VM:
        snprintf(number, sizeof(number), "%d-%u", (int)getpid(), ++machines);
        return create(number, "kvm-vm", 0);
    default:
        return 0;
    }
}

static int on_handle(const char *name, unsigned long request, uintptr_t argument)
{
    const char *kind = strchr(name, '.') + 1;
    char vm[32];
    int fd;

    if (!is_own(name)) {
        errno = EIO;
        return -1;
    }
    snprintf(vm, sizeof(vm), "%.*s", (int)(kind - 1 - name), name);
    if (request == KVM_CREATE_VCPU && argument > 4096) {
        errno = EINVAL;
        return -1;
    }
    if (request == KVM_CREATE_VCPU)
        return create(vm, "kvm-vcpu", MAPPED_SIZE);
    if (request == GET_STATS_FD)
        return create(vm, strncmp(kind, "kvm-vm", 6) == 0 ? "kvm-vm-stats" : "kvm-vcpu-stats", 0);
    if (request == CREATE_GUEST_MEMFD)
        return create(vm, "kvm-gmem", ((struct { uint64_t size; } *)argument)->size);
    if (request == KVM_CREATE_DEVICE) {
        struct kvm_create_device *device = (struct kvm_create_device *)argument;

        if (device->flags & KVM_CREATE_DEVICE_TEST)
            return 0;
        fd = create(vm, "kvm-vfio", 0);
        device->fd = fd;
        return fd < 0 ? -1 : 0;
    }
    if (request == KVM_RUN) {
        errno = EINTR;
        return -1;
    }
    return 0;
}

int ioctl(int fd, unsigned long request, ...)
{
    static int (*next)(int, unsigned long, ...);
    char room[512];
    const char *name;
    va_list rest;
    uintptr_t argument;

    va_start(rest, request);
    argument = va_arg(rest, uintptr_t);
    va_end(rest);
    if (next == NULL)
        next = (int (*)(int, unsigned long, ...))dlsym(RTLD_NEXT, "ioctl");
    /* FIOCLEX and its kind are answered before the file is asked. */
    name = ((request >> 8) & 0xFF) == KVMIO ? handle(fd, room, sizeof(room)) : NULL;
    if (name == NULL)
        return next(fd, request, argument);
    return strcmp(name, "kvm") == 0 ? on_system(request) : on_handle(name, request, argument);
}

static int play_open(int at, const char *path, int flags, mode_t mode)
{
    char system[512];

    if (directory() != NULL && strcmp(path, "/dev/kvm") == 0) {
        snprintf(system, sizeof(system), "%s/kvm", directory());
        return raw_open(system, flags | O_CREAT, 0600);
    }
    return syscall(SYS_openat, at, path, flags, mode);
}

#define OPENED(last) ({ va_list rest; mode_t mode; va_start(rest, last); mode = va_arg(rest, int); va_end(rest); mode; })

int open(const char *path, int flags, ...)
{
    return play_open(AT_FDCWD, path, flags, OPENED(flags));
}

int open64(const char *path, int flags, ...)
{
    return play_open(AT_FDCWD, path, flags, OPENED(flags));
}

int openat(int at, const char *path, int flags, ...)
{
    return play_open(at, path, flags, OPENED(flags));
}

int openat64(int at, const char *path, int flags, ...)
{
    return play_open(at, path, flags, OPENED(flags));
}
