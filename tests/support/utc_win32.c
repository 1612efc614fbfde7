/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * The time of day on Windows.
 */
#if !defined(_WIN32_WINNT) || _WIN32_WINNT < 0x0602
#undef _WIN32_WINNT
#define _WIN32_WINNT 0x0602
#endif

#include "utc.h"

#include <windows.h>

/* From 1601 to 1970, in units of 100 ns. */
#define EPOCH INT64_C(116444736000000000)

int64_t utc_now_ns(void)
{
    FILETIME now;
    GetSystemTimePreciseAsFileTime(&now);
    return ((int64_t)(((uint64_t)now.dwHighDateTime << 32) | now.dwLowDateTime) - EPOCH) * 100;
}
