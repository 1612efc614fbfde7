/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Semaphores by name: a count that releases raise, up to a maximum, and waits lower, never below 0. What a process had
 * taken is not given back when it dies. isthmus/wait.h says how to wait for one.
 */
#ifndef ISTHMUS_SEMAPHORE_H
#define ISTHMUS_SEMAPHORE_H

#include <stdint.h>

#include <isthmus/access.h>
#include <isthmus/export.h>
#include <isthmus/name.h>
#include <isthmus/status.h>
#include <isthmus/wait.h>

IST_BEGIN_DECLS

/* A handle to a semaphore. Any thread may use it, several at once; only the close must be the last. */
typedef struct ist_semaphore ist_semaphore;

/* The highest maximum. */
#define IST_SEMAPHORE_MAX 0x7fffffffu

typedef struct ist_semaphore_options {
    uint32_t struct_size;  /* sizeof(ist_semaphore_options), as IST_SEMAPHORE_OPTIONS_INIT sets it */
    uint32_t initial;      /* count to begin with, at most the maximum */
    uint32_t maximum;      /* 1 to IST_SEMAPHORE_MAX; 0 means that */
    ist_audience audience; /* who else may open it; 0 nobody but this user */
    ist_trust trust;       /* whose object is accepted if the name is taken; 0 only this user's */
} ist_semaphore_options;

#define IST_SEMAPHORE_OPTIONS_INIT                                                                                     \
    {                                                                                                                  \
        (uint32_t)sizeof(ist_semaphore_options), 0, 0, IST_AUDIENCE_OWNER, IST_TRUST_OWNER                             \
    }

/* What a semaphore was at one instant; for people and logs, since it may be otherwise by now. */
typedef struct ist_semaphore_state {
    uint32_t struct_size; /* in: sizeof(ist_semaphore_state), as IST_SEMAPHORE_STATE_INIT sets it */
    uint32_t count;
    uint32_t maximum;
} ist_semaphore_state;

#define IST_SEMAPHORE_STATE_INIT                                                                                       \
    {                                                                                                                  \
        (uint32_t)sizeof(ist_semaphore_state), 0, 0                                                                    \
    }

/**
 * Creates a semaphore under `name`, or opens the one that is there.
 * Shape:    name as in SEMANTICS N1-N2, NULL for an unnamed one; options may be NULL: count 0, the highest maximum.
 * Owns:     on IST_OK and IST_EXISTED *out is yours until ist_semaphore_close(); otherwise *out is NULL.
 * Errors:   IST_EXISTED (not an error: the object was there; initial and maximum were checked and ignored), IST_E_ARG
 *           (also: initial above maximum, maximum above IST_SEMAPHORE_MAX), IST_E_NAME, IST_E_KIND, IST_E_ACCESS,
 *           IST_E_SPACE, IST_E_MEMORY, IST_E_LIMIT, IST_E_CORRUPT, IST_E_LAYOUT, IST_E_OS.
 * Blocking: never.
 * Threads:  any thread; not a signal handler; not a vfork() child.
 * Platform: POSIX: `Local\` is the effective user's, so an audience widens only `Global\`.
 * Source:   Win32 CreateSemaphoreW.                                                                      Since: 0.2
 */
IST_API ist_status ist_semaphore_create(ist_semaphore **out, const char *name, const ist_semaphore_options *options);

/**
 * Opens the semaphore that another handle holds under `name`.
 * Shape:    name as in SEMANTICS N1-N2, not NULL; access IST_WRITE (everything) or IST_READ (only to look), with
 *           IST_TRUST_EVERYONE or-ed in to accept another user's object.
 * Owns:     on IST_OK *out is yours until ist_semaphore_close(); otherwise *out is NULL.
 * Errors:   IST_E_ARG, IST_E_NAME, IST_E_NOT_FOUND, IST_E_KIND, IST_E_ACCESS, IST_E_CORRUPT, IST_E_LAYOUT, IST_E_LIMIT,
 *           IST_E_MEMORY, IST_E_SPACE (the system's), IST_E_OS.
 * Blocking: never; lost races are retried a bounded number of times.
 * Threads:  any thread; not a signal handler; not a vfork() child.
 * Platform: none that can be seen.
 * Source:   Win32 OpenSemaphoreW.                                                                            Since: 0.2
 */
IST_API ist_status ist_semaphore_open(ist_semaphore **out, const char *name, ist_access access);

/**
 * Makes a token by which one other process gets a handle to this semaphore, named or not.
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
IST_API ist_status ist_semaphore_export(ist_semaphore *semaphore, uint64_t process_id, ist_access access,
                                        char token[IST_TOKEN_SIZE]);

/**
 * Turns a token into a handle, once, in the process that it was made for.
 * Shape:    token as ist_semaphore_export() wrote it.
 * Owns:     on IST_OK *out is yours until ist_semaphore_close(); otherwise *out is NULL.
 * Errors:   IST_E_ARG (no token, used before, or made for another process), IST_E_KIND (another kind's),
 *           IST_E_ACCESS, IST_E_CORRUPT, IST_E_LAYOUT, IST_E_LIMIT, IST_E_MEMORY, IST_E_SPACE (the system's), IST_E_OS.
 * Blocking: never.
 * Threads:  any thread; not a signal handler.
 * Platform: none that can be seen.
 * Source:   Win32 DuplicateHandle.                                                                       Since: 0.2
 */
IST_API ist_status ist_semaphore_import(ist_semaphore **out, const char *token);

/**
 * Raises the count, and wakes those who wait.
 * Shape:    count at least 1; *previous, unless NULL, gets the count from before, on IST_OK only.
 * Owns:     nothing.
 * Errors:   IST_E_LIMIT (past the maximum: nothing was changed), IST_E_ARG, IST_E_ACCESS (a handle for reading),
 *           IST_E_CORRUPT, IST_E_OS.
 * Blocking: never; a stopped or killed process delays it by nothing.
 * Threads:  any thread; not a signal handler.
 * Platform: POSIX: no system call when nobody waits.
 * Source:   Win32 ReleaseSemaphore.                                                                      Since: 0.2
 */
IST_API ist_status ist_semaphore_release(ist_semaphore *semaphore, uint32_t count, uint32_t *previous);

/**
 * Tells what the semaphore is at this instant.
 * Shape:    out->struct_size says how much the caller knows; no more than that is written.
 * Owns:     a copy, yours.
 * Errors:   IST_E_ARG, IST_E_CORRUPT, IST_E_UNSUPPORTED, IST_E_OS.
 * Blocking: never.
 * Threads:  any thread; not a signal handler.
 * Platform: none that can be seen.
 * Source:   Win32 NtQuerySemaphore.                                                                         Since: 0.2
 */
IST_API ist_status ist_semaphore_query(const ist_semaphore *semaphore, ist_semaphore_state *out);

/**
 * Gives the semaphore as one of several objects to wait for.
 * Shape:    NULL gives NULL.
 * Owns:     the semaphore's: valid until ist_semaphore_close().
 * Errors:   none.
 * Blocking: never.
 * Threads:  any thread; safe in a signal handler.
 * Platform: none that can be seen.
 * Source:   isthmus.                                                                                     Since: 0.2
 */
IST_API const ist_waitable *ist_semaphore_waitable(const ist_semaphore *semaphore);

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
IST_API void ist_semaphore_close(ist_semaphore *semaphore);

IST_END_DECLS

#endif
