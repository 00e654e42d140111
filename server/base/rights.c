#include "base/rights.h"

#include <sys/prctl.h>
#include <sys/syscall.h>

/* Root looks at other users' processes and reads their files as their owner would (setfsuid), writes where
 * it is told, and gives the thread that stops a target a head start. */
#define RIGHTS_OF_ROOT                                                                                       \
    (RIGHT(CAP_DAC_OVERRIDE) | RIGHT(CAP_DAC_READ_SEARCH) | RIGHT(CAP_SETUID) | RIGHT(CAP_SETGID) |          \
     RIGHT(CAP_SYS_NICE) | RIGHT(CAP_SYS_RESOURCE) | RIGHT(CAP_CHECKPOINT_RESTORE))

struct rights {
    uint64_t effective, permitted;
};

static int read_rights(struct rights *ret_rights)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2];
    if (syscall(SYS_capget, &header, data) < 0)
        return -errno;
    *ret_rights = (struct rights){
        .effective = data[0].effective | (uint64_t)data[1].effective << 32,
        .permitted = data[0].permitted | (uint64_t)data[1].permitted << 32,
    };
    return 0;
}

static int write_rights(const struct rights *rights)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {
        {.effective = (uint32_t)rights->effective, .permitted = (uint32_t)rights->permitted},
        {.effective = (uint32_t)(rights->effective >> 32), .permitted = (uint32_t)(rights->permitted >> 32)},
    };
    return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}

static int become_real_user(void)
{
    uid_t uid = getuid();
    gid_t gid = getgid();
    if (geteuid() == uid && getegid() == gid)
        return 0;
    if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0 || setresgid(gid, gid, gid) < 0 ||
        setresuid(uid, uid, uid) < 0)
        return -errno;
    return 0;
}

int rights_start(void)
{
    struct rights rights = {0};
    int r = become_real_user();
    if (r == 0 && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
        r = -errno;
    if (r == 0)
        r = read_rights(&rights);
    if (r < 0)
        return r;
    bool root = getuid() == 0;
    rights.permitted &= RIGHTS_SAMPLE | RIGHTS_TRACE | (root ? RIGHTS_OF_ROOT : 0);
    rights.effective = root ? rights.permitted : 0;
    return write_rights(&rights);
}

bool rights_have(uint64_t rights)
{
    struct rights now = {0};
    return read_rights(&now) == 0 && (now.permitted & rights) == rights;
}

uint64_t rights_raise(uint64_t rights)
{
    struct rights now = {0};
    if (read_rights(&now) < 0)
        return 0;
    uint64_t before = now.effective;
    now.effective |= now.permitted & rights;
    (void)write_rights(&now);
    return before;
}

void rights_restore(const uint64_t *before)
{
    int saved = errno;
    struct rights now = {0};
    if (read_rights(&now) == 0) {
        now.effective = *before;
        (void)write_rights(&now);
    }
    errno = saved;
}
