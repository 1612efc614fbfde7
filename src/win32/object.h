/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * A handle's inside of mutexes, semaphores, events and timers, and what each of these kinds brings of its own.
 */
#ifndef ISTHMUS_WIN32_OBJECT_H
#define ISTHMUS_WIN32_OBJECT_H

#include "core/plat.h"
#include "win32/native.h"
#include "win32/ticket.h"

/* The right to look at the state is the same bit for all four kinds, and so is that to change it, where there is one:
   releasing a mutex needs none. Some kits leave these names out. */
#define WIN32_STATE_QUERY 0x0001u
#define WIN32_STATE_MODIFY 0x0002u

/* What sets a kind apart. */
typedef struct win32_kind {
    win32_ticket_kind ticket;
    DWORD all;                    /* every right that there is */
    DWORD modify;                 /* WIN32_STATE_MODIFY, or 0 */
    bool (*takes)(HANDLE handle); /* whether a wait takes something from this object, as far as is to be learned; NULL
                                     where it always does */
    bool marks;                   /* only a mark in the list tells */
    const char *open_call;
    const char *make_call;
    HANDLE (*open)(DWORD rights, const WCHAR *name);
    HANDLE (*make)(const WCHAR *name, const plat_object_request *request, SECURITY_ATTRIBUTES *attributes);
    ist_status (*query)(HANDLE handle, plat_object_state *out, plat_error *error);
    ist_status (*signal)(plat_object *object, plat_error *error); /* once; NULL for timers */
} win32_kind;

/* What a wait asks of an object of PLAT_CHANNEL, whose handle is an event of its own. */
typedef struct win32_channel_face {
    /* Tells whether a read would not block, and takes nothing. If it would, the handle is signalled when it is time to
       ask again. */
    ist_status (*arm)(plat_object *object, bool *ready, plat_error *error);
} win32_channel_face;

extern const win32_kind win32_mutex_kind;
extern const win32_kind win32_semaphore_kind;
extern const win32_kind win32_event_kind;
extern const win32_kind win32_timer_kind;

/* Invariants: handle is open until the object is closed, and NULL from then on; who uses it after another thread may
   have closed it does so under the lock. Nothing else changes after creation but the holds. */
struct plat_object {
    SRWLOCK lock; /* handle */
    HANDLE handle;
    volatile LONG holds;            /* the core's, and one for each wait that is blocked on it (L5) */
    const win32_kind *kind;         /* NULL for PLAT_FOREIGN and PLAT_CHANNEL */
    const win32_channel_face *face; /* NULL but for PLAT_CHANNEL: its handle goes with the last hold */
    ist_access access;              /* exactly IST_READ or IST_WRITE */
    DWORD rights;                   /* what the handle grants, of those that we use: without SYNCHRONIZE nobody waits */
    bool takes;                     /* a wait takes something; false also where that is not to be learned */
};

/* Memory for an object, without a handle; and the end of making one: it is handed over, or its memory taken back. */
ist_status win32_object_take(plat_kind kind, ist_access access, plat_object **out, plat_error *error);
ist_status win32_object_settle(ist_status status, plat_object *object, plat_object **out);

/* IST_OK where the handle is for everything. */
ist_status win32_object_changes(const plat_object *object, plat_error *error);

/* What win32_state_ask() answers, as a status. A handle without the right to query gives IST_E_UNSUPPORTED. */
ist_status win32_object_ask(HANDLE handle, win32_state_query which, void *out, size_t bytes, plat_error *error);

/* Keep the memory, not the handle. */
void win32_object_hold(plat_object *object);
void win32_object_let_go(plat_object *object);

/* A handle of our own to wait with, unless the object has been closed: IST_E_BROKEN. */
ist_status win32_object_duplicate(plat_object *object, HANDLE *out, plat_error *error);

#endif
