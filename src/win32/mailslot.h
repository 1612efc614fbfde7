/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * The inside of a handle to a mailslot.
 */
#ifndef ISTHMUS_WIN32_MAILSLOT_H
#define ISTHMUS_WIN32_MAILSLOT_H

#include "core/plat.h"
#include "win32/channel.h"
#include "win32/overlapped.h"

/* Invariants: handle is NULL once the end is closed, and changes inside the gate. While the watch is pending, message
   is the system's and kept is false. */
struct plat_mailslot {
    plat_object object; /* what waits sleep on; first */
    HANDLE handle;
    HANDLE sign; /* a reader's; or NULL */
    bool reader;
    uint32_t message_max;
    win32_calls calls;

    SRWLOCK gate; /* what follows */
    win32_watch watch;
    PTP_TIMER again; /* where reads block, else NULL */
    DWORD again_ms;
    char *message;
    DWORD room;
    DWORD size;
    bool kept; /* message holds the next message, of size bytes */
};

/* IST_OK: the next message is kept. IST_TIMEOUT: there is none, and the object is signalled when it is time to look
   again. Inside the gate. */
ist_status win32_mailslot_look(plat_mailslot *slot, plat_error *error);

/* Takes the pending read back: what it was faster with is kept. Inside the gate. */
void win32_mailslot_unwatch(plat_mailslot *slot);

/* Ends both for good. Inside the gate. */
void win32_mailslot_stop(plat_mailslot *slot);

/* Puts up the sign of a reader: the caller's to take down, or NULL; and whether there is one. */
HANDLE win32_mailslot_sign(const plat_channel_name *name);
bool win32_mailslot_is_signed(const plat_channel_name *name);

/* IST_OK if the slot that the writer's handle is of is this user's, else IST_E_ACCESS. */
ist_status win32_mailslot_owner_check(HANDLE writer, const plat_channel_name *name, plat_error *error);

#endif
