/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Mutexes: the kernel's mutants.
 */
#include "win32/error.h"
#include "win32/object.h"

/* The published answer of NtQueryMutant. */
typedef struct mutant_basic {
    LONG count; /* 1 free, 0 acquired once, less for each time more */
    BOOLEAN owned_here;
    BOOLEAN abandoned;
} mutant_basic;

static HANDLE mutex_open(DWORD rights, const WCHAR *name)
{
    return OpenMutexW(rights, FALSE, name);
}

static HANDLE mutex_make(const WCHAR *name, const plat_object_request *request, SECURITY_ATTRIBUTES *attributes)
{
    return CreateMutexW(attributes, request->initially, name);
}

/* The kernel frees a mutex when its owner ends, so whoever is counted as its owner lives. */
static ist_status mutex_query(HANDLE handle, plat_object_state *out, plat_error *error)
{
    mutant_basic basic = {1, FALSE, FALSE};
    ist_status status = win32_object_ask(handle, WIN32_QUERY_MUTANT, &basic, sizeof basic, error);

    if (status == IST_OK) {
        out->count = basic.count <= 0;
        out->owned_here = basic.owned_here != FALSE;
        out->abandoned = basic.abandoned != FALSE;
    }
    return status;
}

const win32_kind win32_mutex_kind = {
    .ticket = WIN32_TICKET_MUTEX,
    .all = MUTEX_ALL_ACCESS,
    .modify = 0,
    .takes = NULL,
    .marks = false,
    .open_call = "OpenMutexW",
    .make_call = "CreateMutexW",
    .open = mutex_open,
    .make = mutex_make,
    .query = mutex_query,
    .signal = plat_mutex_release,
};

/* The kernel asks for no right here: that a handle for reading does not release is our own rule. */
ist_status plat_mutex_acquire(plat_object *mutex, int64_t timeout_ns, plat_otherwise *otherwise)
{
    return otherwise(mutex, timeout_ns);
}

ist_status plat_mutex_release_quickly(plat_object *mutex, plat_otherwise *otherwise)
{
    return otherwise(mutex, 0);
}

ist_status plat_mutex_release(plat_object *mutex, plat_error *error)
{
    ist_status status = win32_object_changes(mutex, error);

    if (status == IST_OK && !ReleaseMutex(mutex->handle))
        status = win32_error_take(error, "ReleaseMutex", WIN32_STEP_HANDLE);
    return status;
}
