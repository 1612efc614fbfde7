/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Timeouts are measured by the clock that measures (clock.c), whatever the kernel makes of its own.
 */
#include "win32/deadline.h"

#include "win32/clock.h"

#define NS_PER_MS 1000000u

win32_deadline win32_deadline_in(int64_t timeout_ns)
{
    win32_deadline deadline = {timeout_ns, 0};

    if (timeout_ns > 0)
        deadline.mark = win32_clock_mark();
    return deadline;
}

uint64_t win32_deadline_left(const win32_deadline *deadline)
{
    uint64_t timeout_ns = (uint64_t)deadline->timeout_ns;
    uint64_t passed_ns = 0;

    if (deadline->timeout_ns == IST_FOREVER)
        return UINT64_MAX;
    passed_ns = timeout_ns > 0 ? win32_clock_since(deadline->mark) : 0;
    return passed_ns < timeout_ns ? timeout_ns - passed_ns : 0;
}

DWORD win32_deadline_ms(const win32_deadline *deadline)
{
    uint64_t left_ns = win32_deadline_left(deadline);
    uint64_t ms = left_ns / NS_PER_MS;

    if (left_ns == UINT64_MAX)
        return INFINITE;
    if (left_ns > 0 && ms < WIN32_LONGEST_MS)
        ms = (left_ns + win32_clock_lag() + NS_PER_MS - 1) / NS_PER_MS;
    return ms < WIN32_LONGEST_MS ? (DWORD)ms : WIN32_LONGEST_MS;
}
