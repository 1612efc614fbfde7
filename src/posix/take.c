/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Taking one object by one swap of its state, and all of several by an attempt (posix/claim.h).
 */
#include "posix/take.h"

#include <sched.h>
#include <time.h>

#include "posix/error.h"

ist_status object_offer(plat_object *object, uint64_t state, const offer_asker *asker, offer *out, plat_error *error)
{
    *out = (offer){false, false, state, CLOCK_NEVER};
    switch (object->kind) {
    case PLAT_MUTEX:
        return mutex_offer(object, state, asker, out, error);
    case PLAT_SEMAPHORE:
        return semaphore_offer(object, state, out, error);
    case PLAT_EVENT:
        event_offer(object, state, asker, out);
        return IST_OK;
    default:
        return timer_offer(object, state, asker, out, error);
    }
}

static ist_status look(take_item *item, uint64_t state, bool watches, offer *out, plat_error *error)
{
    const offer_asker asker = {item->me, item->sets, item->counts_sets, watches ? &item->watch : NULL};
    ist_status status = IST_OK;

    life_unwatch(&item->watch);
    status = object_offer(item->object, state, &asker, out, error);
    item->due = out->due;
    return status;
}

static void taken(take_item *item, uint64_t before, const offer *found)
{
    life_unwatch(&item->watch);
    if (item->object->kind == PLAT_MUTEX)
        mutex_taken(item->object, before, found->abandoned, item->me);
}

/* ---- one ---- */

bool plat_wait_quickly(plat_object *object)
{
    volatile uint64_t *word = NULL;
    uint64_t state = 0;

    if (object->access != IST_WRITE || object->channel != NULL)
        return false;
    word = &object->words->state;
    state = atomic_load_u64(word);
    switch (object->kind) {
    case PLAT_SEMAPHORE: /* a tagged word is above any maximum */
        return state - 1 < object->maximum && atomic_swap_u64(word, &state, state - 1);
    case PLAT_EVENT:
        return !object->manual && state == 1 && atomic_swap_u64(word, &state, 0);
    default:
        return false;
    }
}

static ist_status look_at_channel(take_item *item, bool watches, plat_error *error)
{
    life_unwatch(&item->watch);
    return item->object->channel->look(item->object, watches ? &item->watch : NULL, error);
}

ist_status take_one(take_item *item, bool watches, plat_error *error)
{
    plat_object *object = item->object;
    uint64_t state = 0;
    offer found;
    ist_status status = IST_OK;

    if (object->channel != NULL)
        return look_at_channel(item, watches, error);
    status = object_state(object, &state, error);
    while (status == IST_OK) {
        uint64_t seen = state;

        status = look(item, state, watches, &found, error);
        if (status != IST_OK)
            break;
        if (found.signalled && (found.after == state || atomic_swap_u64(&object->words->state, &seen, found.after))) {
            taken(item, state, &found);
            return found.abandoned ? IST_ABANDONED : IST_OK;
        }
        if (!found.signalled && atomic_load_u64(&object->words->state) == state)
            return IST_TIMEOUT;
        status = object_state(object, &state, error);
    }
    life_unwatch(&item->watch);
    return status;
}

/* ---- all ---- */

/* One try of a wait for all. */
typedef struct gathering {
    take_item *items;
    const size_t *order;
    size_t count;
    bool watches;
    claim_attempt attempt;
    bool begun;
    uint64_t before[IST_WAIT_MAX]; /* by item: the state that was found, */
    offer found[IST_WAIT_MAX];     /* what it offered, */
    uint32_t claim[IST_WAIT_MAX];  /* and which of the attempt's items it is; NO_CLAIM if it was not tagged */
    size_t blocking;
    plat_error *error;
} gathering;

#define NO_CLAIM UINT32_MAX

/* Somebody else's attempt is in the way. It is mostly over in a moment: giving it up at once would let two waits for
   all defeat each other for ever. */
static ist_status settle_politely(plat_object *object, uint64_t tag, unsigned *patience, plat_error *error)
{
    if (*patience > 0) {
        --*patience;
        (void)sched_yield();
        return IST_OK;
    }
    return claim_settle(object->claims, &object->words->state, tag, error);
}

static ist_status begin(gathering *all, take_item *item)
{
    ist_status status = IST_OK;

    if (!all->begun) {
        status = claim_begin(item->object->claims, item->object->lives, item->me, &all->attempt, all->error);
        all->begun = status == IST_OK;
    }
    return status;
}

#define PATIENCE 20

