/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * What an object offers to a waiter: whether it is signalled for that thread, and what its state is after a take. Each
 * kind answers in its own file; posix/take.c acts on the answers.
 */
#ifndef ISTHMUS_POSIX_OFFER_H
#define ISTHMUS_POSIX_OFFER_H

#include "posix/clock.h"
#include "posix/object.h"

/* Who asks. */
typedef struct offer_asker {
    uint64_t me;       /* the thread's life id; 0 where the object is no mutex */
    uint64_t sets;     /* of a manual-reset event or timer: its sets when the wait began */
    bool counts_sets;  /* a set since then releases although a reset followed (not in a wait for all) */
    life_watch *watch; /* filled by a mutex that another thread owns; may be NULL */
} offer_asker;

typedef struct offer {
    bool signalled;
    bool abandoned;
    uint64_t after; /* the state when it has been taken; the same as before where nothing is */
    int64_t due;    /* on the steady clock: when a timer that is not signalled will be; CLOCK_NEVER */
} offer;

/* state is untagged. What fails is damage: IST_E_CORRUPT; or IST_E_LIMIT. */
ist_status mutex_offer(plat_object *mutex, uint64_t state, const offer_asker *asker, offer *out, plat_error *error);
ist_status semaphore_offer(plat_object *semaphore, uint64_t state, offer *out, plat_error *error);
void event_offer(const plat_object *event, uint64_t state, const offer_asker *asker, offer *out);
ist_status timer_offer(plat_object *timer, uint64_t state, const offer_asker *asker, offer *out, plat_error *error);

/* How often a manual-reset event or timer has been set. */
uint64_t event_sets(uint64_t state);
ist_status timer_sets(plat_object *timer, uint64_t state, uint64_t *sets, plat_error *error);

/* What the new owner does after the state has become its id, or was already. */
void mutex_taken(plat_object *mutex, uint64_t before, bool abandoned, uint64_t me);

ist_status object_offer(plat_object *object, uint64_t state, const offer_asker *asker, offer *out, plat_error *error);

#endif
