/* Starts heap tracking in the way that the options ask for and the target allows. */
#ifndef RSPROF_SESSION_HEAP_START_H
#define RSPROF_SESSION_HEAP_START_H

struct session;

/* Sets the session's heap mode in use; what could not be done becomes a hint, never an error. */
void session_start_heap(struct session *session);

#endif
