/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * What a call answers: one status by value, and beside it, for diagnosis, what the system said.
 */
#ifndef ISTHMUS_STATUS_H
#define ISTHMUS_STATUS_H

#include <stdint.h>

#include <isthmus/export.h>

IST_BEGIN_DECLS

/* The one list of statuses: the enumeration, the names, the texts and docs/statuses.md all come from it.
   0 is done; above 0 is done with news, or not now; below 0 is failed, and then nothing was changed,
   unless the call says otherwise. */
#define IST_STATUS_LIST(X)                                                                                             \
    X(IST_OK, 0, "done")                                                                                               \
    X(IST_EXISTED, 1, "done: the object existed and this is another handle to it")                                     \
    X(IST_ABANDONED, 2, "done: a mutex was taken whose owner ended without releasing it")                              \
    X(IST_TIMEOUT, 3, "not now: the time ran out")                                                                     \
    X(IST_MORE, 4, "done: this is a part of the message, the rest stays for the next read")                            \
    X(IST_FULL, 5, "not now: there is no room")                                                                        \
    X(IST_EMPTY, 6, "not now: there is nothing to take")                                                               \
    X(IST_CANCELLED, 7, "not now: another thread cancelled the call")                                                  \
    X(IST_E_ARG, -1, "an argument is outside what the call allows")                                                    \
    X(IST_E_NAME, -2, "the name is empty, too long, not UTF-8, reserved, or has a backslash where none may be")        \
    X(IST_E_NOT_FOUND, -3, "nobody holds an object of this name")                                                      \
    X(IST_E_EXISTS, -4, "somebody else already has this name")                                                         \
    X(IST_E_KIND, -5, "the name belongs to an object of another kind")                                                 \
    X(IST_E_ACCESS, -6, "access is denied: by the object's owner, by the system, or because the owner is not trusted") \
    X(IST_E_RANGE, -7, "the offset or length reaches past the end of the object")                                      \
    X(IST_E_SIZE, -8, "the size does not fit: an empty file, a buffer too small, a message too large")                 \
    X(IST_E_SPACE, -9, "there is not enough memory or disk behind the object")                                         \
    X(IST_E_MEMORY, -10, "there is not enough memory or address space in this process")                                \
    X(IST_E_LIMIT, -11, "a limit is reached: descriptors, handles, instances, or a semaphore's maximum")               \
    X(IST_E_NOT_OWNER, -12, "the calling thread does not own the mutex")                                               \
    X(IST_E_BROKEN, -13, "the other side, or what the handle stands on, is gone")                                      \
    X(IST_E_CORRUPT, -14, "what was found in shared memory is not what isthmus writes there")                          \
    X(IST_E_LAYOUT, -15, "the object was made by an incompatible version or for an incompatible machine")              \
    X(IST_E_UNSUPPORTED, -16, "this cannot be done on this system")                                                    \
    X(IST_E_OS, -17, "the system refused for a reason that only ist_error_detail() can tell")

typedef enum ist_status {
#define IST_STATUS_ENUM(name, value, text) name = (value),
    IST_STATUS_LIST(IST_STATUS_ENUM)
#undef IST_STATUS_ENUM
} ist_status;

/* In which numbers `ist_detail.code` is counted. */
typedef enum ist_code_space {
    IST_CODES_NONE = 0,  /* the library refused; the system was not asked */
    IST_CODES_ERRNO = 1, /* errno */
    IST_CODES_WIN32 = 2  /* GetLastError() */
} ist_code_space;

#define IST_DETAIL_NOTE_SIZE 120

/* Why the last failed call of a thread failed. For people and logs, never for decisions: it may differ between
   systems and releases. */
typedef struct ist_detail {
    ist_status status;               /* what the failed call returned; IST_OK when none has failed yet */
    ist_code_space space;            /* how to read `code` */
    uint32_t code;                   /* the system's own code */
    const char *call;                /* the system call or check that refused, for example "openat"; never NULL */
    char note[IST_DETAIL_NOTE_SIZE]; /* what else is known, for example who owns what is in the way; may be empty */
} ist_detail;

/**
 * Names a status, for example "IST_E_ACCESS".
 * Shape:    any value; a value that is no status gives "IST_UNKNOWN"; never NULL.
 * Owns:     the library's; valid as long as the library is loaded.
 * Errors:   none.
 * Blocking: never.
 * Threads:  any thread; safe in a signal handler.
 * Platform: none that can be seen.
 * Source:   isthmus.                                                                                     Since: 0.1
 */
IST_API const char *ist_status_name(ist_status status);

/**
 * Says in one English sentence, without a full stop, what a status means.
 * Shape:    any value; never NULL.
 * Owns:     the library's; valid as long as the library is loaded.
 * Errors:   none.
 * Blocking: never.
 * Threads:  any thread; safe in a signal handler.
 * Platform: none that can be seen.
 * Source:   isthmus.                                                                                     Since: 0.1
 */
IST_API const char *ist_status_text(ist_status status);

/**
 * Tells why the last call of this thread that failed (status below 0) did so.
 * Shape:    *out is overwritten; a later call that succeeds leaves the detail as it is; NULL does nothing.
 * Owns:     a copy, yours; the text behind `call` is the library's and valid as long as the library is loaded.
 * Errors:   none.
 * Blocking: never.
 * Threads:  any thread, each has its own detail; not a signal handler.
 * Platform: codes are errno values on POSIX and GetLastError() values on Windows.
 * Source:   POSIX errno; Win32 GetLastError.                                                             Since: 0.1
 */
IST_API void ist_error_detail(ist_detail *out);

IST_END_DECLS

#endif
