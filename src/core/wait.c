/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Waits: the shape of a call is checked here; what can only be told of the objects themselves, by the backend.
 */
#include <isthmus/wait.h>

#include "core/detail.h"
#include "core/object.h"

static ist_status check_timeout(int64_t timeout_ns)
{
    return timeout_ns >= 0 || timeout_ns == IST_FOREVER ? IST_OK : detail_refuse(IST_E_ARG, "timeout_ns");
}

static ist_status wait_for(const plat_wait_request *request, size_t *index)
{
    plat_error error;

    return detail_from_backend(plat_wait(request, index, &error), &error);
}

static ist_status wait_for_one(const ist_waitable *item, int64_t timeout_ns, plat_object *signal)
{
    plat_wait_request request = {NULL, 1, false, timeout_ns, signal};
    size_t index = 0;
    ist_status status = check_timeout(timeout_ns);

    if (status == IST_OK && item == NULL)
        status = detail_refuse(IST_E_ARG, "item");
    if (status != IST_OK)
        return status;
    request.items = &item->plat;
    return wait_for(&request, &index);
}

ist_status ist_wait(const ist_waitable *item, int64_t timeout_ns)
{
    if (item != NULL && timeout_ns >= IST_FOREVER && plat_wait_quickly(item->plat))
        return IST_OK;
    return wait_for_one(item, timeout_ns, NULL);
}

ist_status ist_signal_and_wait(const ist_waitable *signal, const ist_waitable *item, int64_t timeout_ns)
{
    if (signal == NULL || (signal->kind != PLAT_MUTEX && signal->kind != PLAT_SEMAPHORE && signal->kind != PLAT_EVENT))
        return detail_refuse(IST_E_ARG, "signal");
    return wait_for_one(item, timeout_ns, signal->plat);
}

static ist_status wait_for_several(const ist_waitable *const *items, size_t count, bool all, int64_t timeout_ns,
                                   size_t *index)
{
    plat_object *objects[IST_WAIT_MAX];
    const plat_wait_request request = {objects, count, all, timeout_ns, NULL};
    size_t taken = 0;
    bool channel = false;
    ist_status status = check_timeout(timeout_ns);

    if (status != IST_OK)
        return status;
    if (items == NULL || count == 0 || count > IST_WAIT_MAX)
        return detail_refuse(IST_E_ARG, "items and count");
    for (size_t n = 0; n < count; n++) {
        if (items[n] == NULL)
            return detail_refuse(IST_E_ARG, "an item");
        channel = channel || items[n]->kind == PLAT_CHANNEL;
        objects[n] = items[n]->plat;
        for (size_t earlier = 0; all && earlier < n; earlier++)
            if (items[earlier] == items[n])
                return detail_refuse(IST_E_ARG, "the same item twice");
    }
    if (all && count > 1 && channel)
        return detail_refuse(IST_E_UNSUPPORTED, "a pipe or mailslot in a wait for all");
    status = wait_for(&request, &taken);
    if (index != NULL && (status == IST_OK || status == IST_ABANDONED))
        *index = taken;
    return status;
}

ist_status ist_wait_any(const ist_waitable *const *items, size_t count, int64_t timeout_ns, size_t *index)
{
    return wait_for_several(items, count, false, timeout_ns, index);
}

ist_status ist_wait_all(const ist_waitable *const *items, size_t count, int64_t timeout_ns)
{
    return wait_for_several(items, count, true, timeout_ns, NULL);
}
