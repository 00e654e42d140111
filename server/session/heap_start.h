/* Starts heap tracking in the way that the options ask for and the target allows. */
#ifndef RSPROF_SESSION_HEAP_START_H
#define RSPROF_SESSION_HEAP_START_H

struct session;

/* Sets the session's heap mode in use; what could not be done becomes a hint, never an error. */
void session_start_heap(struct session *session);

/* Why the hook is not possible, as a part of a sentence: `error` is heap_hook_start's. */
const char *hook_refusal(int error);

#endif
