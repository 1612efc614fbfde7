/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * What it costs to wait for another process: a ping-pong on two events against the same on two futex words, and a wait
 * for one of several against futex_waitv.
 *
 * Each of the two has a peer of its own, which sleeps while the other is measured. On one processor a peer runs when
 * the measuring process sleeps and not before, so that every wait blocks; on two it mostly does.
 */
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include <isthmus/isthmus.h>

#include "fail.h"
#include "options.h"
#include "peers.h"
#include "raw.h"
#include "table.h"

typedef struct shared {
    raw_event go[2]; /* to the peer of the raw calls, and to ours where only the answer is measured */
    raw_event answers[IST_WAIT_MAX];
    uint32_t stop;
} shared;

typedef struct stage {
    shared *raw;
    ist_event *go;
    ist_event *answers[IST_WAIT_MAX];
    const ist_waitable *items[IST_WAIT_MAX];
    size_t count; /* of the answers; the last one is set */
    size_t processor;
    int64_t timeout_ns; /* of the raw sleeps in the ping-pong */
} stage;

/* ---- ping-pong ---- */

static bool raw_ping(void *context)
{
    stage *all = context;

    raw_set(&all->raw->go[0]);
    raw_wait(&all->raw->answers[0], all->timeout_ns);
    return true;
}

static bool raw_pong(void *context)
{
    stage *all = context;

    if (!raw_stay(all->processor) || !raw_yield_to_others())
        return false;
    for (;;) {
        raw_wait(&all->raw->go[0], all->timeout_ns);
        if (all->raw->stop != 0)
            return true;
        raw_set(&all->raw->answers[all->count - 1]);
    }
}

static bool our_ping(void *context)
{
    stage *all = context;
    ist_status status = ist_event_set(all->go);

    if (status == IST_OK)
        status = ist_wait(all->items[0], IST_FOREVER);
    return status == IST_OK || fail_library("ist_wait", status);
}

static bool our_pong(void *context)
{
    stage *all = context;
    ist_status status = IST_OK;

    if (!raw_stay(all->processor) || !raw_yield_to_others())
        return false;
    while (status == IST_OK) {
        status = ist_wait(ist_event_waitable(all->go), IST_FOREVER);
        if (status == IST_OK && all->raw->stop != 0)
            return true;
        if (status == IST_OK)
            status = ist_event_set(all->answers[0]);
    }
    return fail_library("ist_wait", status);
}

/* ---- wait for any ---- */

static bool raw_any(void *context)
{
    stage *all = context;
    size_t index = 0;

    raw_set(&all->raw->go[0]);
    return raw_wait_any(all->raw->answers, all->count, &index) &&
           (index == all->count - 1 || fail_say("futex_waitv", "woken by the wrong word"));
}

static bool our_any(void *context)
{
    stage *all = context;
    size_t index = 0;
    ist_status status = IST_OK;

    raw_set(&all->raw->go[1]);
    status = ist_wait_any(all->items, all->count, IST_FOREVER, &index);
    if (status != IST_OK)
        return fail_library("ist_wait_any", status);
    return index == all->count - 1 || fail_say("ist_wait_any", "woken by the wrong event");
}

static bool our_setter(void *context)
{
    stage *all = context;
    ist_status status = IST_OK;

    if (!raw_stay(all->processor) || !raw_yield_to_others())
        return false;
    while (status == IST_OK) {
        raw_wait(&all->raw->go[1], RAW_FOREVER);
        if (all->raw->stop != 0)
            return true;
        status = ist_event_set(all->answers[all->count - 1]);
    }
    return fail_library("ist_event_set", status);
}

/* ---- the table ---- */

typedef struct comparison {
    const char *what;
    const char *against;
    measure_once *raw;
    measure_once *ours;
    peers_role *our_peer;
    size_t count;
    bool timed;
    double goal;
} comparison;

