/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Mutexes. The state is the life id of the thread that owns it, 0 if nobody does. The owner writes what it was to
 * itself (recursion) and, when it releases, 0; whoever finds the owner ended writes his own id over it. Ids are never
 * used again, so that a swap that finds the id that was read has found the same ownership. Of a free mutex the
 * recursion is 0, so that the usual acquisition is one swap and no other store, for which the release would have to
 * wait.
 */
#include "core/plat.h"

#include "posix/error.h"
#include "posix/offer.h"

/* After the first acquisition: together as often as Windows lets a mutex be acquired. */
#define MOST_AGAIN UINT32_C(0x7ffffffe)

ist_status mutex_offer(plat_object *mutex, uint64_t state, const offer_asker *asker, offer *out, plat_error *error)
{
    out->after = asker->me;
    if (state == 0) {
        out->signalled = true;
    } else if (state == asker->me) {
        out->signalled = true;
        if (mutex->words->recursion >= MOST_AGAIN)
            return error_refuse(error, IST_E_LIMIT, "acquisitions", "%s", "");
    } else {
        out->abandoned = life_has_ended(mutex->lives, state, &mutex->entry, asker->watch);
        out->signalled = out->abandoned;
    }
    return IST_OK;
}

/* Those who sleep do so on the life of the owner before: they are to look at the new one (HAZARD 12). */
void mutex_taken(plat_object *mutex, uint64_t before, bool abandoned, uint64_t me)
{
    if (before == me)
        mutex->words->recursion++;
    if (abandoned) {
        mutex->words->recursion = 0;
        life_spread(mutex->lives, before);
        object_wake(mutex);
    }
}

ist_status plat_mutex_release(plat_object *mutex, plat_error *error)
{
    volatile object_words *words = mutex->words;
    uint64_t me = life_if_any(mutex->lives);
    uint64_t state = me;
    ist_status status = object_check_writable(mutex, error);

    if (status != IST_OK)
        return status;
    if (me == 0 || atomic_load_u64(&words->state) != me)
        return error_refuse(error, IST_E_NOT_OWNER, "mutex", "%s", "");
    if (words->recursion > 0) {
        words->recursion--;
        return IST_OK;
    }
    if (!atomic_swap_u64(&words->state, &state, 0)) /* nobody may swap what we own */
        return error_refuse(error, IST_E_CORRUPT, "mutex", "%s", "");
    object_wake(mutex);
    return IST_OK;
}

/* ---- what is usual ---- */

/* What the calling thread knows of itself, if it is known in the mutex's scope. */
static inline const life_mine *find_mine(const plat_object *mutex)
{
    const life_mine *mine = &life_known[mutex->place];

    return mine->of == mutex->writer_lives && mine->generation == *life_generation ? mine : NULL;
}

ist_status plat_mutex_acquire(plat_object *mutex, int64_t timeout_ns, plat_otherwise *otherwise)
{
    const life_mine *mine = find_mine(mutex);
    uint64_t free_state = 0;

    if (mine == NULL || !atomic_swap_u64(&mutex->words->state, &free_state, mine->id))
        return otherwise(mutex, timeout_ns);
    return IST_OK;
}

static IST_APART ist_status wake(plat_object *mutex)
{
    object_wake_sleepers(mutex);
    return IST_OK;
}

ist_status plat_mutex_release_quickly(plat_object *mutex, plat_otherwise *otherwise)
{
    const life_mine *mine = find_mine(mutex);
    volatile object_words *words = mutex->words;
    uint64_t owned_state = 0;

    if (mine == NULL || words->recursion != 0)
        return otherwise(mutex, 0);
    owned_state = mine->id;
    if (!atomic_swap_u64(&words->state, &owned_state, 0))
        return otherwise(mutex, 0);
    if ((atomic_load_u32(&words->wake) & 1) != 0)
        return wake(mutex);
    return IST_OK;
}
