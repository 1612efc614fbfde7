/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Events: manual-reset ones are the kernel's notification events, automatic ones its synchronization events.
 */
#include "win32/error.h"
#include "win32/object.h"

_Static_assert(EVENT_MODIFY_STATE == WIN32_STATE_MODIFY, "the right to change is the one bit for all kinds");

/* The published answer of NtQueryEvent. */
typedef struct event_basic {
    int sort; /* 0 notification, 1 synchronization */
    LONG set;
} event_basic;

static HANDLE event_open(DWORD rights, const WCHAR *name)
{
    return OpenEventW(rights, FALSE, name);
}

static HANDLE event_make(const WCHAR *name, const plat_object_request *request, SECURITY_ATTRIBUTES *attributes)
{
    return CreateEventW(attributes, request->manual_reset, request->initially, name);
}

static ist_status event_query(HANDLE handle, plat_object_state *out, plat_error *error)
{
    event_basic basic = {0, 0};
    ist_status status = win32_object_ask(handle, WIN32_QUERY_EVENT, &basic, sizeof basic, error);

    if (status == IST_OK) {
        out->count = basic.set != 0;
        out->manual_reset = basic.sort == 0;
    }
    return status;
}

static bool event_takes(HANDLE handle)
{
    plat_error unused = {IST_CODES_NONE, 0, NULL, {0}};
    plat_object_state state = {0, 0, false, false, false};

    return event_query(handle, &state, &unused) == IST_OK && !state.manual_reset;
}

const win32_kind win32_event_kind = {
    .ticket = WIN32_TICKET_EVENT,
    .all = EVENT_ALL_ACCESS,
    .modify = WIN32_STATE_MODIFY,
    .takes = event_takes,
    .marks = false,
    .open_call = "OpenEventW",
    .make_call = "CreateEventW",
    .open = event_open,
    .make = event_make,
    .query = event_query,
    .signal = plat_event_set,
};

ist_status plat_event_set(plat_object *event, plat_error *error)
{
    ist_status status = win32_object_changes(event, error);

    if (status == IST_OK && !SetEvent(event->handle))
        status = win32_error_take(error, "SetEvent", WIN32_STEP_HANDLE);
    return status;
}

ist_status plat_event_reset(plat_object *event, plat_error *error)
{
    ist_status status = win32_object_changes(event, error);

    if (status == IST_OK && !ResetEvent(event->handle))
        status = win32_error_take(error, "ResetEvent", WIN32_STEP_HANDLE);
    return status;
}
