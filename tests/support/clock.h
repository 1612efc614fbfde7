/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Time, for lower bounds only: nothing is ever too late for a test.
 */
#ifndef ISTHMUS_TESTS_CLOCK_H
#define ISTHMUS_TESTS_CLOCK_H

#include <stdint.h>

/* Nanoseconds of a steady clock, rounded down; it starts anywhere. clock_posix.c and clock_win32.c implement it. */
int64_t clock_steady_ns(void);

#define CLOCK_MS INT64_C(1000000)

#endif
