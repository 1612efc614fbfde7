/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * How long something has taken, and how far the kernel's own clock is behind.
 */
#ifndef ISTHMUS_WIN32_CLOCK_H
#define ISTHMUS_WIN32_CLOCK_H

#include <stdint.h>

/* The longest tick of the system's clock, in nanoseconds: 64 a second. Programs may ask for shorter ones. */
#define WIN32_TICK_NS 15625000

/* What the processor's counter shows; only the difference of two means something. */
uint64_t win32_clock_mark(void);

/* Nanoseconds since then, rounded down. Runs on while the system is suspended. */
uint64_t win32_clock_since(uint64_t mark);

/* Nanoseconds that the kernel's clock of relative times is behind at this instant, rounded up; at most WIN32_TICK_NS.
 */
uint64_t win32_clock_lag(void);

#endif
