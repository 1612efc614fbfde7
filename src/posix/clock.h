/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * The two clocks, in nanoseconds, and the interval after which every sleeper looks again.
 */
#ifndef ISTHMUS_POSIX_CLOCK_H
#define ISTHMUS_POSIX_CLOCK_H

#include "core/plat.h"

/* Never comes. */
#define CLOCK_NEVER INT64_MAX

/* Steady; the same for all processes of the machine. */
int64_t clock_steady(void);

/* Since 1970 UTC; may be set. */
int64_t clock_utc(void);

/* A sum that stays within what can be told; b is 0 or more. */
int64_t clock_add(int64_t a, int64_t b);

/* How long a sleep may last, at most. */
int64_t clock_recheck(void);

/* When one that begins now is to end. All end at the same times, so that one wake-up of a processor serves many. */
int64_t clock_next_recheck(void);

#endif
