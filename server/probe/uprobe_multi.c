#include "probe/uprobe_multi.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#define MULTI_RETURN (1u << 0) /* BPF_F_UPROBE_MULTI_RETURN */

/* The part of union bpf_attr that headers of Linux 6.1 do not have yet. */
struct link_create {
    uint32_t prog_fd, target_fd, attach_type, flags;
    uint64_t path, offsets, ref_ctr_offsets, cookies;
    uint32_t count, multi_flags, pid, reserved;
};

bool uprobe_multi_supported(void)
{
    struct utsname name;
    int major = 0, minor = 0;
    return uname(&name) == 0 && sscanf(name.release, "%d.%d", &major, &minor) == 2 &&
           (major > 6 || (major == 6 && minor >= 10));
}

int uprobe_multi_attach(int program_fd, pid_t pid, const char *path, uint64_t offset, uint64_t cookie,
                        bool at_return, int *ret_fd)
{
    struct link_create attr = {
        .prog_fd = (uint32_t)program_fd,
        .attach_type = UPROBE_MULTI_ATTACH_TYPE,
        .path = (uintptr_t)path,
        .offsets = (uintptr_t)&offset,
        .cookies = (uintptr_t)&cookie,
        .count = 1,
        .multi_flags = at_return ? MULTI_RETURN : 0,
        .pid = (uint32_t)pid,
    };
    int fd = (int)syscall(SYS_bpf, BPF_LINK_CREATE, &attr, sizeof(attr));
    if (fd < 0)
        return -errno;
    *ret_fd = fd;
    return 0;
}