static const comparison comparisons[] = {
    {"ping-pong on two automatic events", "on two futex words", raw_ping, our_ping, our_pong, 1, false, 1.1},
    {"the same", "the same, slept on with a timeout", raw_ping, our_ping, our_pong, 1, true, 1.1},
    {"wait for any of 2 events, the last set", "futex_waitv", raw_any, our_any, our_setter, 2, false, 1.2},
    {"wait for any of 8", "futex_waitv", raw_any, our_any, our_setter, 8, false, 1.2},
    {"wait for any of 64", "futex_waitv", raw_any, our_any, our_setter, 64, false, 1.2},
};
#define COMPARISONS (sizeof comparisons / sizeof comparisons[0])

static bool stop(stage *all, peers *both)
{
    all->raw->stop = 1;
    raw_set(&all->raw->go[0]);
    raw_set(&all->raw->go[1]);
    (void)ist_event_set(all->go);
    return peers_join(both);
}

/* No sleep of the library's is longer. */
static int64_t recheck_ns(void)
{
    ist_traits traits = IST_TRAITS_INIT;

    ist_traits_get(&traits);
    return (int64_t)traits.recheck_ns;
}

/* How often this process has gone to sleep. */
static long sleeps(void)
{
    struct rusage used = {.ru_nvcsw = 0};

    (void)getrusage(RUSAGE_SELF, &used);
    return used.ru_nvcsw;
}

static void print_one(const comparison *one, bool apart, double slept_part, const measure_result *result)
{
    const char *where = apart ? "two processors" : "one processor";
    char what[128];

    if (slept_part < 0.95)
        (void)snprintf(what, sizeof what, "%s, %s (%.0f%% of the waits blocked)", one->what, where, 100 * slept_part);
    else
        (void)snprintf(what, sizeof what, "%s, %s", one->what, where);
    table_row(what, one->against, result, 1, one->goal);
}

/* The peers are on the next processor, or the same. */
static bool measure_one(stage *all, const comparison *one, bool apart, const options *how)
{
    peers both = {{0}, 0};
    measure_result result;
    double rounds = 2 * (double)((how->pairs + 1) * how->batch);
    long before = sleeps();
    bool done = false;

    *all->raw = (shared){.stop = 0};
    all->count = one->count;
    all->processor = apart ? 1 : 0;
    all->timeout_ns = one->timed ? recheck_ns() : RAW_FOREVER;
    done = raw_stay(0) && peers_start(&both, raw_pong, all) && peers_start(&both, one->our_peer, all) &&
           measure_compare(one->raw, one->ours, all, how->pairs, how->batch, &result);
    if (done)
        print_one(one, apart, (double)(sleeps() - before) / rounds, &result);
    done = stop(all, &both) && done;
    return ist_event_reset(all->go) == IST_OK && raw_roam() && done;
}

static bool measure_all(stage *all, const options *how)
{
    char title[128];

    (void)snprintf(title, sizeof title, "Another process answers: medians over %zu pairs of batches of %zu", how->pairs,
                   how->batch);
    table_begin(title);
    for (size_t i = 0; i < COMPARISONS; i++)
        for (int apart = 0; apart < (raw_processors() > 1 ? 2 : 1); apart++)
            if (!measure_one(all, &comparisons[i], apart != 0, how))
                return false;
    return true;
}

static bool make(stage *all)
{
    ist_status status = IST_OK;

    all->raw = raw_memory(sizeof *all->raw);
    if (all->raw == NULL)
        return fail_system("mmap");
    status = ist_event_create(&all->go, NULL, NULL);
    for (size_t n = 0; n < IST_WAIT_MAX && status == IST_OK; n++) {
        status = ist_event_create(&all->answers[n], NULL, NULL);
        all->items[n] = ist_event_waitable(all->answers[n]);
    }
    return status == IST_OK || fail_library("ist_event_create", status);
}

static void unmake(stage *all)
{
    ist_event_close(all->go);
    for (size_t n = 0; n < IST_WAIT_MAX; n++)
        ist_event_close(all->answers[n]);
    if (all->raw != NULL)
        (void)munmap(all->raw, sizeof *all->raw);
}

int main(int argc, char **argv)
{
    static stage all;
    options how = {600, 8};
    bool done = options_read(argc, argv, &how) && make(&all) && measure_all(&all, &how);

    unmake(&all);
    return done ? 0 : 1;
}
