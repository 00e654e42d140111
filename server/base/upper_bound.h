/* Binary search in an array of structs that is sorted by one of their members.
 *
 *     size_t after = upper_bound(spans, span_count, low, address);
 *     if (after && address < spans[after - 1].high)   // the last span that starts at or before the address
 */
#ifndef RSPROF_BASE_UPPER_BOUND_H
#define RSPROF_BASE_UPPER_BOUND_H

#include <stddef.h>

/* How many items, from the first on, have a member of at most `value`. */
#define upper_bound(items, count, member, value)                                                             \
    ({                                                                                                       \
        size_t low_ = 0, high_ = (count);                                                                    \
        while (low_ < high_) {                                                                               \
            size_t middle_ = low_ + (high_ - low_) / 2;                                                      \
            if ((items)[middle_].member <= (value))                                                          \
                low_ = middle_ + 1;                                                                          \
            else                                                                                             \
                high_ = middle_;                                                                             \
        }                                                                                                    \
        low_;                                                                                                \
    })

#endif
