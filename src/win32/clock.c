/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * The kernel adds a relative time to the value that its clock had at the last tick, and ends it at the first tick that
 * has reached the sum. By any finer clock that is early by up to a tick. Whoever adds the lag of that clock is never
 * early, and late by no more than the next tick.
 *
 * The clock that measures is the processor's counter: every system has it, no tick makes it jump, and it never runs
 * slower than the clock of relative times, which stands still while the system is suspended.
 */
#include "win32/clock.h"

#include "core/plat.h"

#include "win32/native.h"

#define NS_PER_SECOND 1000000000u
#define NS_PER_UNIT 100u

uint64_t win32_clock_mark(void)
{
    LARGE_INTEGER count;

    (void)QueryPerformanceCounter(&count); /* does not fail since Windows XP */
    return (uint64_t)count.QuadPart;
}

uint64_t win32_clock_since(uint64_t mark)
{
    LARGE_INTEGER per_second;
    uint64_t count = win32_clock_mark() - mark;
    uint64_t frequency = 1;

    (void)QueryPerformanceFrequency(&per_second);
    frequency = (uint64_t)per_second.QuadPart;
    return count / frequency * NS_PER_SECOND + count % frequency * NS_PER_SECOND / frequency;
}

int64_t plat_clock(void)
{
    return (int64_t)win32_clock_since(0);
}

/* The coarse clock is read first: a tick in between makes the lag too long, never too short. */
uint64_t win32_clock_lag(void)
{
    uint64_t coarse = 0;
    uint64_t precise = 0;
    uint64_t units = WIN32_TICK_NS / NS_PER_UNIT;

    if (win32_interrupt_times(&coarse, &precise) && precise >= coarse && precise - coarse < units)
        units = precise - coarse;
    return units * NS_PER_UNIT;
}
