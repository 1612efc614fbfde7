/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * What the calls cost when nobody else is there: a mutex, a semaphore and an automatic event against the C library's
 * robust mutex and semaphore, both shared by processes. Linked with the static library, and once more with the shared.
 */
#include <semaphore.h>
#include <stdint.h>
#include <sys/mman.h>

#include <isthmus/isthmus.h>

#include "fail.h"
#include "options.h"
#include "raw.h"
#include "table.h"

#define ROUNDS 1000 /* in one measured call, so that the call itself does not count */

#if defined(ISTHMUS_STATIC)
#define LINKED "static library"
#else
#define LINKED "shared library"
#endif

typedef struct shared {
    _Alignas(64) pthread_mutex_t mutex;
    _Alignas(64) sem_t semaphore;
} shared;

typedef struct objects {
    shared *raw;
    ist_mutex *mutex;
    ist_semaphore *semaphore;
    ist_event *event;
} objects;

/* ---- what is measured ---- */

static bool raw_mutex(void *context)
{
    const objects *all = context;
    int failed = 0;

    for (int i = 0; i < ROUNDS; i++) {
        failed |= pthread_mutex_lock(&all->raw->mutex);
        failed |= pthread_mutex_unlock(&all->raw->mutex);
    }
    return failed == 0 || fail_say("pthread_mutex_lock", "failed");
}

static bool our_mutex(void *context)
{
    const objects *all = context;
    ist_status failed = IST_OK;

    for (int i = 0; i < ROUNDS; i++) {
        failed |= ist_mutex_acquire(all->mutex, IST_FOREVER);
        failed |= ist_mutex_release(all->mutex);
    }
    return failed == IST_OK || fail_library("ist_mutex_acquire", failed);
}

static bool raw_semaphore(void *context)
{
    const objects *all = context;
    int failed = 0;

    for (int i = 0; i < ROUNDS; i++) {
        failed |= sem_post(&all->raw->semaphore);
        failed |= sem_wait(&all->raw->semaphore);
    }
    return failed == 0 || fail_system("sem_wait");
}

static bool our_semaphore(void *context)
{
    const objects *all = context;
    const ist_waitable *item = ist_semaphore_waitable(all->semaphore);
    ist_status failed = IST_OK;

    for (int i = 0; i < ROUNDS; i++) {
        failed |= ist_semaphore_release(all->semaphore, 1, NULL);
        failed |= ist_wait(item, IST_FOREVER);
    }
    return failed == IST_OK || fail_library("ist_wait", failed);
}

static bool our_event(void *context)
{
    const objects *all = context;
    const ist_waitable *item = ist_event_waitable(all->event);
    ist_status failed = IST_OK;

    for (int i = 0; i < ROUNDS; i++) {
        failed |= ist_event_set(all->event);
        failed |= ist_wait(item, IST_FOREVER);
    }
    return failed == IST_OK || fail_library("ist_wait", failed);
}

/* ---- the table ---- */

typedef struct comparison {
    const char *what;
    const char *against;
    measure_once *raw;
    measure_once *ours;
    double goal;
} comparison;

static const comparison comparisons[] = {
    {"mutex: acquire + release", "robust mutex: lock + unlock", raw_mutex, our_mutex, 0.7},
    {"semaphore: release + wait", "sem_post + sem_wait", raw_semaphore, our_semaphore, 1.5},
    {"automatic event: set + wait", "sem_post + sem_wait", raw_semaphore, our_event, 1.5},
};
#define COMPARISONS (sizeof comparisons / sizeof comparisons[0])

static bool measure_all(objects *all, const options *how)
{
    char title[128];

    (void)snprintf(title, sizeof title, "Nobody waits, %s: medians over %zu pairs of batches of %zu", LINKED,
                   how->pairs, how->batch * ROUNDS);
    table_begin(title);
    for (size_t i = 0; i < COMPARISONS; i++) {
        const comparison *one = &comparisons[i];
        measure_result result;

        if (!measure_compare(one->raw, one->ours, all, how->pairs, how->batch, &result))
            return false;
        table_row(one->what, one->against, &result, ROUNDS, one->goal);
    }
    return true;
}

static bool make(objects *all)
{
    ist_status status = IST_OK;

    all->raw = raw_memory(sizeof *all->raw);
    if (all->raw == NULL)
        return fail_system("mmap");
    if (!raw_mutex_make(&all->raw->mutex))
        return false;
    if (sem_init(&all->raw->semaphore, 1, 0) != 0)
        return fail_system("sem_init");
    status = ist_mutex_create(&all->mutex, NULL, NULL);
    if (status == IST_OK)
        status = ist_semaphore_create(&all->semaphore, NULL, NULL);
    if (status == IST_OK)
        status = ist_event_create(&all->event, NULL, NULL);
    return status == IST_OK || fail_library("a create", status);
}

static void unmake(objects *all)
{
    ist_event_close(all->event);
    ist_semaphore_close(all->semaphore);
    ist_mutex_close(all->mutex);
    if (all->raw != NULL)
        (void)munmap(all->raw, sizeof *all->raw);
}

int main(int argc, char **argv)
{
    options how = {4000, 2}; /* short batches: most are not interrupted */
    objects all = {NULL, NULL, NULL, NULL};
    bool done = options_read(argc, argv, &how) && make(&all) && measure_all(&all, &how);

    unmake(&all);
    return done ? 0 : 1;
}
