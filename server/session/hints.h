/* A short list of sentences for people, each saying what to do. Never grows past its room: the first ones
 * matter most. */
#ifndef RSPROF_SESSION_HINTS_H
#define RSPROF_SESSION_HINTS_H

#include "session/session.h"

#define HINT_MAX 512

struct hints {
    char texts[SESSION_HINTS_MAX][HINT_MAX];
    size_t count;
};

/* Adds a hint, unless it is there already or there is no room. */
void hints_add(struct hints *hints, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
