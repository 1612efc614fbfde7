/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Calls that take a timeout and can be cancelled: overlapped ones, and those that sleep for another reason.
 */
#ifndef ISTHMUS_WIN32_OVERLAPPED_H
#define ISTHMUS_WIN32_OVERLAPPED_H

#include "core/plat.h"
#include "win32/deadline.h"
#include "win32/native.h"

/* The calls that are under way on one end; zeroed memory is none. The events of one that has ended are kept for the
   next. */
typedef struct win32_calls {
    SRWLOCK lock;
    struct win32_call *first;
    HANDLE done;
    HANDLE wake;
} win32_calls;

/* One call of the calling thread, in place from its begin to its end. */
typedef struct win32_call {
    OVERLAPPED overlapped;
    HANDLE done; /* manual reset: set by the system when the overlapped call is over */
    HANDLE wake; /* manual reset: set by who cancels, or says to look again */
    win32_deadline deadline;
    win32_calls *calls;
    bool looks;  /* from here on under the lock of the calls: sleeps in win32_call_look(), or is going to */
    bool nudged; /* is to look again */
    bool woken;  /* is cancelled */
    struct win32_call *next;
    struct win32_call *previous;
} win32_call;

/* IST_E_MEMORY and others: then there is nothing to end. */
ist_status win32_call_begin(win32_call *call, win32_calls *calls, int64_t timeout_ns, plat_error *error);
void win32_call_end(win32_call *call);

/* Sleeps until the handle is signalled: IST_OK, IST_TIMEOUT, IST_CANCELLED or a failure. */
ist_status win32_call_sleep(win32_call *call, HANDLE until, plat_error *error);

/* A call that looks, sleeps until an object says to look again, and so on, says that it will before its first look.
   IST_OK also when somebody has said so since its last look. */
void win32_call_looks(win32_call *call);
ist_status win32_call_look(win32_call *call, HANDLE until, plat_error *error);

/* Has those calls look again, wherever they are: an event that is set and reset is missed by who does not wait for it
   just then. */
void win32_calls_nudge(win32_calls *calls);

/* What to give an overlapped call: no completion of ours goes to a port that somebody bound to the handle. */
OVERLAPPED *win32_call_overlapped(win32_call *call);

/* The overlapped call answered with this code: waits until it is over. What ends before its cancellation does counts as
   ended. Returns IST_OK, IST_MORE, IST_TIMEOUT, IST_CANCELLED or a failure, and how many bytes it moved. */
ist_status win32_call_finish(win32_call *call, HANDLE handle, DWORD code, const char *name, DWORD *bytes,
                             plat_error *error);

/* The same for a call that should not have to wait: if it does, it is taken back, and IST_TIMEOUT. */
ist_status win32_call_now(win32_call *call, HANDLE handle, DWORD code, const char *name, DWORD *bytes,
                          plat_error *error);

/* Cancels what is under way, and nothing that begins later. */
void win32_calls_cancel(win32_calls *calls);

/* Nothing is under way, and nothing will be. */
void win32_calls_end(win32_calls *calls);

/* Makes the OVERLAPPED of a call that signals the event and no port. */
void win32_overlapped_clear(OVERLAPPED *overlapped, HANDLE event);

/* Cancels one overlapped call and waits until the system has let go of its memory. */
void win32_overlapped_stop(OVERLAPPED *overlapped, HANDLE handle, HANDLE event);

#endif
