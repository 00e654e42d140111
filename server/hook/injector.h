/* Maps the stub into a process, through one short stop of one of its threads (remote.h), or finds the one
 * that an earlier rsprof left there. Nothing of the target points to it yet when this is done.
 *
 * In the target a stub is an executable mapping of a memfd named HOOK_MEMFD_NAME with its data behind it. A
 * stub of the same build is taken over: its code is mapped anew in place, as identical bytes (with its
 * trampolines), so that we hold the file that uprobes sit on whoever made the mapping. A stub of another
 * build stays where it is, for threads that may be inside, and is asked where the allocator's functions are.
 * Errors: those of remote.h; −EMFILE,
 * −ENOMEM when the target cannot open or map more. On an error nothing has changed in the target. */
#ifndef RSPROF_HOOK_INJECTOR_H
#define RSPROF_HOOK_INJECTOR_H

#include "hook/image.h"
#include "target/maps.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct injection {
    uint64_t address; /* of the mapping */
    bool reused;
    int code_fd;      /* the memfd; the caller's, from then on */
    uint64_t stop_ns; /* how long the thread stood still */
};

/* `mem_fd` is the target's memory. The stub will be in a jump's reach of `near`, if there is room. Blocks for
 * a few milliseconds, REMOTE_TIMEOUT_NS times a few at worst. */
int injector_map(pid_t pid, int mem_fd, const struct hook_image *image, uint64_t near,
                 struct injection *ret_injection);

/* Whether an address is in the code of some stub. */
bool injector_is_stub(const struct memory_maps *maps, uint64_t address);

/* Given a word that points into some stub of the process (the one at `address` or one left behind), finds the
 * allocator's function it stands for. −ENOENT: it points into none. */
int injector_see_through(const struct memory_maps *maps, int mem_fd, uint64_t word, uint64_t *ret_real);

#endif
