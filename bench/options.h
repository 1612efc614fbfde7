/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * What every benchmark can be told: `-p PAIRS -b BATCH`.
 */
#ifndef ISTHMUS_BENCH_OPTIONS_H
#define ISTHMUS_BENCH_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

typedef struct options {
    size_t pairs; /* of batches */
    size_t batch; /* rounds in one */
} options;

/* Changes what is told; false if that is something else. */
bool options_read(int argc, char **argv, options *out);

#endif
