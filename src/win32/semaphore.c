/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Semaphores.
 */
#include "win32/error.h"
#include "win32/object.h"

_Static_assert(SEMAPHORE_MODIFY_STATE == WIN32_STATE_MODIFY, "the right to change is the one bit for all kinds");

/* The published answer of NtQuerySemaphore. */
typedef struct semaphore_basic {
    LONG count;
    LONG maximum;
} semaphore_basic;

static HANDLE semaphore_open(DWORD rights, const WCHAR *name)
{
    return OpenSemaphoreW(rights, FALSE, name);
}

static HANDLE semaphore_make(const WCHAR *name, const plat_object_request *request, SECURITY_ATTRIBUTES *attributes)
{
    return CreateSemaphoreW(attributes, (LONG)request->initial, (LONG)request->maximum, name);
}

static ist_status semaphore_query(HANDLE handle, plat_object_state *out, plat_error *error)
{
    semaphore_basic basic = {0, 0};
    ist_status status = win32_object_ask(handle, WIN32_QUERY_SEMAPHORE, &basic, sizeof basic, error);

    if (status == IST_OK) {
        out->count = (uint32_t)basic.count;
        out->maximum = (uint32_t)basic.maximum;
    }
    return status;
}

static ist_status semaphore_signal(plat_object *semaphore, plat_error *error)
{
    uint32_t previous = 0;

    return plat_semaphore_release(semaphore, 1, &previous, error);
}

const win32_kind win32_semaphore_kind = {
    .ticket = WIN32_TICKET_SEMAPHORE,
    .all = SEMAPHORE_ALL_ACCESS,
    .modify = WIN32_STATE_MODIFY,
    .takes = NULL,
    .marks = false,
    .open_call = "OpenSemaphoreW",
    .make_call = "CreateSemaphoreW",
    .open = semaphore_open,
    .make = semaphore_make,
    .query = semaphore_query,
    .signal = semaphore_signal,
};

ist_status plat_semaphore_release(plat_object *semaphore, uint32_t count, uint32_t *previous, plat_error *error)
{
    LONG before = 0;
    ist_status status = win32_object_changes(semaphore, error);

    if (status == IST_OK && !ReleaseSemaphore(semaphore->handle, (LONG)count, &before))
        status = win32_error_take(error, "ReleaseSemaphore", WIN32_STEP_HANDLE);
    if (status == IST_OK)
        *previous = (uint32_t)before;
    return status;
}
