/* What profiling costs the target, and what is done so that it stays within the budget. */
#ifndef RSPROF_SESSION_BUDGET_H
#define RSPROF_SESSION_BUDGET_H

#include <stdint.h>

struct session;

/* When sampling starts, with the target's CPU time then. */
void budget_start(struct session *session, uint64_t now_ns);

/* Each tick, after the counters were read: measures the cost, moves the rates of heap sampling, and takes
 * plain uprobes away when they have cost too much. */
void budget_tick(struct session *session, uint64_t now_ns);

#endif
