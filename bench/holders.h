/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Other processes that hold objects. A holder is the same program in that role: `-H PREFIX -c COUNT`.
 */
#ifndef ISTHMUS_BENCH_HOLDERS_H
#define ISTHMUS_BENCH_HOLDERS_H

#include <stdbool.h>
#include <sys/types.h>

#define HOLDERS_MOST 64
#define HOLDERS_OBJECT_SIZE 4096

typedef struct holder {
    pid_t process;
    int until; /* closing it ends the holder */
} holder;

typedef struct holders {
    holder each[HOLDERS_MOST];
    int count;
    char program[1024];
} holders;

/* A holder's whole life: makes `count` objects called PREFIX0, PREFIX1, ..., says so, waits for the end of its input.
 */
bool holders_hold(const char *prefix, int count);

/* Starts one holder of `count` objects, or as many as it takes. `program` is set. */
bool holders_start(holders *all, const char *prefix, int count);
bool holders_start_many(holders *all, const char *prefix, int count);

/* Ends them all; false if one has failed. */
bool holders_stop(holders *all);

/* A handle takes two descriptors: as many as this user may have. */
void holders_raise_limit(void);

#endif
