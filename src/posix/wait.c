/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Waits. A waiter looks; says in the wake word of each object that it is going to sleep (bit 0); looks again; and
 * sleeps while the words are what it has seen. Who changes an object reads the wake word after that, and if bit 0 is
 * set moves the word on and wakes everybody. Every sleep ends after the re-check interval, and the waiter begins anew:
 * that heals what a process left undone that was stopped or killed between a change and its wake.
 */
#include "core/plat.h"

#include <pthread.h>

#include "posix/clock.h"
#include "posix/error.h"
#include "posix/take.h"

/* One call. */
typedef struct waiting {
    const plat_wait_request *request;
    plat_object *objects[IST_WAIT_MAX]; /* those of the request, which a close of their handles may free */
    take_item items[IST_WAIT_MAX];
    size_t order[IST_WAIT_MAX]; /* of a wait for all: by the objects' ids */
    size_t blocking;            /* of a wait for all: one that was not signalled */
    size_t index;               /* what was taken */
    plat_error *error;
} waiting;

static bool is_owned(const plat_object *object)
{
    return object->kind == PLAT_MUTEX;
}

/* ---- begin ---- */

/* Whether the handle may wait for it (A1). */
static ist_status check_access(const plat_object *object, plat_error *error)
{
    bool takes = object->claims != NULL;

    return takes ? object_check_writable(object, error) : IST_OK;
}

static ist_status read_sets(take_item *item, plat_error *error)
{
    plat_object *object = item->object;
    uint64_t state = 0;
    ist_status status = IST_OK;

    if (!object->manual || object->kind == PLAT_MUTEX || object->kind == PLAT_SEMAPHORE)
        return IST_OK;
    status = object_state(object, &state, error);
    if (status == IST_OK && object->kind == PLAT_EVENT)
        item->sets = event_sets(state);
    else if (status == IST_OK)
        status = timer_sets(object, state, &item->sets, error);
    return status;
}

static ist_status begin_item(take_item *item, plat_object *object, bool all, plat_error *error)
{
    bool needs_life = is_owned(object) || (all && object->claims != NULL);
    ist_status status = check_access(object, error);

    *item = (take_item){.object = object, .counts_sets = !all, .due = CLOCK_NEVER};
    if (status == IST_OK && needs_life)
        status = life_own(object->lives, &item->me, error);
    if (status == IST_OK && !all)
        status = read_sets(item, error);
    return status;
}

static uint64_t id_at(const waiting *here, size_t place)
{
    return here->objects[here->order[place]]->entry.header.id;
}

/* Everybody tags in the order of the ids, so that two who want the same meet at the first. */
static ist_status sort_items(waiting *here)
{
    size_t count = here->request->count;

    for (size_t n = 0; n < count; n++) {
        size_t at = n;

        here->order[n] = n;
        for (; at > 0 && id_at(here, at - 1) > here->objects[n]->entry.header.id; at--)
            here->order[at] = here->order[at - 1];
        here->order[at] = n;
    }
    for (size_t n = 1; n < count; n++)
        if (id_at(here, n - 1) == id_at(here, n))
            return error_refuse(here->error, IST_E_ARG, "items", "%s", "the same object twice");
    return IST_OK;
}

/* Audiences that are groups may be of several. */
static bool is_one_table(const waiting *here, size_t index)
{
    const claims *table = here->items[index].object->claims;

    for (size_t n = 0; n < index; n++)
        if (table != NULL && here->items[n].object->claims != NULL && here->items[n].object->claims != table)
            return false;
    return true;
}

/* What is claimed must be claimed in one table. */
static ist_status check_together(const waiting *here)
{
    const registry_entry *first = &here->items[0].object->entry;

    for (size_t n = 1; n < here->request->count; n++) {
        const registry_entry *other = &here->items[n].object->entry;

        if (other->where.state != first->where.state || other->owner != first->owner ||
            other->header.audience != first->header.audience || !is_one_table(here, n))
            return error_refuse(here->error, IST_E_UNSUPPORTED, "items", "%s", "of different scope, owner or audience");
    }
    return IST_OK;
}

static ist_status begin(waiting *here)
{
    const plat_wait_request *request = here->request;
    bool together = request->all && request->count > 1;
    ist_status status = together ? sort_items(here) : IST_OK;

    for (size_t n = 0; n < request->count && status == IST_OK; n++)
        status = begin_item(&here->items[n], request->items[n], together, here->error);
    return status == IST_OK && together ? check_together(here) : status;
}

static ist_status give_signal(plat_object *object, plat_error *error)
{
    uint32_t previous = 0;

    switch (object->kind) {
    case PLAT_MUTEX:
        return plat_mutex_release(object, error);
    case PLAT_SEMAPHORE:
        return plat_semaphore_release(object, 1, &previous, error);
    default:
        return plat_event_set(object, error);
    }
}

/* ---- look ---- */

/* The lowest that is signalled: in their order each was looked at, so that none before it was signalled throughout. */
static ist_status look(waiting *here, int64_t deadline, bool watches)
{
    size_t count = here->request->count;

    if (here->request->all && count > 1)
        return take_all(here->items, here->order, count, deadline, watches, &here->blocking, here->error);
    for (size_t n = 0; n < count; n++) {
        ist_status status = take_one(&here->items[n], watches, here->error);

        if (status != IST_TIMEOUT) {
            here->index = n;
            return status;
        }
    }
    return IST_TIMEOUT;
}

/* ---- sleep ---- */

