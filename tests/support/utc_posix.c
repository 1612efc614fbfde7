/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * The time of day on POSIX.
 */
#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE
#endif

#include "utc.h"

#include <time.h>

int64_t utc_now_ns(void)
{
    struct timespec now = {0, 0};
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}
