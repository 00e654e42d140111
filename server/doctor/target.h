/* Checks of a process, as attaching would find it. It is not stopped, and nothing of it is changed. */
#ifndef RSPROF_DOCTOR_TARGET_H
#define RSPROF_DOCTOR_TARGET_H

#include "base/loop.h"
#include "doctor/checkup.h"

#include <sys/types.h>

/* Waits for the symbolizer to look at the process's modules. */
void target_examine(struct checkup *checkup, struct loop *loop, pid_t pid);

#endif
