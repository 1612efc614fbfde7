/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * futex, futex_waitv, robust mutexes and processors, with no more around them than they need.
 */
#include "raw.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "fail.h"

/* As the kernel numbers them; not every C library comes with its headers. */
#define FUTEX_WAIT 0
#define FUTEX_WAKE 1

#define NUMBER_FUTEX_WAITV 449
#define MOST_EVENTS 64
#define WAITER_IS_32_BITS UINT32_C(2)

#if defined(SYS_futex_time64)
#define NUMBER_FUTEX SYS_futex_time64
#else
#define NUMBER_FUTEX SYS_futex
#endif

typedef struct kernel_waiter {
    uint64_t value;
    uint64_t address;
    uint32_t flags;
    uint32_t reserved;
} kernel_waiter;

void *raw_memory(size_t size)
{
    void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    return at != MAP_FAILED ? at : NULL;
}

/* ---- one word ---- */

void raw_set(raw_event *event)
{
    __atomic_store_n(&event->word, 1, __ATOMIC_SEQ_CST);
    (void)syscall(NUMBER_FUTEX, &event->word, FUTEX_WAKE, 1, NULL, NULL, 0);
}

void raw_wait(raw_event *event, int64_t timeout_ns)
{
    while (__atomic_exchange_n(&event->word, 0, __ATOMIC_SEQ_CST) == 0)
        raw_sleep(&event->word, 0, timeout_ns);
}

void raw_wake_all(uint32_t *word)
{
    (void)syscall(NUMBER_FUTEX, word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

void raw_sleep(uint32_t *word, uint32_t value, int64_t timeout_ns)
{
    const struct {
        int64_t seconds;
        int64_t nanoseconds;
    } timeout = {timeout_ns / 1000000000, timeout_ns % 1000000000};

    (void)syscall(NUMBER_FUTEX, word, FUTEX_WAIT, value, timeout_ns == RAW_FOREVER ? NULL : &timeout, NULL, 0);
}

/* ---- several ---- */

bool raw_wait_any(raw_event *events, size_t count, size_t *index)
{
    kernel_waiter waiters[MOST_EVENTS];

    for (size_t n = 0; n < count; n++)
        waiters[n] = (kernel_waiter){0, (uintptr_t)&events[n].word, WAITER_IS_32_BITS, 0};
    for (;;) {
        for (size_t n = 0; n < count; n++)
            if (__atomic_load_n(&events[n].word, __ATOMIC_SEQ_CST) != 0 &&
                __atomic_exchange_n(&events[n].word, 0, __ATOMIC_SEQ_CST) != 0) {
                *index = n;
                return true;
            }
        if (syscall(NUMBER_FUTEX_WAITV, waiters, (unsigned)count, 0U, NULL, CLOCK_MONOTONIC) < 0 && errno != EAGAIN &&
            errno != EINTR)
            return fail_system("futex_waitv");
    }
}

/* ---- mutex ---- */

bool raw_mutex_make(pthread_mutex_t *mutex)
{
    pthread_mutexattr_t kind;
    bool done = pthread_mutexattr_init(&kind) == 0;

    done = done && pthread_mutexattr_setpshared(&kind, PTHREAD_PROCESS_SHARED) == 0 &&
           pthread_mutexattr_setrobust(&kind, PTHREAD_MUTEX_ROBUST) == 0 && pthread_mutex_init(mutex, &kind) == 0;
    return done || fail_say("pthread_mutex_init", "robust and process-shared");
}

/* ---- processors ---- */

static cpu_set_t allowed;

static void learn_allowed(void)
{
    if (CPU_COUNT(&allowed) == 0)
        (void)sched_getaffinity(0, sizeof allowed, &allowed);
}

size_t raw_processors(void)
{
    learn_allowed();
    return (size_t)CPU_COUNT(&allowed);
}

bool raw_stay(size_t processor)
{
    cpu_set_t one;

    learn_allowed();
    CPU_ZERO(&one);
    for (size_t n = 0; n < CPU_SETSIZE; n++)
        if (CPU_ISSET(n, &allowed) && processor-- == 0) {
            CPU_SET(n, &one);
            return sched_setaffinity(0, sizeof one, &one) == 0 || fail_system("sched_setaffinity");
        }
    return fail_say("sched_setaffinity", "no such processor");
}

bool raw_roam(void)
{
    learn_allowed();
    return sched_setaffinity(0, sizeof allowed, &allowed) == 0 || fail_system("sched_setaffinity");
}

bool raw_yield_to_others(void)
{
    const struct sched_param none = {0};

    return sched_setscheduler(0, SCHED_BATCH, &none) == 0 || fail_system("sched_setscheduler");
}
