/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Semaphores. The state is the count.
 */
#include "core/plat.h"

#include "posix/error.h"
#include "posix/offer.h"

ist_status semaphore_offer(plat_object *semaphore, uint64_t state, offer *out, plat_error *error)
{
    if (state > semaphore->maximum)
        return error_refuse(error, IST_E_CORRUPT, "count", "%s", "above the maximum");
    out->signalled = state > 0;
    out->after = state - 1;
    return IST_OK;
}

static IST_APART ist_status release(plat_object *semaphore, uint32_t count, uint32_t *previous, plat_error *error)
{
    ist_status status = object_check_writable(semaphore, error);
    uint64_t state = 0;

    if (status == IST_OK)
        status = object_state(semaphore, &state, error);
    while (status == IST_OK) {
        if (state > semaphore->maximum)
            return error_refuse(error, IST_E_CORRUPT, "count", "%s", "above the maximum");
        if (count > semaphore->maximum - state)
            return error_refuse(error, IST_E_LIMIT, "maximum", "%s", "");
        *previous = (uint32_t)state;
        if (atomic_swap_u64(&semaphore->words->state, &state, state + count)) {
            object_wake(semaphore);
            return IST_OK;
        }
        status = object_state(semaphore, &state, error);
    }
    return status;
}

ist_status plat_semaphore_release(plat_object *semaphore, uint32_t count, uint32_t *previous, plat_error *error)
{
    uint64_t state = atomic_load_u64(&semaphore->words->state);
    uint64_t before = state;

    /* A tagged word is above any maximum. */
    if (semaphore->access != IST_WRITE || state > semaphore->maximum || count > semaphore->maximum - state ||
        !atomic_swap_u64(&semaphore->words->state, &state, state + count))
        return release(semaphore, count, previous, error);
    *previous = (uint32_t)before;
    object_wake(semaphore);
    return IST_OK;
}
