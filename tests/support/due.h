/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * One timer and what a test asks of it.
 */
#ifndef ISTHMUS_TESTS_DUE_H
#define ISTHMUS_TESTS_DUE_H

#include "check.h"
#include "clock.h"

#define DUE_HOUR_NS (INT64_C(3600000) * CLOCK_MS)

/* An unnamed timer. */
ist_timer *due_make(bool manual);

ist_status due_wait(const ist_timer *timer, int64_t timeout_ns);
ist_status due_poll(const ist_timer *timer);

/* The timer comes: "within ten seconds or it hangs". */
#define DUE_COMES(timer) CHECK_OK(due_wait(timer, (int64_t)check_bound_ms() * CLOCK_MS))

uint32_t due_signalled(const ist_timer *timer);

/* How much a timer may be early. */
int64_t due_resolution_ns(void);

#endif
