/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Who may come in: what a handle allows, whom an object's creator admits, and whose objects a caller accepts.
 */
#ifndef ISTHMUS_ACCESS_H
#define ISTHMUS_ACCESS_H

#include <stdint.h>

#include <isthmus/export.h>

IST_BEGIN_DECLS

/* What a handle or a view allows: one of the first three, with trust or-ed in where an object is opened. */
typedef uint32_t ist_access;
#define IST_READ ((ist_access)0x1)  /* views for reading; waiting on what is not taken; looking */
#define IST_WRITE ((ist_access)0x2) /* everything, reading included */
#define IST_COPY ((ist_access)0x4)  /* views only: writable, private, the writes reach nobody */

/* Whose objects a caller accepts. By default only those of its own user: where names are shared between users
   (`Global\`), somebody else may have come first. */
typedef uint32_t ist_trust;
#define IST_TRUST_OWNER ((ist_trust)0x0)
#define IST_TRUST_EVERYONE ((ist_trust)0x100)

/* Whom a creator admits besides its own user. The group is the creator's effective group (Windows: the primary group
   of its token). */
typedef enum ist_audience {
    IST_AUDIENCE_OWNER = 0,
    IST_AUDIENCE_GROUP_READ = 1,
    IST_AUDIENCE_GROUP_WRITE = 2,
    IST_AUDIENCE_EVERYONE_READ = 3,
    IST_AUDIENCE_EVERYONE_WRITE = 4
} ist_audience;

/* Bytes that a token takes, terminator included: ist_mapping_export() and its like. */
#define IST_TOKEN_SIZE 129

/**
 * Tells the calling process's id, in the form that ist_mapping_export() takes.
 * Shape:    never 0.
 * Owns:     nothing.
 * Errors:   none.
 * Blocking: never.
 * Threads:  any thread; safe in a signal handler.
 * Platform: none that can be seen.
 * Source:   POSIX getpid; Win32 GetCurrentProcessId.                                                     Since: 0.1
 */
IST_API uint64_t ist_process_id(void);

IST_END_DECLS

#endif
