/* Checks of this machine, and of what this rsprof may do on it. */
#ifndef RSPROF_DOCTOR_MACHINE_H
#define RSPROF_DOCTOR_MACHINE_H

#include "doctor/checkup.h"

void machine_examine(struct checkup *checkup);

#endif
