/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Clocks.
 */
#include "posix/clock.h"

#include <time.h>

#define SECOND INT64_C(1000000000)
#define USUAL_RECHECK INT64_C(100000000)

static const volatile int64_t *utc_offset;
static int64_t recheck = USUAL_RECHECK;

static int64_t read_clock(clockid_t clock)
{
    struct timespec now = {0, 0};

    (void)clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * SECOND + now.tv_nsec;
}

int64_t clock_steady(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

int64_t clock_utc(void)
{
    return read_clock(CLOCK_REALTIME) + (utc_offset != NULL ? *utc_offset : 0);
}

int64_t clock_add(int64_t a, int64_t b)
{
    return a > INT64_MAX - b ? INT64_MAX : a + b;
}

int64_t clock_recheck(void)
{
    return recheck;
}

int64_t clock_next_recheck(void)
{
    int64_t latest = clock_steady() + recheck;

    return latest - latest % USUAL_RECHECK;
}

int64_t plat_clock(void)
{
    return clock_steady();
}

bool plat_seam_utc(const volatile int64_t *offset_ns)
{
    utc_offset = offset_ns;
    return true;
}

bool plat_seam_recheck(int64_t interval_ns)
{
    recheck = interval_ns != 0 ? interval_ns : USUAL_RECHECK;
    return true;
}
