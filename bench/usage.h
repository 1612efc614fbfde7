/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * What this process uses besides time.
 */
#ifndef ISTHMUS_BENCH_USAGE_H
#define ISTHMUS_BENCH_USAGE_H

#include <stdbool.h>

typedef struct usage {
    long rss_kib;
    long pss_kib;
    long descriptors;
    long regions;    /* lines of /proc/self/maps */
    double file_kib; /* used in the shared-memory file system */
} usage;

/* False where the system does not tell. */
bool usage_read(usage *out);

#endif
