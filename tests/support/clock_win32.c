/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Time on Windows.
 */
#define WIN32_LEAN_AND_MEAN

#include <windows.h>

#include "clock.h"

int64_t clock_steady_ns(void)
{
    LARGE_INTEGER ticks;
    LARGE_INTEGER rate;
    (void)QueryPerformanceCounter(&ticks);
    (void)QueryPerformanceFrequency(&rate);
    return ticks.QuadPart / rate.QuadPart * 1000000000 + ticks.QuadPart % rate.QuadPart * 1000000000 / rate.QuadPart;
}
