/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * What waiting costs while nothing happens: the processor time of 100 processes that are blocked in a wait, against as
 * many that only sleep as long as the library's re-check and look at a word.
 *
 * A share of one processor is the same number on every machine of its speed, so that it may be shown as it is.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <isthmus/isthmus.h>

#include "fail.h"
#include "measure.h"
#include "options.h"
#include "peers.h"
#include "raw.h"
#include "table.h"

#define WAITERS 100 /* of each of the two */
#define SEVERAL 8   /* in a wait for any */
#define SECONDS 10  /* fewer where fewer pairs are asked for */
#define SETTLING 1500000000
#define GOAL_PERCENT 0.5

typedef struct room {
    uint32_t *stop;
    raw_event *owned; /* the owner has the mutex */
    ist_event *leave; /* manual-reset; stays unset while it is measured */
    ist_event *never[SEVERAL - 2];
    ist_mutex *mutex;
    int64_t recheck_ns;
} room;

/* ---- those who wait ---- */

static bool be_owner(void *context)
{
    const room *all = context;
    ist_status status = ist_mutex_acquire(all->mutex, IST_FOREVER);

    raw_set(all->owned);
    if (status == IST_OK)
        status = ist_wait(ist_event_waitable(all->leave), IST_FOREVER);
    if (status == IST_OK)
        status = ist_mutex_release(all->mutex);
    return status == IST_OK || fail_library("ist_mutex_acquire", status);
}

static bool wait_for_event(void *context)
{
    const room *all = context;
    ist_status status = ist_wait(ist_event_waitable(all->leave), IST_FOREVER);

    return status == IST_OK || fail_library("ist_wait", status);
}

static bool wait_for_mutex(void *context)
{
    const room *all = context;
    ist_status status = ist_mutex_acquire(all->mutex, IST_FOREVER);

    if (status == IST_OK)
        status = ist_mutex_release(all->mutex);
    return status == IST_OK || fail_library("ist_mutex_acquire", status);
}

static bool wait_for_any(void *context)
{
    const room *all = context;
    const ist_waitable *items[SEVERAL] = {ist_event_waitable(all->leave), ist_mutex_waitable(all->mutex)};
    size_t index = 0;
    ist_status status = IST_OK;

    for (size_t n = 2; n < SEVERAL; n++)
        items[n] = ist_event_waitable(all->never[n - 2]);
    status = ist_wait_any(items, SEVERAL, IST_FOREVER, &index);
    if (status == IST_OK && index == 1)
        status = ist_mutex_release(all->mutex);
    return status == IST_OK || fail_library("ist_wait_any", status);
}

static bool only_sleep(void *context)
{
    const room *all = context;

    while (__atomic_load_n(all->stop, __ATOMIC_SEQ_CST) == 0)
        raw_sleep(all->stop, 0, all->recheck_ns);
    return true;
}

typedef struct kind {
    const char *name;
    peers_role *role;
} kind;

static const kind kinds[] = {
    {"an event", wait_for_event},
    {"a mutex with a living owner", wait_for_mutex},
    {"any of 7 events and the mutex", wait_for_any},
};
#define KINDS (sizeof kinds / sizeof kinds[0])

/* ---- the table ---- */

/* Seconds that the process has run; below 0 on failure. */
static double time_of(pid_t process)
{
    clockid_t clock = 0;
    struct timespec ran = {0, 0};

    if (clock_getcpuclockid(process, &clock) != 0 || clock_gettime(clock, &ran) != 0)
        return fail_system("clock_getcpuclockid"), -1;
    return (double)ran.tv_sec + (double)ran.tv_nsec / 1e9;
}

/* Adds up, by kind, what those have run. */
static void add_times(const peers *waiters, size_t kinds_among, double sign, double *sums)
{
    for (size_t n = 0; n < waiters->count; n++)
        sums[n % kinds_among] += sign * time_of(waiters->each[n]);
}

static void rest(int64_t ns)
{
    const struct timespec time = {(time_t)(ns / 1000000000), (long)(ns % 1000000000)};

    (void)nanosleep(&time, NULL);
}

