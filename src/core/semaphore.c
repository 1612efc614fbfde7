/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Semaphores: what a call asks for is checked here.
 */
#include <isthmus/semaphore.h>

#include "core/detail.h"
#include "core/object.h"
#include "core/options.h"

OBJECT_HANDLE(semaphore, PLAT_SEMAPHORE)

static ist_status read_request(const ist_semaphore_options *options, plat_object_request *request)
{
    ist_semaphore_options ours;
    ist_status status = options_copy(&ours, sizeof ours, sizeof ours, options);

    if (status == IST_OK && ours.maximum == 0)
        ours.maximum = IST_SEMAPHORE_MAX;
    if (status == IST_OK && (ours.maximum > IST_SEMAPHORE_MAX || ours.initial > ours.maximum))
        status = detail_refuse(IST_E_ARG, "initial and maximum");
    if (status == IST_OK)
        status = options_check_common(ours.audience, ours.trust);
    if (status == IST_OK) {
        request->initial = ours.initial;
        request->maximum = ours.maximum;
        request->audience = ours.audience;
        request->trust_everyone = ours.trust == IST_TRUST_EVERYONE;
    }
    return status;
}

ist_status ist_semaphore_release(ist_semaphore *semaphore, uint32_t count, uint32_t *previous)
{
    plat_error error;
    uint32_t before = 0;
    ist_status status = IST_OK;

    if (semaphore == NULL || count == 0)
        return detail_refuse(IST_E_ARG, "semaphore and count");
    /* What no maximum allows: the system's own count is signed. */
    if (count > IST_SEMAPHORE_MAX)
        return detail_refuse(IST_E_LIMIT, "count");
    status = detail_from_backend(plat_semaphore_release(semaphore->waitable.plat, count, &before, &error), &error);
    if (status == IST_OK && previous != NULL)
        *previous = before;
    return status;
}

ist_status ist_semaphore_query(const ist_semaphore *semaphore, ist_semaphore_state *out)
{
    plat_object_state state;
    ist_semaphore_state ours = IST_SEMAPHORE_STATE_INIT;
    ist_status status = object_query(ist_semaphore_waitable(semaphore), out, &state);

    if (status == IST_OK) {
        ours.count = state.count;
        ours.maximum = state.maximum;
        object_answer(out, &ours, sizeof ours);
    }
    return status;
}
