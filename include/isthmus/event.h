/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Events by name: something has happened. A manual-reset event stays set until it is reset and releases everybody; an
 * automatic one releases one waiter and is reset by that. isthmus/wait.h says how to wait for one. There is no pulse.
 */
#ifndef ISTHMUS_EVENT_H
#define ISTHMUS_EVENT_H

#include <stdint.h>

#include <isthmus/access.h>
#include <isthmus/export.h>
#include <isthmus/name.h>
#include <isthmus/status.h>
#include <isthmus/wait.h>

IST_BEGIN_DECLS

/* A handle to an event. Any thread may use it, several at once; only the close must be the last. */
typedef struct ist_event ist_event;

typedef struct ist_event_options {
    uint32_t struct_size;   /* sizeof(ist_event_options), as IST_EVENT_OPTIONS_INIT sets it */
    uint32_t manual_reset;  /* 1: stays set until it is reset; 0: a wait takes the set */
    uint32_t initially_set; /* 1: set, if this call creates it */
    ist_audience audience;  /* who else may open it; 0 nobody but this user */
    ist_trust trust;        /* whose object is accepted if the name is taken; 0 only this user's */
} ist_event_options;

#define IST_EVENT_OPTIONS_INIT                                                                                         \
    {                                                                                                                  \
        (uint32_t)sizeof(ist_event_options), 0, 0, IST_AUDIENCE_OWNER, IST_TRUST_OWNER                                 \
    }

/* What an event was at one instant; for people and logs, since it may be otherwise by now. */
typedef struct ist_event_state {
    uint32_t struct_size; /* in: sizeof(ist_event_state), as IST_EVENT_STATE_INIT sets it */
    uint32_t set;
    uint32_t manual_reset;
} ist_event_state;

#define IST_EVENT_STATE_INIT                                                                                           \
    {                                                                                                                  \
        (uint32_t)sizeof(ist_event_state), 0, 0                                                                        \
    }

/**
 * Creates an event under `name`, or opens the one that is there.
 * Shape:    name as in SEMANTICS N1-N2, NULL for an unnamed one; options may be NULL: automatic, not set.
 * Owns:     on IST_OK and IST_EXISTED *out is yours until ist_event_close(); otherwise *out is NULL.
 * Errors:   IST_EXISTED (not an error: the object was there, of either sort, and stays as it is), IST_E_ARG,
 * IST_E_NAME, IST_E_KIND, IST_E_ACCESS, IST_E_SPACE, IST_E_MEMORY, IST_E_LIMIT, IST_E_CORRUPT, IST_E_LAYOUT, IST_E_OS.
 * Blocking: never.
 * Threads:  any thread; not a signal handler; not a vfork() child.
 * Platform: POSIX: `Local\` is the effective user's, so an audience widens only `Global\`.
 * Source:   Win32 CreateEventW.                                                                          Since: 0.2
 */
IST_API ist_status ist_event_create(ist_event **out, const char *name, const ist_event_options *options);

/**
 * Opens the event that another handle holds under `name`.
 * Shape:    name as in SEMANTICS N1-N2, not NULL; access IST_WRITE (everything) or IST_READ (to wait for a
 *           manual-reset one, and to look), with IST_TRUST_EVERYONE or-ed in to accept another user's object.
 * Owns:     on IST_OK *out is yours until ist_event_close(); otherwise *out is NULL.
 * Errors:   IST_E_ARG, IST_E_NAME, IST_E_NOT_FOUND, IST_E_KIND, IST_E_ACCESS, IST_E_CORRUPT, IST_E_LAYOUT, IST_E_LIMIT,
 *           IST_E_MEMORY, IST_E_SPACE (the system's), IST_E_OS.
 * Blocking: never; lost races are retried a bounded number of times.
 * Threads:  any thread; not a signal handler; not a vfork() child.
 * Platform: none that can be seen.
 * Source:   Win32 OpenEventW.                                                                            Since: 0.2
 */
IST_API ist_status ist_event_open(ist_event **out, const char *name, ist_access access);

/**
 * Makes a token by which one other process gets a handle to this event, named or not.
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
IST_API ist_status ist_event_export(ist_event *event, uint64_t process_id, ist_access access,
                                    char token[IST_TOKEN_SIZE]);

/**
 * Turns a token into a handle, once, in the process that it was made for.
 * Shape:    token as ist_event_export() wrote it.
 * Owns:     on IST_OK *out is yours until ist_event_close(); otherwise *out is NULL.
 * Errors:   IST_E_ARG (no token, used before, or made for another process), IST_E_KIND (another kind's),
 *           IST_E_ACCESS, IST_E_CORRUPT, IST_E_LAYOUT, IST_E_LIMIT, IST_E_MEMORY, IST_E_SPACE (the system's), IST_E_OS.
 * Blocking: never.
 * Threads:  any thread; not a signal handler.
 * Platform: none that can be seen.
 * Source:   Win32 DuplicateHandle.                                                                       Since: 0.2
 */
IST_API ist_status ist_event_import(ist_event **out, const char *token);

/**
 * Sets the event: a manual-reset one releases everybody who waits, an automatic one exactly one, now or when one comes.
 * Shape:    an event that is set stays so: sets that come before one has been taken count as one.
 * Owns:     nothing.
 * Errors:   IST_E_ARG, IST_E_ACCESS (a handle for reading), IST_E_CORRUPT, IST_E_OS.
 * Blocking: never; a stopped or killed process delays it by nothing.
 * Threads:  any thread; not a signal handler.
 * Platform: POSIX: no system call when nobody waits, except for an event with a reading audience.
 * Source:   Win32 SetEvent.                                                                              Since: 0.2
 */
IST_API ist_status ist_event_set(ist_event *event);

/**
 * Resets the event.
 * Shape:    an event that is not set stays so. Whoever a manual-reset event had released stays released.
 * Owns:     nothing.
 * Errors:   IST_E_ARG, IST_E_ACCESS (a handle for reading), IST_E_CORRUPT, IST_E_OS.
 * Blocking: never; a stopped or killed process delays it by nothing.
 * Threads:  any thread; not a signal handler.
 * Platform: POSIX: no system call.
 * Source:   Win32 ResetEvent.                                                                            Since: 0.2
 */
IST_API ist_status ist_event_reset(ist_event *event);

/**
 * Tells what the event is at this instant.
 * Shape:    out->struct_size says how much the caller knows; no more than that is written.
 * Owns:     a copy, yours.
 * Errors:   IST_E_ARG, IST_E_CORRUPT, IST_E_UNSUPPORTED, IST_E_OS.
 * Blocking: never.
 * Threads:  any thread; not a signal handler.
 * Platform: none that can be seen.
 * Source:   Win32 NtQueryEvent.                                                                         Since: 0.2
 */
IST_API ist_status ist_event_query(const ist_event *event, ist_event_state *out);

/**
 * Gives the event as one of several objects to wait for.
 * Shape:    NULL gives NULL.
 * Owns:     the event's: valid until ist_event_close().
 * Errors:   none.
 * Blocking: never.
 * Threads:  any thread; safe in a signal handler.
 * Platform: none that can be seen.
 * Source:   isthmus.                                                                                     Since: 0.2
 */
IST_API const ist_waitable *ist_event_waitable(const ist_event *event);

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
IST_API void ist_event_close(ist_event *event);

IST_END_DECLS

#endif
