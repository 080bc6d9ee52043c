#define kvm_do_ioctl(fd, cmd, arg)                      \
({                                                      \
    int __fd = (fd);                                    \
    ioctl(__fd, cmd, arg);                              \
})
#define __vm_ioctl(vm, cmd, arg)                        \
({                                                      \
    check_is_vm(vm);                                    \
    kvm_do_ioctl((vm)->fd, cmd, arg);                   \
})
#define VM_OF(obj) ((struct vm *)cast_to(obj, "vm"))
#define RETURN_IF_BAD(x) do { if ((x) < 0) return -1; } while (0)
#define TFR(expr) do { if ((expr) != -1) break; } while (errno == EINTR)
#define ENABLE_CAP(vm, cap, ...) __vm_ioctl(vm, KVM_ENABLE_CAP, ((u64[]){ __VA_ARGS__ }))
#define VALID(fd) ((fd) >= 0 && (fd) < MAX_FD)
#define NOTHING(x)
#define current_vm (thread_state.vm)
#define SELF(x) SELF(x, 1)
#define FORK fork
#define BROKEN(x) ({ int y = x;
