/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Leads a traced child (trace.h) by instructions. A child is led once from one to the next, up to its next mark, which
 * gives a path; those after it run to a place on the path and stand there, about to execute what is there. A call of
 * the system is one instruction, and so is one that repeats itself.
 */
#ifndef ISTHMUS_TESTS_PROCESS_STEP_H
#define ISTHMUS_TESTS_PROCESS_STEP_H

#include <stdint.h>

#include "trace.h"

#define STEP_MOST 60000

typedef struct step_path {
    unsigned count;            /* instructions */
    uint64_t place[STEP_MOST]; /* where the child is after n of them */
    bool notable[STEP_MOST];   /* the one that is executed there changes what others see, or calls the system */
} step_path;

/* False where processes cannot be led by instructions; says why. */
bool step_works(const char **why);

/* Leads the child to its next mark. False when it ended before, or the path is too long. */
bool step_record(trace *child, step_path *out);

/* Runs to where it is after n > 0 instructions. False when a mark or the end came first: it took another path. */
bool step_to(trace *child, const step_path *path, unsigned n);

#endif
