#include "lsp/label.h"

#include <stdio.h>
#include <string.h>

void label_format_bytes(double bytes, char text[static LABEL_MAX])
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
    size_t unit = 0;
    while (bytes >= 1023.5 && unit + 1 < sizeof(units) / sizeof(*units)) {
        bytes /= 1024;
        unit++;
    }
    int decimals = unit == 0 || bytes >= 99.95 ? 0 : bytes >= 9.995 ? 1 : 2;
    snprintf(text, LABEL_MAX, "%.*f %s", decimals, bytes, units[unit]);
}

void label_format_share(double share, char text[static LABEL_MAX])
{
    if (share <= 0)
        text[0] = '\0';
    else if (share < 0.0005)
        snprintf(text, LABEL_MAX, "<0.1%%");
    else if (share >= 0.9995)
        snprintf(text, LABEL_MAX, "100%%");
    else
        snprintf(text, LABEL_MAX, "%.1f%%", share * 100);
}

struct label label_format(int metric, struct view_value value)
{
    char cpu[LABEL_MAX] = "", heap[LABEL_MAX] = "";
    struct label label;
    if (metric != METRIC_HEAP)
        label_format_share(value.cpu, cpu);
    if (metric != METRIC_CPU && value.heap_bytes >= 0.5)
        label_format_bytes(value.heap_bytes, heap);
    if (metric == METRIC_HEAP)
        snprintf(label.text, sizeof(label.text), "%*.15s", LABEL_HEAP_WIDTH, heap);
    else if (!*heap)
        snprintf(label.text, sizeof(label.text), "%*.10s", LABEL_CPU_WIDTH, cpu);
    else
        snprintf(label.text, sizeof(label.text), "%*.10s  %*.15s", LABEL_CPU_WIDTH, cpu, LABEL_HEAP_WIDTH,
                 heap);
    return label;
}
