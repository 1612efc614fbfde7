/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * The state word of an object: read, settled, and told to who waits.
 */
#include "posix/error.h"
#include "posix/object.h"
#include "posix/timer.h"

ist_status object_check_writable(const plat_object *object, plat_error *error)
{
    return object->access == IST_WRITE ? IST_OK : error_refuse(error, IST_E_ACCESS, "handle", "%s", "for reading");
}

/* Attempts that come one upon the other, before it is somebody who means harm. */
#define MOST_SETTLED 1000000

/* An attempt is over in less time than this takes, unless its claimant does not run: given up at once by everybody who
   looks, no wait for all would ever come to an end beside somebody who polls. */
#define LOOKS_BEFORE_SETTLING 200

static uint64_t read_patiently(plat_object *object)
{
    uint64_t state = atomic_load_u64(&object->words->state);

    for (int i = 0; claim_is_tag(state) && i < LOOKS_BEFORE_SETTLING; i++)
        state = atomic_load_u64(&object->words->state);
    return state;
}

ist_status object_state(plat_object *object, uint64_t *state, plat_error *error)
{
    *state = read_patiently(object);
    for (int i = 0; claim_is_tag(*state); i++) {
        ist_status status = i < MOST_SETTLED
                                ? claim_settle(object->claims, &object->words->state, *state, error)
                                : error_refuse(error, IST_E_CORRUPT, "state word", "%s", "claimed again and again");

        if (status != IST_OK)
            return status;
        *state = read_patiently(object);
    }
    return IST_OK;
}

/* The count moves before the wake, so that who is on the way to sleep does not. Where the swap fails somebody else is
   at it, who may die before he wakes anybody. */
void object_wake_sleepers(plat_object *object)
{
    volatile uint32_t *wake = &object->words->wake;
    uint32_t seen = atomic_load_u32(wake);

    (void)atomic_swap_u32(wake, &seen, object->always_wakes ? seen + 2 : (seen + 2) & ~UINT32_C(1));
    word_wake(wake);
}

/* Times that an object may be settled by others while it is looked at. */
#define MOST_LOOKS 100

bool object_peek(const plat_object *object, uint64_t *state)
{
    for (int i = 0; i < MOST_LOOKS; i++) {
        uint64_t seen = atomic_load_u64(&object->words->state);

        *state = seen;
        if (!claim_is_tag(seen))
            return true;
        if (object->claims != NULL && claim_read(object->claims, seen, state) &&
            atomic_load_u64(&object->words->state) == seen)
            return true;
    }
    return false;
}

static void query_mutex(plat_object *object, uint64_t state, plat_object_state *out)
{
    uint64_t me = life_if_any(object->lives);

    out->owned_here = state != 0 && state == me;
    out->abandoned = state != 0 && !out->owned_here && life_has_ended(object->lives, state, &object->entry, NULL);
    out->count = state != 0 && !out->abandoned ? 1 : 0;
}

ist_status plat_object_query(plat_object *object, plat_object_state *out, plat_error *error)
{
    uint64_t state = 0;

    if (!object_peek(object, &state))
        return error_refuse(error, IST_E_CORRUPT, "state word", "%s", "");
    out->manual_reset = object->kind == PLAT_EVENT && object->manual;
    switch (object->kind) {
    case PLAT_MUTEX:
        query_mutex(object, state, out);
        return IST_OK;
    case PLAT_SEMAPHORE:
        out->count = (uint32_t)state;
        out->maximum = object->maximum;
        return state <= object->maximum ? IST_OK : error_refuse(error, IST_E_CORRUPT, "count", "%s", "");
    case PLAT_EVENT:
        out->count = (uint32_t)(state & 1);
        return IST_OK;
    default:
        return timer_query(object, &out->count, error);
    }
}
