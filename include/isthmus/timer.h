/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Waitable timers by name: signalled when a time has come, once or periodically. A manual-reset timer stays signalled
 * until it is set again; from a synchronization timer a wait takes the due time. A timer goes on when the process that
 * set it ends, as long as somebody holds it. isthmus/wait.h says how to wait for one.
 */
#ifndef ISTHMUS_TIMER_H
#define ISTHMUS_TIMER_H

#include <stdint.h>

#include <isthmus/access.h>
#include <isthmus/export.h>
#include <isthmus/name.h>
#include <isthmus/status.h>
#include <isthmus/wait.h>

IST_BEGIN_DECLS

/* A handle to a timer. Any thread may use it, several at once; only the close must be the last. */
typedef struct ist_timer ist_timer;

/* How a due time is meant. */
typedef enum ist_timer_clock {
    IST_TIMER_RELATIVE = 0, /* nanoseconds from the call on; changes of the clock do not matter */
    IST_TIMER_UTC = 1       /* nanoseconds since 1970-01-01 00:00 UTC, without leap seconds; follows the clock */
} ist_timer_clock;

/* The longest period, in milliseconds. */
#define IST_TIMER_PERIOD_MAX 0x7fffffffu

typedef struct ist_timer_options {
    uint32_t struct_size;  /* sizeof(ist_timer_options), as IST_TIMER_OPTIONS_INIT sets it */
    uint32_t manual_reset; /* 1: stays signalled until it is set again; 0: a synchronization timer */
    ist_audience audience; /* who else may open it; 0 nobody but this user */
    ist_trust trust;       /* whose object is accepted if the name is taken; 0 only this user's */
} ist_timer_options;

#define IST_TIMER_OPTIONS_INIT                                                                                         \
    {                                                                                                                  \
        (uint32_t)sizeof(ist_timer_options), 0, IST_AUDIENCE_OWNER, IST_TRUST_OWNER                                    \
    }

/* What a timer was at one instant; for people and logs, since it may be otherwise by now. */
typedef struct ist_timer_state {
    uint32_t struct_size; /* in: sizeof(ist_timer_state), as IST_TIMER_STATE_INIT sets it */
    uint32_t signalled;
} ist_timer_state;

#define IST_TIMER_STATE_INIT                                                                                           \
    {                                                                                                                  \
        (uint32_t)sizeof(ist_timer_state), 0                                                                           \
    }

/**
 * Creates a timer under `name`, or opens the one that is there. A new timer is not set and not signalled.
 * Shape:    name as in SEMANTICS N1-N2, NULL for an unnamed one; options may be NULL: a synchronization timer.
 * Owns:     on IST_OK and IST_EXISTED *out is yours until ist_timer_close(); otherwise *out is NULL.
 * Errors:   IST_EXISTED (not an error: the object was there, of either sort, and stays as it is), IST_E_ARG,
 * IST_E_NAME, IST_E_KIND, IST_E_ACCESS, IST_E_SPACE, IST_E_MEMORY, IST_E_LIMIT, IST_E_CORRUPT, IST_E_LAYOUT, IST_E_OS.
 * Blocking: never.
 * Threads:  any thread; not a signal handler; not a vfork() child.
 * Platform: POSIX: `Local\` is the effective user's, so an audience widens only `Global\`.
 * Source:   Win32 CreateWaitableTimerW.                                                                  Since: 0.2
 */
IST_API ist_status ist_timer_create(ist_timer **out, const char *name, const ist_timer_options *options);

/**
 * Opens the timer that another handle holds under `name`.
 * Shape:    name as in SEMANTICS N1-N2, not NULL; access IST_WRITE (everything) or IST_READ (to wait for a
 *           manual-reset one, and to look), with IST_TRUST_EVERYONE or-ed in to accept another user's object.
 * Owns:     on IST_OK *out is yours until ist_timer_close(); otherwise *out is NULL.
 * Errors:   IST_E_ARG, IST_E_NAME, IST_E_NOT_FOUND, IST_E_KIND, IST_E_ACCESS, IST_E_CORRUPT, IST_E_LAYOUT, IST_E_LIMIT,
 *           IST_E_MEMORY, IST_E_SPACE (the system's), IST_E_OS.
 * Blocking: never; lost races are retried a bounded number of times.
 * Threads:  any thread; not a signal handler; not a vfork() child.
 * Platform: none that can be seen.
 * Source:   Win32 OpenWaitableTimerW.                                                                    Since: 0.2
 */
IST_API ist_status ist_timer_open(ist_timer **out, const char *name, ist_access access);

