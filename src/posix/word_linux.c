/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * futex for one word, futex_waitv for several. A kernel before 5.16 has no futex_waitv, and a filter may forbid it
 * (ENOSYS and EPERM alike): then several words are polled, except that of two the first is slept on, with shorter
 * sleeps.
 */
#include "posix/word.h"

#if defined(__linux__) && !defined(ISTHMUS_POSIX_POLL)

#include <errno.h>
#include <limits.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "core/atomic.h"
#include "posix/clock.h"

/* As the kernel numbers them; not every C library comes with its headers. */
#define FUTEX_WAKE 1
#define FUTEX_WAIT_BITSET 9
#define FUTEX_BITSET_MATCH_ANY UINT32_C(0xffffffff)

/* Of one number on every architecture that it exists on. */
#define NUMBER_FUTEX_WAITV 449

/* The call with 64-bit times, on every ABI. */
#if defined(SYS_futex_time64)
#define NUMBER_FUTEX SYS_futex_time64
#else
#define NUMBER_FUTEX SYS_futex
#endif

#define SLEEP_WITHOUT_WAITV INT64_C(5000000)

/* As the kernel has them on every ABI. */
typedef struct kernel_time {
    int64_t seconds;
    int64_t nanoseconds;
} kernel_time;

typedef struct kernel_waiter {
    uint64_t value;
    uint64_t address;
    uint32_t flags;
    uint32_t reserved;
} kernel_waiter;

#define WAITER_IS_32_BITS UINT32_C(2)

static volatile uint32_t waitv_is_missing;

static kernel_time to_kernel(int64_t ns)
{
    return (kernel_time){ns / 1000000000, ns % 1000000000};
}

static bool is_missing(long result)
{
    return result < 0 && (errno == ENOSYS || errno == EPERM);
}

/* Before Linux 5.1 there are no 64-bit times where longs have 32 bits. */
static void sleep_on_one(const word_watch *watch, int64_t until_ns)
{
    kernel_time until = to_kernel(until_ns);

    if (is_missing(
            syscall(NUMBER_FUTEX, watch->word, FUTEX_WAIT_BITSET, watch->value, &until, NULL, FUTEX_BITSET_MATCH_ANY)))
        word_poll(watch, 1, until_ns);
}

/* False where the system has no such call. */
static bool sleep_on_several(const word_watch *watches, size_t count, int64_t until_ns)
{
    kernel_waiter waiters[WORD_WATCH_MAX];
    kernel_time until = to_kernel(until_ns);

    for (size_t n = 0; n < count; n++)
        waiters[n] = (kernel_waiter){watches[n].value, (uintptr_t)watches[n].word, WAITER_IS_32_BITS, 0};
    return !is_missing(syscall(NUMBER_FUTEX_WAITV, waiters, (unsigned)count, 0U, &until, CLOCK_MONOTONIC));
}

static int64_t sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

void word_sleep(const word_watch *watches, size_t count, int64_t until_ns)
{
    if (count == 1) {
        sleep_on_one(watches, until_ns);
        return;
    }
    if (count > 1 && atomic_load_u32(&waitv_is_missing) == 0) {
        if (sleep_on_several(watches, count, until_ns))
            return;
        atomic_store_u32(&waitv_is_missing, 1);
    }
    if (count == 2)
        sleep_on_one(watches, sooner(until_ns, clock_add(clock_steady(), SLEEP_WITHOUT_WAITV)));
    else
        word_poll(watches, count, until_ns);
}

void word_wake(const volatile uint32_t *word)
{
    (void)syscall(NUMBER_FUTEX, word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

bool word_waits_for_several(void)
{
    if (atomic_load_u32(&waitv_is_missing) == 0 &&
        is_missing(syscall(NUMBER_FUTEX_WAITV, NULL, 0U, 0U, NULL, CLOCK_MONOTONIC)))
        atomic_store_u32(&waitv_is_missing, 1);
    return atomic_load_u32(&waitv_is_missing) == 0;
}

#else
typedef int word_linux_is_empty; /* ISO C wants a declaration */
#endif
