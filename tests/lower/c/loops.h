#define LIST_FOREACH_ITEM(var, head) \
    for ((var) = (head)->first; (var); (var) = (var)->next)
#define WHILE_READY(fd) while (ready(fd))
