/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Mutexes: what a call asks for is checked here.
 */
#include <isthmus/mutex.h>

#include "core/detail.h"
#include "core/object.h"
#include "core/options.h"

OBJECT_HANDLE(mutex, PLAT_MUTEX)

static ist_status read_request(const ist_mutex_options *options, plat_object_request *request)
{
    ist_mutex_options ours;
    ist_status status = options_copy(&ours, sizeof ours, sizeof ours, options);

    if (status == IST_OK && ours.initially_owned > 1)
        status = detail_refuse(IST_E_ARG, "initially_owned");
    if (status == IST_OK)
        status = options_check_common(ours.audience, ours.trust);
    if (status == IST_OK) {
        request->initially = ours.initially_owned != 0;
        request->audience = ours.audience;
        request->trust_everyone = ours.trust == IST_TRUST_EVERYONE;
    }
    return status;
}

static ist_status acquire_otherwise(plat_object *mutex, int64_t timeout_ns)
{
    const ist_waitable item = {mutex, PLAT_MUTEX};

    return ist_wait(&item, timeout_ns);
}

ist_status ist_mutex_acquire(ist_mutex *mutex, int64_t timeout_ns)
{
    if (mutex == NULL || timeout_ns < IST_FOREVER)
        return detail_refuse(IST_E_ARG, "mutex and timeout_ns");
    return plat_mutex_acquire(mutex->waitable.plat, timeout_ns, acquire_otherwise);
}

static ist_status release_otherwise(plat_object *mutex, int64_t timeout_ns)
{
    plat_error error;

    (void)timeout_ns;
    return detail_from_backend(plat_mutex_release(mutex, &error), &error);
}

ist_status ist_mutex_release(ist_mutex *mutex)
{
    if (mutex == NULL)
        return detail_refuse(IST_E_ARG, "mutex");
    return plat_mutex_release_quickly(mutex->waitable.plat, release_otherwise);
}

ist_status ist_mutex_query(const ist_mutex *mutex, ist_mutex_state *out)
{
    plat_object_state state;
    ist_mutex_state ours = IST_MUTEX_STATE_INIT;
    ist_status status = object_query(ist_mutex_waitable(mutex), out, &state);

    if (status == IST_OK) {
        ours.owned = state.count;
        ours.owned_here = state.owned_here;
        ours.abandoned = state.abandoned;
        object_answer(out, &ours, sizeof ours);
    }
    return status;
}
