// Macros at file level that define or register functions; one that is defined nowhere stays a call.
#define core_init(cb)                                            \
static void __attribute__ ((constructor)) __init__##cb(void)    \
{                                                                \
    static struct item t;                                        \
    add_item(&t, cb);                                            \
}
#define type_init(function) module_init(function, 3)
#define module_init(function, type) \
static void __attribute__((constructor)) do_init_ ## function(void) { register_module(function, type); }
#define DEFINE_FOPS(name, get) static const struct fops name = { .open = get, .mode = 0444 }

static int kvm__init(struct kvm *kvm)
{
    return 0;
}
core_init(kvm__init);

static void kvm_type_init(void)
{
}
type_init(kvm_type_init)

static int stat_get(void *data)
{
    return 0;
}
DEFINE_FOPS(stat_fops, stat_get);
late_hook(stat_get, "late", 4);
