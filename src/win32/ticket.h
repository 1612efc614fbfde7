/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Tokens (M11): a handle of any kind on its way to one other process.
 */
#ifndef ISTHMUS_WIN32_TICKET_H
#define ISTHMUS_WIN32_TICKET_H

#include "core/plat.h"
#include "win32/native.h"

/* What a token stands for, as the token spells it. */
typedef enum win32_ticket_kind {
    WIN32_TICKET_MAPPING = 'm',
    WIN32_TICKET_MUTEX = 'x',
    WIN32_TICKET_SEMAPHORE = 's',
    WIN32_TICKET_EVENT = 'e',
    WIN32_TICKET_TIMER = 't'
} win32_ticket_kind;

/* What is to be exported. */
typedef struct win32_ticket_wish {
    HANDLE handle;
    win32_ticket_kind kind;
    ist_access access;
    DWORD rights; /* what the handle in the other process grants: no more than this one does */
} win32_ticket_wish;

/* Makes a token for the process; token has IST_TOKEN_SIZE bytes. */
ist_status win32_ticket_issue(const win32_ticket_wish *wish, uint64_t process_id, char *token, plat_error *error);

/* A token that is being redeemed. */
typedef struct win32_ticket {
    HANDLE handle;     /* the object's: whose token it was, as soon as it is settled */
    ist_access access; /* exactly IST_READ or IST_WRITE */
    HANDLE stub;
    HANDLE pinned; /* our own handle to the stub's object */
} win32_ticket;

/* Looks at a token and takes nothing: the same token may be redeemed elsewhere in this process meanwhile. On IST_OK
   win32_ticket_settle() has to follow. IST_E_KIND: it is another kind's, and still serves for that. */
ist_status win32_ticket_read(const char *token, win32_ticket_kind kind, win32_ticket *out, plat_error *error);

/* Ends what win32_ticket_read() began. With IST_OK the token is taken, if nobody was faster, and from->handle is the
   caller's; with what went wrong in between, nothing is taken. Returns how it ended. */
ist_status win32_ticket_settle(win32_ticket *from, ist_status status, plat_error *error);

#endif
