/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Rows of Markdown, each shown as soon as it is known.
 */
#include "table.h"

const char *table_verdict(double value, double goal)
{
    return value <= goal ? "met" : "**missed**";
}

void table_begin(const char *title)
{
    (void)printf("\n# %s\n\n| isthmus | against | ratio | quartiles | goal | | raw ns | isthmus ns |\n"
                 "|---|---|---:|---|---:|---|---:|---:|\n",
                 title);
    (void)fflush(stdout);
}

void table_row(const char *what, const char *against, const measure_result *result, double times, double goal)
{
    (void)printf("| %s | %s | **%.2f** | %.2f to %.2f | ", what, against, result->ratio, result->ratio_low,
                 result->ratio_high);
    if (goal != TABLE_NO_GOAL)
        (void)printf("%.1f | %s", goal, table_verdict(result->ratio, goal));
    else
        (void)printf("|");
    (void)printf(" | %.1f | %.1f |\n", result->raw_ns / times, result->measured_ns / times);
    (void)fflush(stdout);
}