/**
 * Makes a token by which one other process gets a handle to this timer, named or not.
 * Shape:    process_id as that process's ist_process_id() tells it, not 0; access IST_READ or IST_WRITE, no more than
 *           the handle's own. token has IST_TOKEN_SIZE bytes and is printable text without spaces.
 * Owns:     the token is text: nothing has to be given back. Until it is imported it holds the object, at most until
 *           the target process ends.
 * Errors:   IST_E_ARG (also: no such process), IST_E_ACCESS (the process is another user's), IST_E_BROKEN,
 *           IST_E_MEMORY, IST_E_LIMIT, IST_E_SPACE, IST_E_OS. token is empty then.
 * Blocking: never.
 * Threads:  any thread; not a signal handler.
 * Platform: POSIX: a token not yet imported dies with this process.
 * Source:   Win32 DuplicateHandle.                                                                       Since: 0.2
 */
IST_API ist_status ist_timer_export(ist_timer *timer, uint64_t process_id, ist_access access,
                                    char token[IST_TOKEN_SIZE]);

/**
 * Turns a token into a handle, once, in the process that it was made for.
 * Shape:    token as ist_timer_export() wrote it.
 * Owns:     on IST_OK *out is yours until ist_timer_close(); otherwise *out is NULL.
 * Errors:   IST_E_ARG (no token, used before, or made for another process), IST_E_KIND (another kind's),
 *           IST_E_ACCESS, IST_E_CORRUPT, IST_E_LAYOUT, IST_E_LIMIT, IST_E_MEMORY, IST_E_SPACE (the system's), IST_E_OS.
 * Blocking: never.
 * Threads:  any thread; not a signal handler.
 * Platform: none that can be seen.
 * Source:   Win32 DuplicateHandle.                                                                       Since: 0.2
 */
IST_API ist_status ist_timer_import(ist_timer **out, const char *token);

/**
 * Sets the timer: from now on it is not signalled until it is due. An active timer is restarted.
 * Shape:    due_ns as `clock` says, rounded up to 100 ns; relative ones 0 or more. A due time in the past is due at
 * once. period_ms 0 for one shot, else 1 to IST_TIMER_PERIOD_MAX: after the due time it is due again each period;
 *           periods that pass before one is taken count as one. Periods do not follow changes of the clock.
 * Owns:     nothing.
 * Errors:   IST_E_ARG, IST_E_ACCESS (a handle for reading), IST_E_LIMIT, IST_E_CORRUPT, IST_E_MEMORY, IST_E_SPACE,
 *           IST_E_OS.
 * Blocking: never; a stopped or killed process delays it by nothing.
 * Threads:  any thread; not a signal handler; not a vfork() child.
 * Platform: POSIX: an absolute time that came and was set back again before anybody with a handle for writing waited or
 *           looked has not come. The timer is early by no more than isthmus/traits.h tells.
 * Source:   Win32 SetWaitableTimer.                                                                      Since: 0.2
 */
IST_API ist_status ist_timer_set(ist_timer *timer, ist_timer_clock clock, int64_t due_ns, uint32_t period_ms);

/**
 * Cancels the timer: it will not become due. A timer that is signalled stays so.
 * Shape:    a timer that is not set stays so.
 * Owns:     nothing.
 * Errors:   IST_E_ARG, IST_E_ACCESS (a handle for reading), IST_E_LIMIT, IST_E_CORRUPT, IST_E_MEMORY, IST_E_SPACE,
 *           IST_E_OS.
 * Blocking: never; a stopped or killed process delays it by nothing.
 * Threads:  any thread; not a signal handler; not a vfork() child.
 * Platform: none that can be seen.
 * Source:   Win32 CancelWaitableTimer.                                                                   Since: 0.2
 */
IST_API ist_status ist_timer_cancel(ist_timer *timer);

/**
 * Tells what the timer is at this instant.
 * Shape:    out->struct_size says how much the caller knows; no more than that is written.
 * Owns:     a copy, yours.
 * Errors:   IST_E_ARG, IST_E_CORRUPT, IST_E_UNSUPPORTED, IST_E_OS.
 * Blocking: never.
 * Threads:  any thread; not a signal handler.
 * Platform: none that can be seen.
 * Source:   Win32 NtQueryTimer.                                                                         Since: 0.2
 */
IST_API ist_status ist_timer_query(const ist_timer *timer, ist_timer_state *out);

/**
 * Gives the timer as one of several objects to wait for.
 * Shape:    NULL gives NULL.
 * Owns:     the timer's: valid until ist_timer_close().
 * Errors:   none.
 * Blocking: never.
 * Threads:  any thread; safe in a signal handler.
 * Platform: none that can be seen.
 * Source:   isthmus.                                                                                     Since: 0.2
 */
IST_API const ist_waitable *ist_timer_waitable(const ist_timer *timer);

/**
 * Closes the handle. The last one in any process removes the object.
 * Shape:    NULL does nothing.
 * Owns:     the handle is gone, whatever happens.
 * Errors:   none.
 * Blocking: never; a thread blocked in a wait for the object goes on waiting.
 * Threads:  any thread; not a signal handler. No other thread may begin a call with the handle.
 * Platform: none that can be seen.
 * Source:   Win32 CloseHandle.                                                                           Since: 0.2
 */
IST_API void ist_timer_close(ist_timer *timer);

IST_END_DECLS

#endif
