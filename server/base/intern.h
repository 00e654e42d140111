/* Strings told apart by a small number. Ids count from 1; 0 is the empty string, so that "unknown" needs no
 * flag.
 *
 * `{0}` is an empty table. Strings live, at a fixed address, until `_release`.
 * Errors: −ENOMEM. */
#ifndef RSPROF_BASE_INTERN_H
#define RSPROF_BASE_INTERN_H

#include "base/map.h"
#include "base/vec.h"

#include <stdint.h>

struct intern {
    VEC(char *) strings;      /* strings.items[id − 1] */
    struct map first_by_hash; /* hash → id of the first string with it */
    VEC(uint32_t) next;       /* next.items[id − 1]: another string with the same hash, or 0 */
};

void intern_release(struct intern *intern);
int intern_put(struct intern *intern, const char *str, uint32_t *ret_id);

/* The string with this id; "" for 0 and for ids never given out. */
const char *intern_str(const struct intern *intern, uint32_t id);

#endif
