/* Sampling inside the target: the stub is mapped into the process, and the words that its modules call the
 * allocator through are swapped for the stub's entries. Functions that are called directly, as in static
 * executables, begin with a jump to the stub instead. What is sampled, and how, stands in stub_abi.h.
 *
 *     hook_new(pid, near, &hook)       maps the stub; nothing calls it yet
 *     hook_probe_sites(hook)           attach uprobes to both sites
 *     hook_patch(hook, patches, n)     the target calls the stub from now on; again for modules loaded later
 *     hook_install(hook, slots, n)     likewise
 *     hook_set_rate…, hook_heartbeat, hook_read    each tick
 *     hook_free(hook)                  puts words and code back
 *
 * A process is held by at most one hook, through a lock that dies with its owner. When rsprof is killed, the
 * stub goes on without harm, samples less and less (see stub_abi.h), and is found and used by the next
 * hook_new. After hook_free the code stays mapped, as threads may be inside, and its data; both are used
 * again. A forked child has the stub too, and its own copy of all data, which nobody reads; uprobes do not
 * follow it, and without heartbeats its sampling fades out.
 *
 * Lives on one thread. Nothing blocks longer than injector.h says.
 * Errors: −ESRCH the target is gone; −EBUSY another rsprof or a debugger holds it; −ENOSYS a seccomp filter
 * does not allow it; −EPERM a filter cannot be read, or no right; the others of injector.h. */
#ifndef RSPROF_HOOK_HOOK_H
#define RSPROF_HOOK_HOOK_H

#include "hook/patches.h"
#include "hook/stub_abi.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct hook;

/* A word of the target that its code calls an allocator's function through. */
struct hook_slot {
    uint64_t address; /* aligned to 8 */
    uint64_t value;   /* what it holds: the function, or a stub's entry for it */
    enum hook_function function;
};

/* Where the uprobes go: offsets in the file behind `fd`, which is the hook's. The kernel wants a path:
 * /proc/self/fd/N. */
struct hook_probe_sites {
    int fd;
    uint64_t alloc_offset, free_offset;
};

/* How installing went. */
struct hook_installed {
    size_t slots;   /* swapped, in all */
    size_t changed; /* left alone this time: the word no longer held what was said */
    size_t other; /* left alone this time: a second function for the same name, such as another libc's in its
                     own namespace */
};

/* What the stub has counted, as of the latest hook_read. */
struct hook_state {
    const struct hook_header *header;
    const struct hook_site *sites; /* HOOK_SITES, see hook_site_index() */
    const uint64_t *rates;         /* HOOK_SITES */
};

/* `near`: the allocator's functions are there; 0: anywhere. The stub will be in a jump's reach of it, if
 * there is room: functions further away cannot be patched, and take longer to be called. */
int hook_new(pid_t pid, uint64_t near, struct hook **ret_hook);

/* Accepts NULL. The target may be gone. Code that cannot be put back, as the target would not stop, stays as
 * it is, which does no harm; the next hook_new finds it. */
void hook_free(struct hook *hook);

struct hook_probe_sites hook_probe_sites(const struct hook *hook);

/* Puts the jumps in; all threads stop for it once. On an error some may be in, and hook_free sees to them.
 * Errors: those of patches.h. */
int hook_patch(struct hook *hook, const struct hook_patch *patches, size_t count);

/* For how long threads of the target stood still, and where its stub is. */
uint64_t hook_stop_ns(const struct hook *hook);
uint64_t hook_address(const struct hook *hook);

/* Swaps the slots, but for those of patched functions, and starts sampling at the first call. `quota` and
 * `grant` bound the samples between heartbeats. */
int hook_install(struct hook *hook, const struct hook_slot *slots, size_t count,
                 struct hook_installed *ret_installed);

/* The mean bytes between two samples of all sites (0: every allocation), or the rate of one (rate.h). */
int hook_set_interval(struct hook *hook, uint64_t interval_bytes);
int hook_set_site_rate(struct hook *hook, uint32_t site, uint64_t rate);

/* All sites at once: HOOK_SITES rates. */
int hook_set_rates(struct hook *hook, const uint64_t *rates);

/* What samples may cost until the next heartbeat, before the stub lowers rates by itself: those of one site,
 * and all. One whose stack the stub knows costs 1, any other `trap_price`. */
struct hook_limits {
    uint32_t quota, grant, trap_price;
};

int hook_set_limits(struct hook *hook, const struct hook_limits *limits);

/* Tells the stub that we live. Call each tick. */
int hook_heartbeat(struct hook *hook);

/* Reads the stub's counts. `*ret_state` points into the hook, and is valid until the next call. */
int hook_read(struct hook *hook, struct hook_state *ret_state);

#endif
