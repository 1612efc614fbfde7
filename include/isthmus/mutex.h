/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Mutexes by name. A mutex is owned by a thread, recursively; when its owner ends without releasing it - the thread
 * returns, its process exits, is killed or runs another program - the next to acquire it is told so (IST_ABANDONED) and
 * owns it. isthmus/wait.h says what a blocked thread waits for and what happens on a signal, fork, exit and kill.
 */
#ifndef ISTHMUS_MUTEX_H
#define ISTHMUS_MUTEX_H

#include <stdint.h>

#include <isthmus/access.h>
#include <isthmus/export.h>
#include <isthmus/name.h>
#include <isthmus/status.h>
#include <isthmus/wait.h>

IST_BEGIN_DECLS

/* A handle to a mutex. Any thread may use it, several at once; only the close must be the last. */
typedef struct ist_mutex ist_mutex;

typedef struct ist_mutex_options {
    uint32_t struct_size;     /* sizeof(ist_mutex_options), as IST_MUTEX_OPTIONS_INIT sets it */
    uint32_t initially_owned; /* 1: the calling thread owns it, if this call creates it; 0 nobody */
    ist_audience audience;    /* who else may open it; 0 nobody but this user */
    ist_trust trust;          /* whose object is accepted if the name is taken; 0 only this user's */
} ist_mutex_options;

#define IST_MUTEX_OPTIONS_INIT                                                                                         \
    {                                                                                                                  \
        (uint32_t)sizeof(ist_mutex_options), 0, IST_AUDIENCE_OWNER, IST_TRUST_OWNER                                    \
    }

/* What a mutex was at one instant; for people and logs, since it may be otherwise by now. */
typedef struct ist_mutex_state {
    uint32_t struct_size; /* in: sizeof(ist_mutex_state), as IST_MUTEX_STATE_INIT sets it */
    uint32_t owned;       /* 1 where a living thread owns it */
    uint32_t owned_here;  /* 1 where that is the calling thread */
    uint32_t abandoned;   /* 1 where its last owner ended without releasing it and nobody has acquired it since */
} ist_mutex_state;

#define IST_MUTEX_STATE_INIT                                                                                           \
    {                                                                                                                  \
        (uint32_t)sizeof(ist_mutex_state), 0, 0, 0                                                                     \
    }

/**
 * Creates a mutex under `name`, or opens the one that is there.
 * Shape:    name as in SEMANTICS N1-N2, NULL for an unnamed one; options may be NULL.
 * Owns:     on IST_OK and IST_EXISTED *out is yours until ist_mutex_close(); otherwise *out is NULL. With
 *           initially_owned and IST_OK the calling thread also owns the mutex.
 * Errors:   IST_EXISTED (not an error: the object was there; its owner stays who it was), IST_E_ARG, IST_E_NAME,
 *           IST_E_KIND, IST_E_ACCESS, IST_E_SPACE, IST_E_MEMORY, IST_E_LIMIT, IST_E_CORRUPT, IST_E_LAYOUT, IST_E_OS.
 * Blocking: never.
 * Threads:  any thread; not a signal handler; not a vfork() child.
 * Platform: POSIX: `Local\` is the effective user's, so an audience widens only `Global\`.
 * Source:   Win32 CreateMutexW.                                                                          Since: 0.2
 */
IST_API ist_status ist_mutex_create(ist_mutex **out, const char *name, const ist_mutex_options *options);

/**
 * Opens the mutex that another handle holds under `name`.
 * Shape:    name as in SEMANTICS N1-N2, not NULL; access IST_WRITE (everything) or IST_READ (only to look), with
 *           IST_TRUST_EVERYONE or-ed in to accept another user's object.
 * Owns:     on IST_OK *out is yours until ist_mutex_close(); otherwise *out is NULL.
 * Errors:   IST_E_ARG, IST_E_NAME, IST_E_NOT_FOUND, IST_E_KIND, IST_E_ACCESS, IST_E_CORRUPT, IST_E_LAYOUT, IST_E_LIMIT,
 *           IST_E_MEMORY, IST_E_SPACE (the system's), IST_E_OS.
 * Blocking: never; lost races are retried a bounded number of times.
 * Threads:  any thread; not a signal handler; not a vfork() child.
 * Platform: none that can be seen.
 * Source:   Win32 OpenMutexW.                                                                            Since: 0.2
 */
IST_API ist_status ist_mutex_open(ist_mutex **out, const char *name, ist_access access);

