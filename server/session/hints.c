#include "session/hints.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void hints_add(struct hints *hints, const char *format, ...)
{
    if (hints->count == SESSION_HINTS_MAX)
        return;
    char *text = hints->texts[hints->count];
    va_list args;
    va_start(args, format);
    vsnprintf(text, HINT_MAX, format, args);
    va_end(args);
    for (size_t i = 0; i < hints->count; i++)
        if (!strcmp(hints->texts[i], text))
            return;
    hints->count++;
}
