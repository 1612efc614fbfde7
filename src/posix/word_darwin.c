/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * macOS 14.4 and later: os_sync_wait_on_address, for one word; several are polled. Written from Apple's documentation;
 * it has never been run.
 */
#include "posix/word.h"

#if defined(__APPLE__) && !defined(ISTHMUS_POSIX_POLL)

#include <os/os_sync_wait_on_address.h>

#include "posix/clock.h"

void word_sleep(const word_watch *watches, size_t count, int64_t until_ns)
{
    int64_t left = until_ns - clock_steady();

    if (left <= 0)
        return;
    if (count == 1)
        (void)os_sync_wait_on_address_with_timeout((void *)(uintptr_t)watches->word, watches->value,
                                                   sizeof *watches->word, OS_SYNC_WAIT_ON_ADDRESS_SHARED,
                                                   OS_CLOCK_MACH_ABSOLUTE_TIME, (uint64_t)left);
    else
        word_poll(watches, count, until_ns);
}

void word_wake(const volatile uint32_t *word)
{
    (void)os_sync_wake_by_address_all((void *)(uintptr_t)word, sizeof *word, OS_SYNC_WAKE_BY_ADDRESS_SHARED);
}

bool word_waits_for_several(void)
{
    return false;
}

#else
typedef int word_darwin_is_empty; /* ISO C wants a declaration */
#endif