static void measure(const peers *ours, const peers *raw, int64_t seconds)
{
    double ours_s[KINDS] = {0};
    double all_s = 0;
    double raw_s = 0;
    double begin_ns = 0;
    double passed_s = 0;

    rest(SETTLING);
    begin_ns = measure_now_ns();
    add_times(ours, KINDS, -1, ours_s);
    add_times(raw, 1, -1, &raw_s);
    rest(seconds * 1000000000);
    add_times(ours, KINDS, 1, ours_s);
    add_times(raw, 1, 1, &raw_s);
    passed_s = (measure_now_ns() - begin_ns) / 1e9;
    (void)printf("\n# Nothing happens: %d blocked processes for %.0f seconds\n\n"
                 "| waiting for | processes | percent of one processor | goal | | us per process and second |\n"
                 "|---|---:|---:|---:|---|---:|\n",
                 WAITERS, passed_s);
    for (size_t n = 0; n < KINDS; n++) {
        size_t count = (WAITERS + KINDS - 1 - n) / KINDS;

        all_s += ours_s[n];
        (void)printf("| %s | %zu | %.2f | | | %.0f |\n", kinds[n].name, count, 100 * ours_s[n] / passed_s,
                     1e6 * ours_s[n] / passed_s / (double)count);
    }
    (void)printf("| **all of these** | %d | **%.2f** | %.1f | %s | %.0f |\n", WAITERS, 100 * all_s / passed_s,
                 GOAL_PERCENT, table_verdict(100 * all_s / passed_s, GOAL_PERCENT), 1e6 * all_s / passed_s / WAITERS);
    (void)printf("| a futex word, with the re-check's timeout | %d | %.2f | | | %.0f |\n", WAITERS,
                 100 * raw_s / passed_s, 1e6 * raw_s / passed_s / WAITERS);
}

static bool run(room *all, int64_t seconds)
{
    peers owner = {{0}, 0};
    peers ours = {{0}, 0};
    peers raw = {{0}, 0};
    bool done = peers_start(&owner, be_owner, all);

    if (done)
        raw_wait(all->owned, RAW_FOREVER);
    for (size_t n = 0; n < WAITERS && done; n++)
        done = peers_start(&ours, kinds[n % KINDS].role, all) && peers_start(&raw, only_sleep, all);
    if (done)
        measure(&ours, &raw, seconds);
    *all->stop = 1;
    raw_wake_all(all->stop);
    (void)ist_event_set(all->leave);
    done = peers_join(&ours) && done;
    done = peers_join(&raw) && done;
    return peers_join(&owner) && done;
}

static bool make(room *all)
{
    ist_event_options manual = IST_EVENT_OPTIONS_INIT;
    ist_traits traits = IST_TRAITS_INIT;
    ist_status status = IST_OK;

    all->owned = raw_memory(2 * sizeof *all->owned);
    if (all->owned == NULL)
        return fail_system("mmap");
    all->stop = &all->owned[1].word;
    ist_traits_get(&traits);
    all->recheck_ns = (int64_t)traits.recheck_ns;
    manual.manual_reset = 1;
    status = ist_event_create(&all->leave, NULL, &manual);
    for (size_t n = 0; n < SEVERAL - 2 && status == IST_OK; n++)
        status = ist_event_create(&all->never[n], NULL, NULL);
    if (status == IST_OK)
        status = ist_mutex_create(&all->mutex, NULL, NULL);
    return status == IST_OK || fail_library("a create", status);
}

static void unmake(room *all)
{
    ist_mutex_close(all->mutex);
    for (size_t n = 0; n < SEVERAL - 2; n++)
        ist_event_close(all->never[n]);
    ist_event_close(all->leave);
    if (all->owned != NULL)
        (void)munmap(all->owned, 2 * sizeof *all->owned);
}

int main(int argc, char **argv)
{
    options how = {SECONDS, 1};
    static room all;
    bool done =
        options_read(argc, argv, &how) && make(&all) && run(&all, how.pairs < SECONDS ? (int64_t)how.pairs : SECONDS);

    unmake(&all);
    return done ? 0 : 1;
}