/* Of a wait for all only one that is not signalled is slept on: until it is, nothing can be taken. */
static bool sleeps_on(const waiting *here, size_t index)
{
    return !here->request->all || here->request->count == 1 || index == here->blocking;
}

/* Says that somebody is going to sleep. Edge: announce, then look again; its partner is object_wake(). Who may only
   read need not say it (OBJECT_ALWAYS_WAKES). */
static word_watch announce(plat_object *object)
{
    volatile uint32_t *wake = NULL;
    uint32_t seen = 0;

    if (object->channel != NULL)
        return object->channel->announce(object);
    wake = &object->words->wake;
    seen = atomic_load_u32(wake);
    if (!object_may_write(object))
        return (word_watch){wake, seen};
    while ((seen & 1) == 0 && !atomic_swap_u32(wake, &seen, seen | 1))
        continue;
    return (word_watch){wake, seen | 1};
}

static void announce_all(const waiting *here, word_watch *announced)
{
    for (size_t n = 0; n < here->request->count; n++)
        if (sleeps_on(here, n))
            announced[n] = announce(here->items[n].object);
}

static int64_t sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static void sleep_until(waiting *here, const word_watch *announced, int64_t deadline)
{
    word_watch watches[WORD_WATCH_MAX];
    size_t count = 0;
    int64_t until = sooner(deadline, clock_next_recheck());

    for (size_t n = 0; n < here->request->count; n++) {
        until = sooner(until, here->items[n].due);
        if (sleeps_on(here, n))
            watches[count++] = announced[n];
    }
    for (size_t n = 0; n < here->request->count; n++)
        if (sleeps_on(here, n) && here->items[n].watch.word.word != NULL)
            watches[count++] = here->items[n].watch.word;
    word_sleep(watches, count, until);
}

static void unwatch_all(waiting *here)
{
    for (size_t n = 0; n < here->request->count; n++)
        life_unwatch(&here->items[n].watch);
}

static int64_t deadline_of(int64_t timeout_ns)
{
    return timeout_ns == IST_FOREVER ? CLOCK_NEVER : clock_add(clock_steady(), timeout_ns);
}

/* The channels' words may go. */
static void rest_all(const waiting *here, word_watch *announced)
{
    for (size_t n = 0; n < here->request->count; n++) {
        plat_object *object = here->items[n].object;

        if (announced[n].word != NULL && object->channel != NULL && object->channel->rest != NULL)
            object->channel->rest(object, announced[n].word);
        announced[n].word = NULL;
    }
}

/* Whether somebody has woken those who sleep: then nobody is announced any more. */
static bool has_moved(const waiting *here, const word_watch *announced)
{
    for (size_t n = 0; n < here->request->count; n++)
        if (sleeps_on(here, n) && announced[n].word != NULL && atomic_load_u32(announced[n].word) != announced[n].value)
            return true;
    return false;
}

/* The blocking part. */
static ist_status block(waiting *here, int64_t deadline)
{
    word_watch announced[IST_WAIT_MAX] = {{NULL, 0}};
    ist_status status = IST_TIMEOUT;

    while (status == IST_TIMEOUT) {
        bool over = deadline != CLOCK_NEVER && clock_steady() >= deadline;
        bool sleeps = false;
        bool moved = false;
        size_t blocking = here->blocking;

        announce_all(here, announced);
        status = look(here, deadline, !over);
        sleeps = status == IST_TIMEOUT && !over && blocking == here->blocking;
        if (sleeps)
            sleep_until(here, announced, deadline);
        unwatch_all(here);
        moved = sleeps && has_moved(here, announced);
        rest_all(here, announced);
        if (over)
            break;
        /* Who takes what woke him has not announced himself again, and costs the next signal no needless call. */
        if (moved)
            status = look(here, deadline, false);
    }
    return status;
}

/* The objects stay while the wait lasts, whoever closes their handles, be it in answer to the signal (L5). */
static ist_status wait(waiting *here)
{
    const plat_wait_request *request = here->request;
    int64_t timeout_ns = request->timeout_ns;
    bool signals = request->signal != NULL;
    int64_t deadline = 0;
    ist_status status = begin(here);

    if (status == IST_OK && signals)
        status = give_signal(request->signal, here->error);
    if (status == IST_OK) {
        if (timeout_ns != 0)
            deadline = deadline_of(timeout_ns);
        status = look(here, deadline, false);
    }
    if (status == IST_TIMEOUT && timeout_ns != 0)
        status = block(here, deadline);
    if (status != IST_EMPTY)
        return status;
    return timeout_ns != 0 ? IST_TIMEOUT
                           : error_refuse(here->error, IST_E_LIMIT, "attempts", "%s", "others were always in the way");
}

ist_status plat_wait(const plat_wait_request *request, size_t *index, plat_error *error)
{
    waiting here;
    plat_wait_request ours = *request;
    size_t count = ours.count;
    ist_status status = IST_OK;
    int cancel_state = 0;

    ours.items = here.objects;
    here.request = &ours;
    here.blocking = 0;
    here.index = 0;
    here.error = error;
    /* Some of the sleeps are points where a thread can be cancelled. */
    (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
    for (size_t n = 0; n < count; n++) {
        here.objects[n] = request->items[n];
        object_reference(here.objects[n]);
    }
    status = wait(&here);
    for (size_t n = 0; n < count; n++)
        object_release(here.objects[n]);
    (void)pthread_setcancelstate(cancel_state, NULL);
    *index = here.index;
    return status;
}