/* Looks at one object and tags it if a take changes it. IST_TIMEOUT: it is not signalled. */
static ist_status gather(gathering *all, size_t index)
{
    take_item *item = &all->items[index];
    volatile uint64_t *word = &item->object->words->state;
    unsigned patience = PATIENCE;
    ist_status status = IST_OK;

    while (status == IST_OK) {
        uint64_t state = atomic_load_u64(word);

        if (claim_is_tag(state)) {
            status = settle_politely(item->object, state, &patience, all->error);
            continue;
        }
        status = look(item, state, all->watches, &all->found[index], all->error);
        if (status != IST_OK)
            break;
        all->before[index] = state;
        if (!all->found[index].signalled) {
            if (atomic_load_u64(word) != state)
                continue;
            all->blocking = index;
            return IST_TIMEOUT;
        }
        if (all->found[index].after == state)
            return IST_OK;
        status = begin(all, item);
        if (status != IST_OK)
            return status == IST_TIMEOUT ? IST_EMPTY : status;
        all->claim[index] = all->attempt.count;
        if (claim_add(&all->attempt, item->object->entry.header.id, word, &state, all->found[index].after))
            return IST_OK;
        all->claim[index] = NO_CLAIM;
    }
    return status;
}

/* What a take does not change was signalled when it was looked at; if its state is still the same, it was so at the one
   instant between the two looks, and all that is tagged stood still. */
static bool still_stands(const gathering *all)
{
    for (size_t n = 0; n < all->count; n++)
        if (all->claim[n] == NO_CLAIM && atomic_load_u64(&all->items[n].object->words->state) != all->before[n])
            return false;
    return true;
}

/* Looks at what is not tagged once more, after the last tag. IST_EMPTY: something has changed. */
static ist_status look_again(gathering *all)
{
    for (size_t n = 0; n < all->count; n++) {
        offer found;
        ist_status status = IST_OK;

        if (all->claim[n] != NO_CLAIM)
            continue;
        if (atomic_load_u64(&all->items[n].object->words->state) != all->before[n])
            return IST_EMPTY;
        status = look(&all->items[n], all->before[n], all->watches, &found, all->error);
        if (status != IST_OK)
            return status;
        if (!found.signalled)
            return IST_EMPTY;
    }
    return still_stands(all) ? IST_OK : IST_EMPTY;
}

static ist_status finish(gathering *all, ist_status status)
{
    bool done = status == IST_OK;

    if (all->begun) {
        done = claim_decide(&all->attempt, done);
        if (!done && status == IST_OK)
            status = IST_EMPTY; /* somebody gave it up */
        for (size_t n = 0; n < all->count; n++)
            if (all->claim[n] != NO_CLAIM)
                claim_finish(&all->attempt, all->claim[n], &all->items[n].object->words->state);
        claim_end(&all->attempt);
    }
    for (size_t n = 0; n < all->count && done; n++) {
        taken(&all->items[n], all->before[n], &all->found[n]);
        if (all->found[n].abandoned)
            status = IST_ABANDONED;
    }
    return status;
}

/* IST_EMPTY: the world has moved; try again. */
static ist_status try_all(gathering *all)
{
    ist_status status = IST_OK;

    all->begun = false;
    for (size_t n = 0; n < all->count; n++)
        all->claim[n] = NO_CLAIM;
    for (size_t n = 0; n < all->count && status == IST_OK; n++)
        status = gather(all, all->order[n]);
    if (status == IST_OK)
        status = look_again(all);
    return finish(all, status);
}

/* Tries in a row that others have defeated, at least; then the deadline counts. Between them pauses, growing and
   random, up to a millisecond. */
#define LEAST_TRIES 200
#define TRIES_WITHOUT_PAUSE 8
#define LONGEST_PAUSE 1000000L

static void pause_after(int tries, uint64_t salt)
{
    struct timespec rest = {0, 0};
    long most = tries < LONGEST_PAUSE / 1000 ? 1000L * tries : LONGEST_PAUSE;

    if (tries < TRIES_WITHOUT_PAUSE) {
        (void)sched_yield();
        return;
    }
    rest.tv_nsec = (long)(((uint64_t)clock_steady() * 0x9E3779B97F4A7C15u ^ salt) >> 33) % most;
    (void)nanosleep(&rest, NULL);
}

/* Also a timer that was not come to is seen to be due, and says when it will be. */
static void look_at_timer(take_item *item)
{
    plat_error error;
    uint64_t state = 0;
    offer found;

    if (item->object->kind == PLAT_TIMER && object_peek(item->object, &state))
        (void)look(item, state, false, &found, &error);
}

ist_status take_all(take_item *items, const size_t *order, size_t count, int64_t deadline, bool watches,
                    size_t *blocking, plat_error *error)
{
    gathering all = {.items = items, .order = order, .count = count, .watches = watches, .error = error};
    ist_status status = try_all(&all);

    for (int tries = 1; status == IST_EMPTY && (tries < LEAST_TRIES || clock_steady() < deadline); tries++) {
        pause_after(tries, items[0].me);
        status = try_all(&all);
    }
    for (size_t n = 0; n < count && status == IST_TIMEOUT; n++)
        look_at_timer(&items[n]);
    *blocking = all.blocking;
    return status;
}
