/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * A mutex that several processes want at once, all the time, against a robust mutex shared by processes. Each adds one
 * to a counter under the mutex, so often; the time is that from the start until the last is through.
 *
 * README.md says what the hand-overs tell.
 */
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>

#include <isthmus/isthmus.h>

#include "fail.h"
#include "options.h"
#include "peers.h"
#include "raw.h"
#include "table.h"

/* What a mutex guards. */
typedef struct guarded {
    _Alignas(64) uint64_t count;
    uint64_t handovers; /* how often the owner was another one than before */
    uint32_t last;
} guarded;

typedef struct shared {
    _Alignas(64) pthread_mutex_t mutex;
    guarded by[2];               /* the raw mutex; ours */
    _Alignas(64) uint32_t round; /* moves on to start the crew */
    uint32_t which;              /* of the mutexes; STOP */
    _Alignas(64) uint32_t running;
    uint32_t next; /* of the crew to come */
} shared;

#define STOP 2

typedef struct contest {
    shared *raw;
    ist_mutex *ours;
    uint32_t crew;
    size_t batch;
} contest;

/* ---- the crew ---- */

static void work(guarded *what, uint32_t me)
{
    what->count++;
    what->handovers += what->last != me;
    what->last = me;
}

static bool contend_raw(const contest *all, uint32_t me)
{
    for (size_t n = 0; n < all->batch; n++) {
        if (pthread_mutex_lock(&all->raw->mutex) != 0)
            return fail_say("pthread_mutex_lock", "failed");
        work(&all->raw->by[0], me);
        if (pthread_mutex_unlock(&all->raw->mutex) != 0)
            return fail_say("pthread_mutex_unlock", "failed");
    }
    return true;
}

static bool contend_ours(const contest *all, uint32_t me)
{
    for (size_t n = 0; n < all->batch; n++) {
        ist_status status = ist_mutex_acquire(all->ours, IST_FOREVER);

        if (status != IST_OK)
            return fail_library("ist_mutex_acquire", status);
        work(&all->raw->by[1], me);
        status = ist_mutex_release(all->ours);
        if (status != IST_OK)
            return fail_library("ist_mutex_release", status);
    }
    return true;
}

static bool be_one_of_crew(void *context)
{
    const contest *all = context;
    uint32_t me = __atomic_add_fetch(&all->raw->next, 1, __ATOMIC_SEQ_CST);
    uint32_t seen = 0;

    if (!raw_stay(me % raw_processors()))
        return false;
    for (;;) {
        while (__atomic_load_n(&all->raw->round, __ATOMIC_SEQ_CST) == seen)
            raw_sleep(&all->raw->round, seen, RAW_FOREVER);
        seen++;
        if (all->raw->which == STOP)
            return true;
        if (!(all->raw->which == 0 ? contend_raw(all, me) : contend_ours(all, me)))
            return false;
        if (__atomic_sub_fetch(&all->raw->running, 1, __ATOMIC_SEQ_CST) == 0)
            raw_wake_all(&all->raw->running);
    }
}

/* ---- what is measured ---- */

static void start(const contest *all, uint32_t which)
{
    all->raw->which = which;
    all->raw->running = all->crew;
    (void)__atomic_add_fetch(&all->raw->round, 1, __ATOMIC_SEQ_CST);
    raw_wake_all(&all->raw->round);
}

static void contend(const contest *all, uint32_t which)
{
    uint32_t running = all->crew;

    start(all, which);
    while (running != 0) {
        raw_sleep(&all->raw->running, running, RAW_FOREVER);
        running = __atomic_load_n(&all->raw->running, __ATOMIC_SEQ_CST);
    }
}

static bool raw_contest(void *context)
{
    contend(context, 0);
    return true;
}

static bool our_contest(void *context)
{
    contend(context, 1);
    return true;
}

static double handovers_in_1000(const guarded *what)
{
    return 1000 * (double)what->handovers / (double)what->count;
}

static bool measure_crew(contest *all, uint32_t crew, const options *how)
{
    peers others = {{0}, 0};
    measure_result result;
    bool done = true;
    char what[128];

    all->crew = crew;
    all->raw->round = all->raw->next = 0;
    all->raw->by[0] = all->raw->by[1] = (guarded){0, 0, 0};
    for (uint32_t n = 0; n < crew && done; n++)
        done = peers_start(&others, be_one_of_crew, all);
    done = done && measure_compare(raw_contest, our_contest, all, how->pairs, 1, &result);
    start(all, STOP);
    done = peers_join(&others) && done;
    if (done && (all->raw->by[0].count != all->raw->by[1].count ||
                 all->raw->by[0].count != (uint64_t)crew * all->batch * (how->pairs + 1)))
        done = fail_say("the counters", "two owned one mutex at once");
    (void)snprintf(what, sizeof what, "mutex: acquire + release in %u processes; hand-overs in 1000: %.1f raw, %.1f",
                   (unsigned)crew, handovers_in_1000(&all->raw->by[0]), handovers_in_1000(&all->raw->by[1]));
    if (done)
        table_row(what, "robust mutex", &result, (double)crew * (double)all->batch, 1.0);
    return done;
}

static bool measure_all(contest *all, const options *how)
{
    char title[128];

    (void)snprintf(title, sizeof title, "All want one mutex: medians over %zu pairs of batches of %zu for each",
                   how->pairs, how->batch);
    table_begin(title);
    return measure_crew(all, 2, how) && measure_crew(all, 4, how);
}

static bool make(contest *all)
{
    ist_status status = IST_OK;

    all->raw = raw_memory(sizeof *all->raw);
    if (all->raw == NULL)
        return fail_system("mmap");
    if (!raw_mutex_make(&all->raw->mutex))
        return false;
    status = ist_mutex_create(&all->ours, NULL, NULL);
    return status == IST_OK || fail_library("ist_mutex_create", status);
}

static void unmake(contest *all)
{
    ist_mutex_close(all->ours);
    if (all->raw != NULL)
        (void)munmap(all->raw, sizeof *all->raw);
}

int main(int argc, char **argv)
{
    options how = {100, 20000};
    contest all = {NULL, NULL, 0, 0};
    bool done = options_read(argc, argv, &how) && make(&all);

    all.batch = how.batch;
    done = done && measure_all(&all, &how);
    unmake(&all);
    return done ? 0 : 1;
}
