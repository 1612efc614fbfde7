/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * FreeBSD: _umtx_op, for one word; several are polled. Written from its manual; it has never been run.
 */
#include "posix/word.h"

#if defined(__FreeBSD__) && !defined(ISTHMUS_POSIX_POLL)

#include <sys/types.h>
#include <sys/umtx.h>
#include <time.h>

#include <limits.h>

#include "posix/clock.h"

void word_sleep(const word_watch *watches, size_t count, int64_t until_ns)
{
    struct _umtx_time until = {
        {(time_t)(until_ns / 1000000000), (long)(until_ns % 1000000000)}, UMTX_ABSTIME, CLOCK_MONOTONIC};

    if (count == 1) /* a size in place of the fourth argument says that the fifth is a _umtx_time */
        (void)_umtx_op((void *)(uintptr_t)watches->word, UMTX_OP_WAIT_UINT, watches->value,
                       (void *)(uintptr_t)sizeof until, &until);
    else
        word_poll(watches, count, until_ns);
}

void word_wake(const volatile uint32_t *word)
{
    (void)_umtx_op((void *)(uintptr_t)word, UMTX_OP_WAKE, INT_MAX, NULL, NULL);
}

bool word_waits_for_several(void)
{
    return false;
}

#else
typedef int word_freebsd_is_empty; /* ISO C wants a declaration */
#endif
