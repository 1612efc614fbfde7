/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Polling: looks at the words with pauses that grow. The whole of the layer where ISTHMUS_POSIX_POLL asks for it or the
 * system has no address wait of its own; elsewhere what is left when the system refuses one.
 */
#include "posix/word.h"

#include <time.h>

#include "core/atomic.h"
#include "posix/clock.h"

#define FIRST_PAUSE INT64_C(20000)
#define LONGEST_PAUSE INT64_C(4000000)

static bool has_changed(const word_watch *watches, size_t count)
{
    for (size_t n = 0; n < count; n++)
        if (atomic_load_u32(watches[n].word) != watches[n].value)
            return true;
    return false;
}

void word_poll(const word_watch *watches, size_t count, int64_t until_ns)
{
    int64_t pause = FIRST_PAUSE;

    while (!has_changed(watches, count)) {
        int64_t left = until_ns - clock_steady();
        struct timespec rest = {0, 0};

        if (left <= 0)
            return;
        rest.tv_nsec = (long)(left < pause ? left : pause);
        (void)nanosleep(&rest, NULL);
        pause = pause * 2 < LONGEST_PAUSE ? pause * 2 : LONGEST_PAUSE;
    }
}

#if defined(ISTHMUS_POSIX_POLL) || !(defined(__linux__) || defined(__APPLE__) || defined(__FreeBSD__))

void word_sleep(const word_watch *watches, size_t count, int64_t until_ns)
{
    word_poll(watches, count, until_ns);
}

void word_wake(const volatile uint32_t *word)
{
    (void)word;
}

bool word_waits_for_several(void)
{
    return false;
}

#endif