/**
 * Makes a token by which one other process gets a handle to this mutex, named or not.
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
IST_API ist_status ist_mutex_export(ist_mutex *mutex, uint64_t process_id, ist_access access,
                                    char token[IST_TOKEN_SIZE]);

/**
 * Turns a token into a handle, once, in the process that it was made for.
 * Shape:    token as ist_mutex_export() wrote it.
 * Owns:     on IST_OK *out is yours until ist_mutex_close(); otherwise *out is NULL.
 * Errors:   IST_E_ARG (no token, used before, or made for another process), IST_E_KIND (another kind's),
 *           IST_E_ACCESS, IST_E_CORRUPT, IST_E_LAYOUT, IST_E_LIMIT, IST_E_MEMORY, IST_E_SPACE (the system's), IST_E_OS.
 * Blocking: never.
 * Threads:  any thread; not a signal handler.
 * Platform: none that can be seen.
 * Source:   Win32 DuplicateHandle.                                                                       Since: 0.2
 */
IST_API ist_status ist_mutex_import(ist_mutex **out, const char *token);

/**
 * Acquires the mutex: waits until nobody else owns it, and owns it.
 * Shape:    timeout_ns relative nanoseconds; IST_FOREVER; 0 only tries. The owner may acquire it again, and releases it
 *           as often. Exactly ist_wait(ist_mutex_waitable(mutex), timeout_ns).
 * Owns:     on IST_OK and IST_ABANDONED the calling thread owns the mutex until it has released it.
 * Errors:   IST_ABANDONED (not an error: the last owner ended without releasing it; what it guards may be half done),
 *           IST_TIMEOUT, IST_E_ARG, IST_E_ACCESS (a handle for reading), IST_E_LIMIT (acquired 2^31-1 times; or
 *           threads, descriptors), IST_E_CORRUPT, IST_E_MEMORY, IST_E_SPACE, IST_E_OS.
 * Blocking: until it is released or its owner ends; nobody is promised to be next. See isthmus/wait.h.
 * Threads:  any thread, which then is the owner; not a signal handler; not a vfork() child.
 * Platform: POSIX: no system call when it is free, after the thread's first acquisition in a scope. That first one is
 *           IST_E_ACCESS where the process has changed its effective user since it made the handle.
 * Source:   Win32 WaitForSingleObject.                                                                   Since: 0.2
 */
IST_API ist_status ist_mutex_acquire(ist_mutex *mutex, int64_t timeout_ns);

/**
 * Undoes one acquisition; the last one frees the mutex.
 * Shape:    by the thread that acquired it, through any handle to it.
 * Owns:     the calling thread no longer owns the mutex after as many releases as acquisitions.
 * Errors:   IST_E_NOT_OWNER, IST_E_ARG, IST_E_ACCESS (a handle for reading), IST_E_CORRUPT, IST_E_OS.
 * Blocking: never; a stopped or killed process delays it by nothing.
 * Threads:  the owner; not a signal handler.
 * Platform: POSIX: no system call when nobody waits.
 * Source:   Win32 ReleaseMutex.                                                                          Since: 0.2
 */
IST_API ist_status ist_mutex_release(ist_mutex *mutex);

/**
 * Tells what the mutex is at this instant.
 * Shape:    out->struct_size says how much the caller knows; no more than that is written.
 * Owns:     a copy, yours.
 * Errors:   IST_E_ARG, IST_E_CORRUPT, IST_E_UNSUPPORTED, IST_E_OS.
 * Blocking: never.
 * Threads:  any thread; not a signal handler.
 * Platform: none that can be seen.
 * Source:   Win32 NtQueryMutant.                                                                         Since: 0.2
 */
IST_API ist_status ist_mutex_query(const ist_mutex *mutex, ist_mutex_state *out);

/**
 * Gives the mutex as one of several objects to wait for.
 * Shape:    NULL gives NULL.
 * Owns:     the mutex's: valid until ist_mutex_close().
 * Errors:   none.
 * Blocking: never.
 * Threads:  any thread; safe in a signal handler.
 * Platform: none that can be seen.
 * Source:   isthmus.                                                                                     Since: 0.2
 */
IST_API const ist_waitable *ist_mutex_waitable(const ist_mutex *mutex);

/**
 * Closes the handle. The last one in any process removes the object; a mutex that is owned stays owned while others
 * hold it, and its owner may open and release it again.
 * Shape:    NULL does nothing.
 * Owns:     the handle is gone, whatever happens.
 * Errors:   none.
 * Blocking: never; a thread blocked in a wait for the object goes on waiting.
 * Threads:  any thread; not a signal handler. No other thread may begin a call with the handle.
 * Platform: none that can be seen.
 * Source:   Win32 CloseHandle.                                                                           Since: 0.2
 */
IST_API void ist_mutex_close(ist_mutex *mutex);

IST_END_DECLS

#endif
