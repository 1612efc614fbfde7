/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Events. Bit 0 of the state says whether it is set; of a manual-reset one the 62 bits above count how often it was, so
 * that a waiter sees that it was set although it has been reset since.
 */
#include "core/plat.h"

#include "posix/offer.h"

#define SET UINT64_C(1)
#define ONE_SET UINT64_C(2)

uint64_t event_sets(uint64_t state)
{
    return state / ONE_SET;
}

void event_offer(const plat_object *event, uint64_t state, const offer_asker *asker, offer *out)
{
    bool set = (state & SET) != 0;

    out->signalled = set || (event->manual && asker->counts_sets && event_sets(state) != asker->sets);
    out->after = event->manual ? state : state & ~SET;
}

static IST_APART ist_status change(plat_object *event, bool set, plat_error *error)
{
    ist_status status = object_check_writable(event, error);
    uint64_t state = 0;

    if (status == IST_OK)
        status = object_state(event, &state, error);
    while (status == IST_OK && ((state & SET) != 0) != set) {
        uint64_t counted = event->manual ? (state + ONE_SET) & ~CLAIM_TAG : state;

        if (atomic_swap_u64(&event->words->state, &state, set ? counted | SET : state & ~SET))
            break;
        status = object_state(event, &state, error);
    }
    return status;
}

/* Wakes also where it was set already: who set it may have died before it woke anybody. */
ist_status plat_event_set(plat_object *event, plat_error *error)
{
    uint64_t state = 0;
    bool quick = event->access == IST_WRITE && !event->manual && atomic_swap_u64(&event->words->state, &state, SET);
    ist_status status = quick ? IST_OK : change(event, true, error);

    if (status == IST_OK)
        object_wake(event);
    return status;
}

ist_status plat_event_reset(plat_object *event, plat_error *error)
{
    return change(event, false, error);
}
