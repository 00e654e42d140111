#include "doctor/checkup.h"

#include <stdarg.h>
#include <stdio.h>

const char *check_state_name(enum check_state state)
{
    static const char *const names[] = {"ok", "warn", "fail"};
    return names[state];
}

void checkup_release(struct checkup *checkup)
{
    vec_release(&checkup->checks);
}

struct check *checkup_add(struct checkup *checkup, const char *name, const char *seen_format, ...)
{
    struct check *check = vec_push(&checkup->checks);
    if (!check)
        return NULL;
    va_list args;
    va_start(args, seen_format);
    vsnprintf(check->seen, sizeof(check->seen), seen_format, args);
    va_end(args);
    check->name = name;
    return check;
}

static void worsen(struct check *check, enum check_state state, int error, const char *format, va_list args)
{
    if (!check)
        return;
    check->state = state;
    check->error = error;
    vsnprintf(check->remedy, sizeof(check->remedy), format, args);
}

void check_warn(struct check *check, const char *remedy_format, ...)
{
    va_list args;
    va_start(args, remedy_format);
    worsen(check, CHECK_WARN, 0, remedy_format, args);
    va_end(args);
}

void check_fail(struct check *check, int error, const char *remedy_format, ...)
{
    va_list args;
    va_start(args, remedy_format);
    worsen(check, CHECK_FAIL, error, remedy_format, args);
    va_end(args);
}

int checkup_error(const struct checkup *checkup)
{
    for (size_t i = 0; i < checkup->checks.len; i++)
        if (checkup->checks.items[i].state == CHECK_FAIL)
            return checkup->checks.items[i].error;
    return 0;
}
