/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * The time of day, for absolute due times. utc_posix.c and utc_win32.c implement it.
 */
#ifndef ISTHMUS_TESTS_UTC_H
#define ISTHMUS_TESTS_UTC_H

#include <stdint.h>

/* Nanoseconds since 1970-01-01 00:00 UTC, as ist_timer_set() counts them. */
int64_t utc_now_ns(void);

#endif
