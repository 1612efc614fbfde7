/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * When a timeout is over, for calls that sleep more than once.
 */
#ifndef ISTHMUS_WIN32_DEADLINE_H
#define ISTHMUS_WIN32_DEADLINE_H

#include "core/plat.h"
#include "win32/native.h"

typedef struct win32_deadline {
    int64_t timeout_ns;
    uint64_t mark; /* when it began */
} win32_deadline;

win32_deadline win32_deadline_in(int64_t timeout_ns);

/* Nanoseconds that are left: 0 when it has passed, UINT64_MAX of one that never comes. */
uint64_t win32_deadline_left(const win32_deadline *deadline);

/* What to ask of the kernel so that it does not come back before: INFINITE for one that never comes, else at most
   WIN32_LONGEST_MS. */
DWORD win32_deadline_ms(const win32_deadline *deadline);

/* The longest native timeout that is not for ever. */
#define WIN32_LONGEST_MS (INFINITE - 1)

#endif
