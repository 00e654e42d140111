/* What profiling needs, looked at one by one: of this machine and of this rsprof (machine.h), of a process
 * (target.h). Where it can, a check tries what attaching would do, instead of reading what ought to be
 * possible. Nothing is changed by it, and nothing printed. */
#ifndef RSPROF_DOCTOR_CHECKUP_H
#define RSPROF_DOCTOR_CHECKUP_H

#include "base/vec.h"

enum check_state {
    CHECK_OK = 0,
    CHECK_WARN, /* profiling does less without it */
    CHECK_FAIL, /* no profiling without it */
};

/* "ok", "warn", "fail". */
const char *check_state_name(enum check_state state);

struct check {
    const char *name;
    enum check_state state;
    int error;        /* of one that failed: a negative errno, as session_attach would return */
    char seen[512];   /* what there is */
    char remedy[512]; /* what mends it, most often a command; "" where nothing is to be mended */
};

struct checkup {
    VEC(struct check) checks;
};

void checkup_release(struct checkup *checkup);

/* Adds a check that found nothing to mend; the caller may make it worse. NULL when out of memory. */
struct check *checkup_add(struct checkup *checkup, const char *name, const char *seen_format, ...)
    __attribute__((format(printf, 3, 4)));

/* Makes a check a bad one. Accepts NULL. */
void check_warn(struct check *check, const char *remedy_format, ...) __attribute__((format(printf, 2, 3)));
void check_fail(struct check *check, int error, const char *remedy_format, ...)
    __attribute__((format(printf, 3, 4)));

/* The error of the first check that failed, or 0: all that is needed is there. */
int checkup_error(const struct checkup *checkup);

#endif
