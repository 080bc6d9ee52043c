// Numbers, names of numbers, flags, strings, characters, negatives, casts.
#include <fcntl.h>
#define DEV_DIR "/dev/"
#define DEV DEV_DIR "kvm"
#define MY_FLAGS (O_RDWR | O_CLOEXEC)
#define MY_CREATE KVM_CREATE_VM
enum { NONE = -1, FIRST = 4 };

int constants(int flags)
{
    int fd = open(DEV, MY_FLAGS | O_NONBLOCK), other = NONE;
    char letter = '\n';
    const char *text = "a\tb" "c\x41";
    void *map = mmap(NULL, 0x1000, PROT_READ, MAP_SHARED, fd, 0);

    if (map == MAP_FAILED)
        return -ENOMEM;
    flags |= O_CLOEXEC;
    flags &= ~O_NONBLOCK;
    fcntl(fd, F_SETFD, flags | FD_CLOEXEC);
    fcntl(fd, F_SETFD, fcntl(fd, F_GETFD) & ~FD_CLOEXEC);
    fcntl(fd, F_SETFL, (flags & ~O_APPEND) | O_SYNC);
    other = (int)(intptr_t)ioctl(fd, MY_CREATE, (void *)0);
    other = FIRST + 1;
    other = -other;
    other += 2;
    other++;
    text = "x" PRIx64;
    return letter == 'a' ? -errno : (ssize_t)-1;
}
